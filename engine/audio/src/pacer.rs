//! [`Pacer`]: when to send what, and how much of it has been played.

use core::time::Duration;
use std::collections::VecDeque;

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
