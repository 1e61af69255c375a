use sayso_audio::{Encoder, EncoderConfig};
use sayso_types::SampleRate;

use super::*;

const FORMAT: AudioFormat = AudioFormat::MONO_24K;

/// `ms` of a loud tone as packets of `turn`.
fn tone(turn: u32, ms: u32) -> Vec<AudioPacket> {
    let mut encoder = Encoder::new(FORMAT.sample_rate(), FORMAT.frame_ms(), &EncoderConfig::default()).unwrap();
    let sample = |i: usize| ((i as f32 * 0.12).sin() * 12_000.0) as i16;
    let frame: Vec<i16> = (0..encoder.frame_samples()).map(sample).collect();
    let packets = 0..ms / FORMAT.frame_ms();
    let packet = |sequence| AudioPacket {
        turn: TurnId(turn),
        sequence,
        timestamp_ms: sequence * FORMAT.frame_ms(),
        opus: encoder.encode(&frame).unwrap().to_vec().into(),
    };
    packets.map(packet).collect()
}

/// What the speaker told, as short words.
fn word(report: Report) -> String {
    match report {
        Report::Started(turn) => format!("{turn} starts"),
        Report::Position { turn, played_ms } => format!("{turn} at {played_ms}"),
        Report::Finished(Finished { turn, played_ms, lost, late, .. }) => {
            format!("{turn} ends at {played_ms}, lost {lost}, late {late}")
        }
    }
}

fn beat(speaker: &mut Speaker, ms: u32) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..ms / BEAT_MS {
        speaker.beat(|report| told.push(word(report)));
    }
    told
}

fn push(speaker: &mut Speaker, packets: &[AudioPacket]) -> Vec<String> {
    packets.iter().filter_map(|packet| speaker.push(packet).unwrap()).map(word).collect()
}

#[test]
fn an_answer_is_played_in_real_time_and_reported() {
    let mut speaker = Speaker::new(FORMAT, true);
    assert!(speaker.start(TurnId(1)).unwrap().is_none());
    assert_eq!(beat(&mut speaker, 100), [""; 0], "nothing is here");
    push(&mut speaker, &tone(1, 500));
    assert_eq!(beat(&mut speaker, 440), ["1 starts", "1 at 200", "1 at 400"]);
    speaker.end(TurnId(1), 500);
    assert_eq!(beat(&mut speaker, 100), ["1 ends at 500, lost 0, late 0"]);
    assert!(!speaker.is_playing());
}

#[test]
fn what_was_played_is_kept() {
    let mut speaker = Speaker::new(FORMAT, true);
    push(&mut speaker, &tone(1, 200));
    speaker.end(TurnId(1), 200);
    let mut kept = None;
    for _ in 0..20 {
        speaker.beat(|report| {
            if let Report::Finished(finished) = report {
                kept = finished.sound;
            }
        });
    }
    let sound = kept.expect("the answer ended");
    assert_eq!((sound.rate, sound.ms()), (SampleRate::HZ_24K, 200));
    assert!(sound.samples.iter().any(|sample| sample.abs() > 5_000), "it is a loud tone");
}

#[test]
fn sound_may_come_before_the_word_that_it_comes() {
    let mut speaker = Speaker::new(FORMAT, false);
    push(&mut speaker, &tone(1, 100));
    assert!(speaker.start(TurnId(1)).unwrap().is_none());
    assert_eq!(beat(&mut speaker, 20), ["1 starts"]);
}

#[test]
fn play_out_stands_still_while_there_is_nothing() {
    let mut speaker = Speaker::new(FORMAT, false);
    let packets = tone(1, 400);
    push(&mut speaker, &packets[..10]);
    assert_eq!(beat(&mut speaker, 1_000), ["1 starts", "1 at 200"]);
    push(&mut speaker, &packets[10..]);
    assert_eq!(beat(&mut speaker, 1_000), ["1 at 400"]);
    speaker.end(TurnId(1), 400);
    assert_eq!(beat(&mut speaker, 20), ["1 ends at 400, lost 0, late 0"]);
}

#[test]
fn stop_drops_what_is_buffered() {
    let mut speaker = Speaker::new(FORMAT, false);
    let packets = tone(1, 1_000);
    push(&mut speaker, &packets[..20]);
    beat(&mut speaker, 100);
    assert_eq!(speaker.stop(TurnId(1)).map(word).as_deref(), Some("1 ends at 100, lost 0, late 0"));
    assert_eq!(push(&mut speaker, &packets[20..]), [""; 0]);
    assert!(!speaker.is_playing(), "what still comes of it is not played");
    assert!(speaker.stop(TurnId(1)).is_none());
}

#[test]
fn a_newer_answer_replaces_one_that_plays() {
    let mut speaker = Speaker::new(FORMAT, false);
    push(&mut speaker, &tone(1, 400));
    beat(&mut speaker, 100);
    assert_eq!(push(&mut speaker, &tone(2, 400)), ["1 ends at 100, lost 0, late 0"]);
    assert_eq!(push(&mut speaker, &tone(1, 400)), [""; 0]);
    assert_eq!(beat(&mut speaker, 20), ["2 starts"]);
}

#[test]
fn losses_are_concealed_and_counted() {
    let mut speaker = Speaker::new(FORMAT, false);
    let mut packets = tone(1, 400);
    packets.remove(5);
    packets.swap(10, 11);
    push(&mut speaker, &packets);
    speaker.end(TurnId(1), 400);
    let told = beat(&mut speaker, 1_000);
    assert_eq!(told.last().map(String::as_str), Some("1 ends at 400, lost 1, late 0"));
}

#[test]
fn an_answer_whose_tail_is_lost_ends_too() {
    let mut speaker = Speaker::new(FORMAT, false);
    push(&mut speaker, &tone(1, 300));
    speaker.end(TurnId(1), 400);
    let told = beat(&mut speaker, 1_000);
    assert_eq!(told.last().map(String::as_str), Some("1 ends at 300, lost 0, late 0"));
}

#[test]
fn silence_that_was_not_sent_is_put_in() {
    let mut speaker = Speaker::new(FORMAT, false);
    let mut packets = tone(1, 200);
    packets[9].timestamp_ms = 480;
    push(&mut speaker, &packets);
    speaker.end(TurnId(1), 500);
    let told = beat(&mut speaker, 1_000);
    assert_eq!(told.last().map(String::as_str), Some("1 ends at 500, lost 0, late 0"));
}

#[test]
fn garbage_is_concealed() {
    let mut speaker = Speaker::new(FORMAT, false);
    let mut packets = tone(1, 200);
    packets[4].opus = vec![0xff; 40].into();
    push(&mut speaker, &packets);
    speaker.end(TurnId(1), 200);
    let told = beat(&mut speaker, 1_000);
    assert_eq!(told.last().map(String::as_str), Some("1 ends at 200, lost 0, late 0"));
}
