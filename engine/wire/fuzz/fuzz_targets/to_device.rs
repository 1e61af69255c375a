#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_wire::ToDevice;

fuzz_target!(|input: &[u8]| sayso_wire_fuzz::control_stream::<ToDevice>(input));
