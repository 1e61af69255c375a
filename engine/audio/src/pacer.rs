//! [`Pacer`]: when to send what, and how much of it has been played.

use core::time::Duration;
use std::collections::VecDeque;

use metrics::counter;
use sayso_types::Mono;

/// How far sending runs ahead of play-out, by default: two frames of 60 ms, the longest there are, so that such a
/// device never runs dry while one is under way; or six of 20 ms, more than Wi-Fi's usual jitter. The smallest
/// devices hold five frames, so it overflows none, and it is the most that a barge-in has to throw away.
pub const LEAD_MS: u32 = 120;

/// Most sound that waits, in milliseconds: a long sentence. At 24 kb/s it is 90 kB a speaking device.
pub const QUEUED_MS_MAX: u32 = 30_000;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Send this, and ask again.
    Send(T),
    /// Ask again at this time.
    Wait(Mono),
    /// Nothing to send: ask again after the next push.
    Idle,
    /// The last of it has been played.
    Ended,
}

/// No room: the packet comes back, for when some have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{QUEUED_MS_MAX} ms of sound wait to be sent")]
pub struct Full<T>(pub T);

/// Paces one answer: sends in real time with a small lead, and follows a *virtual play-out*, the position that a
/// device has reached which began to play with the first packet and never had to wait.
///
/// When the sender falls behind (a slow synthesizer), the virtual play-out stands still until there is more, as the
/// device does. It says [`Step::Ended`] when the virtual play-out ends, which is later than the last packet sent.
///
/// `T` is a packet in whatever form the caller sends it.
#[derive(Debug)]
pub struct Pacer<T> {
    lead_ms: u32,
    queue: VecDeque<(T, u32)>,
    queued_ms: u32,
    sent_ms: u32,
    /// When the virtual play-out last began to run, and from which position.
    run: Option<(Mono, u32)>,
    finished: bool,
}

impl<T> Pacer<T> {
    /// A pacer that runs up to `lead_ms` ahead, and never less than two packets: one that plays and one under way.
    #[must_use]
    pub fn new(lead_ms: u32) -> Self {
        Self { lead_ms, queue: VecDeque::new(), queued_ms: 0, sent_ms: 0, run: None, finished: false }
    }

    /// Queues a packet of `ms` milliseconds.
    ///
    /// # Errors
    /// [`Full`] with the packet when [`QUEUED_MS_MAX`] would wait.
    pub fn push(&mut self, packet: T, ms: u32) -> Result<(), Full<T>> {
        if self.queued_ms + ms > QUEUED_MS_MAX {
            counter!("sayso_audio_pacer_full_total").increment(1);
            return Err(Full(packet));
        }
        self.queue.push_back((packet, ms));
        self.queued_ms += ms;
        Ok(())
    }

    /// No more will be pushed.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// What to do at `now`. Call it again after each [`Step::Send`].
    pub fn step(&mut self, now: Mono) -> Step<T> {
        let played_ms = self.played_ms(now);
        let ahead_ms = self.sent_ms - played_ms;
        let Some(&(_, ms)) = self.queue.front() else {
            return match (self.finished, ahead_ms) {
                (false, _) => Step::Idle,
                (true, 0) => Step::Ended,
                (true, _) => Step::Wait(self.when_played(self.sent_ms)),
            };
        };
        let lead_ms = self.lead_ms.max(2 * ms);
        if ahead_ms + ms > lead_ms {
            return Step::Wait(self.when_played(self.sent_ms + ms - lead_ms));
        }
        if ahead_ms == 0 {
            self.run = Some((now, played_ms));
        }
        self.sent_ms += ms;
        self.queued_ms -= ms;
        self.queue.pop_front().map_or(Step::Idle, |(packet, _)| Step::Send(packet))
    }

    /// Stops the answer: drops what waits, and says how much had been played, in milliseconds. What was sent and not
    /// played is the device's to drop. After this it has [ended](Step::Ended).
    pub fn cut(&mut self, now: Mono) -> u32 {
        self.sent_ms = self.played_ms(now);
        self.queue.clear();
        self.queued_ms = 0;
        self.finished = true;
        self.sent_ms
    }

    /// The virtual play-out position at `now`, in milliseconds from the start of the answer.
    #[must_use]
    pub fn played_ms(&self, now: Mono) -> u32 {
        let Some((since, from_ms)) = self.run else { return 0 };
        let ran_ms = u32::try_from(now.since(since).as_millis()).unwrap_or(u32::MAX);
        from_ms.saturating_add(ran_ms).min(self.sent_ms)
    }

    /// How much waits to be sent, in milliseconds.
    #[must_use]
    pub fn queued_ms(&self) -> u32 {
        self.queued_ms
    }

    /// How long the answer is in all as far as it was pushed, or until where it was cut, in milliseconds.
    #[must_use]
    pub fn total_ms(&self) -> u32 {
        self.sent_ms + self.queued_ms
    }

    fn when_played(&self, position_ms: u32) -> Mono {
        let (since, from_ms) = self.run.unwrap_or_default();
        since.after(Duration::from_millis(u64::from(position_ms.saturating_sub(from_ms))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> Mono {
        Mono(1_000_000_000 + ms * 1_000_000)
    }

    /// Everything that may be sent at `ms`, and what comes then.
    fn send(pacer: &mut Pacer<u32>, ms: u64) -> (Vec<u32>, Step<u32>) {
        let mut sent = Vec::new();
        loop {
            match pacer.step(at(ms)) {
                Step::Send(packet) => sent.push(packet),
                then => return (sent, then),
            }
        }
    }

    fn filled(lead_ms: u32, packets: u32, ms: u32) -> Pacer<u32> {
        let mut pacer = Pacer::new(lead_ms);
        (0..packets).for_each(|n| pacer.push(n, ms).unwrap());
        pacer
    }

    #[test]
    fn it_sends_the_lead_at_once_and_the_rest_in_real_time_and_ends_with_the_play_out() {
        let mut pacer = filled(120, 8, 20);
        pacer.finish();
        assert_eq!(send(&mut pacer, 0), (vec![0, 1, 2, 3, 4, 5], Step::Wait(at(20))));
        assert_eq!(send(&mut pacer, 19), (vec![], Step::Wait(at(20))));
        assert_eq!(send(&mut pacer, 20), (vec![6], Step::Wait(at(40))));
        assert_eq!(send(&mut pacer, 45), (vec![7], Step::Wait(at(160))));
        assert_eq!(pacer.played_ms(at(159)), 159);
        assert_eq!(send(&mut pacer, 159).1, Step::Wait(at(160)));
        assert_eq!(send(&mut pacer, 160).1, Step::Ended);
        assert_eq!((pacer.total_ms(), pacer.played_ms(at(10_000))), (160, 160));
    }

    #[test]
    fn frames_of_60_ms_go_two_at_a_time() {
        for lead_ms in [120, 60, 0] {
            let mut pacer = filled(lead_ms, 4, 60);
            assert_eq!(send(&mut pacer, 0), (vec![0, 1], Step::Wait(at(60))));
            assert_eq!(send(&mut pacer, 60), (vec![2], Step::Wait(at(120))));
        }
    }

    #[test]
    fn the_play_out_stands_still_while_there_is_nothing_to_play() {
        let mut pacer = filled(120, 2, 20);
        assert_eq!(send(&mut pacer, 0), (vec![0, 1], Step::Idle));
        assert_eq!(pacer.played_ms(at(500)), 40);
        pacer.push(2, 20).unwrap();
        assert_eq!(send(&mut pacer, 500), (vec![2], Step::Idle));
        assert_eq!(pacer.played_ms(at(510)), 50);
        pacer.finish();
        assert_eq!(send(&mut pacer, 510).1, Step::Wait(at(520)));
        assert_eq!(send(&mut pacer, 520).1, Step::Ended);
    }

    #[test]
    fn a_cut_says_what_was_heard_and_ends_it() {
        let mut pacer = filled(120, 100, 20);
        send(&mut pacer, 0);
        send(&mut pacer, 70);
        assert_eq!(pacer.cut(at(75)), 75);
        assert_eq!(send(&mut pacer, 75), (vec![], Step::Ended));
        assert_eq!((pacer.queued_ms(), pacer.total_ms(), pacer.played_ms(at(9_000))), (0, 75, 75));
    }

    #[test]
    fn nothing_sent_is_nothing_heard() {
        let mut pacer = filled(120, 3, 20);
        assert_eq!(pacer.played_ms(at(50)), 0);
        assert_eq!(pacer.cut(at(50)), 0);
        let mut empty = Pacer::<u32>::new(120);
        assert_eq!(empty.step(at(0)), Step::Idle);
        empty.finish();
        assert_eq!(empty.step(at(0)), Step::Ended);
    }

    #[test]
    fn a_full_queue_gives_the_packet_back() {
        let mut pacer = filled(120, QUEUED_MS_MAX / 60, 60);
        assert_eq!(pacer.push(9, 60), Err(Full(9)));
        send(&mut pacer, 0);
        assert_eq!(pacer.push(9, 60), Ok(()));
    }

    proptest! {
        #[test]
        fn it_never_runs_further_ahead_than_the_lead_and_sends_everything_once(
            lead_ms in 0..300_u32,
            packets in prop::collection::vec(prop::sample::select(&[10_u32, 20, 40, 60][..]), 0..60),
            pauses in prop::collection::vec(0..90_u64, 60),
        ) {
            let mut pacer = Pacer::new(lead_ms);
            let (mut now, mut sent) = (0, Vec::new());
            for ((n, &ms), pause) in (0_u32..).zip(&packets).zip(&pauses) {
                pacer.push(n, ms).unwrap();
                now += pause;
                sent.extend(send(&mut pacer, now).0);
                let sent_ms: u32 = sent.iter().map(|&n| packets[n as usize]).sum();
                prop_assert!(sent_ms - pacer.played_ms(at(now)) <= lead_ms.max(120));
            }
            pacer.finish();
            let ended = loop {
                let (more, then) = send(&mut pacer, now);
                sent.extend(more);
                match then {
                    Step::Wait(later) => {
                        prop_assert!(later > at(now), "waiting gets on");
                        now = (later.0 - at(0).0) / 1_000_000;
                    }
                    other => break other,
                }
            };
            prop_assert_eq!(ended, Step::Ended);
            prop_assert_eq!(sent, (0..packets.len() as u32).collect::<Vec<_>>());
            let total: u32 = packets.iter().sum();
            prop_assert_eq!((pacer.total_ms(), pacer.played_ms(at(now))), (total, total));
            prop_assert!(now >= u64::from(total), "it did not end before it was played");
        }
    }
}
