//! Proof that a frame allocates nothing once a turn is under way.
//!
//! This counts Rust's allocations on the thread of the test. libopus and libfvad keep their state in the one block
//! that each was made with and work on the stack, so they have none to count.

use allocation_counter::measure;
use sayso_types::{Mono, SampleRate};

use crate::sound::voice;
use crate::{Downlink, Encoder, EncoderConfig, EndpointConfig, Mode, Pacer, Packet, RATE, Step, Uplink, pacer};

/// Packets of a voice that speaks for two seconds, is silent for two, and so on.
fn packets(seconds: u32) -> Vec<Vec<u8>> {
    let config = EncoderConfig { expected_loss_percent: 10, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(RATE, 20, &config).unwrap();
    let mut pcm = voice(RATE, 2_000);
    pcm.resize(RATE.samples_in_ms(4_000), 0);
    let frames = pcm.chunks_exact(320).cycle().take(50 * seconds as usize);
    frames.map(|f| encoder.encode(f).unwrap().to_vec()).collect()
}

#[test]
fn the_uplink_allocates_nothing_after_its_first_seconds() {
    for mode in [Mode::Automatic, Mode::Manual] {
        let packets = packets(40);
        let mut uplink = Uplink::new(EndpointConfig::default(), mode).unwrap();
        let mut samples = 0;
        let mut run = |from: usize, to: usize| {
            for at in from..to {
                // every tenth packet is lost and the two after the next gap change places
                let at = match at % 20 {
                    3 => continue,
                    8 => at + 1,
                    9 => at - 1,
                    _ => at,
                };
                let packet = Packet { sequence: at as u32, timestamp_ms: at as u32 * 20, opus: &packets[at] };
                uplink.push(packet, |event| samples += usize::from(matches!(event, crate::Event::Frame(_)))).unwrap();
            }
        };
        run(0, 400);
        let counted = measure(|| run(400, 2_000));
        assert_eq!(counted.count_total, 0, "{mode:?}: {counted:?}");
        assert!(samples > 300, "{mode:?}: only {samples} frames were delivered");
        assert!(uplink.stats().jitter.reordered > 50 && uplink.stats().jitter.lost > 50);
    }
}

#[test]
fn the_downlink_and_its_pacer_allocate_nothing_after_their_first_second() {
    let speech = voice(SampleRate::HZ_24K, 1_000);
    for rate in [SampleRate::HZ_16K, SampleRate::HZ_24K, SampleRate::HZ_48K] {
        let mut downlink = Downlink::new(rate, 60, EncoderConfig::default()).unwrap();
        let mut pacer = Pacer::new(pacer::LEAD_MS);
        let (mut now, mut sent) = (Mono(0), 0);
        let mut run = |seconds: usize| {
            for chunk in (0..seconds).flat_map(|_| speech.chunks(701)) {
                downlink.push(SampleRate::HZ_24K, chunk, |packet| pacer.push(packet.sequence, 60).unwrap()).unwrap();
                loop {
                    match pacer.step(now) {
                        Step::Send(sequence) => sent = sequence,
                        Step::Wait(then) => now = then,
                        Step::Idle | Step::Ended => break,
                    }
                }
            }
        };
        run(2);
        let counted = measure(|| run(10));
        assert_eq!(counted.count_total, 0, "{rate:?}: {counted:?}");
        assert!(sent > 190, "{rate:?}: only {sent} packets were sent");
    }
}
