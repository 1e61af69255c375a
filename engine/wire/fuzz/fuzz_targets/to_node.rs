#![no_main]

use libfuzzer_sys::fuzz_target;
use sayso_wire::ToNode;

fuzz_target!(|input: &[u8]| sayso_wire_fuzz::control_stream::<ToNode>(input));
