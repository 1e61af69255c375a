//! Bounded queues that have a name and are measured.
//!
//! Sending never waits: a full queue is a value that the caller handles, because in a voice engine waiting in a
//! queue is latency that somebody hears.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::channel::mpsc;
use futures::{Stream, StreamExt};
use metrics::{Counter, Gauge, counter, gauge};

/// Makes a queue of at most `capacity` values (at least one). Queues of one name share their metrics:
/// `sayso_runtime_queue_depth` and `sayso_runtime_queue_dropped_total`, labelled `queue`.
///
/// It holds what waits in it and no more, so that an idle device costs nothing for its queues; tokio's channel
/// allocates room for 32 values at once.
#[must_use]
pub fn bounded<T>(name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
    // each sender of a futures channel has one place of its own, and there is one
    let (sender, receiver) = mpsc::channel(capacity.saturating_sub(1));
    let depth = gauge!("sayso_runtime_queue_depth", "queue" => name);
    let dropped = counter!("sayso_runtime_queue_dropped_total", "queue" => name);
    let sender = Sender { channel: Arc::new(Mutex::new(sender)), depth: depth.clone(), dropped };
    (sender, Receiver { channel: receiver, depth })
}

/// Why a value was not enqueued. It holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// As many values wait as may.
    #[error("the queue is full")]
    Full(T),
    /// Nobody receives any more.
    #[error("the queue is closed")]
    Closed(T),
}

/// Puts values into a queue. Clones share its capacity.
#[derive(Debug)]
pub struct Sender<T> {
    channel: Arc<Mutex<mpsc::Sender<T>>>,
    depth: Gauge,
    dropped: Counter,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { channel: self.channel.clone(), depth: self.depth.clone(), dropped: self.dropped.clone() }
    }
}

impl<T> Sender<T> {
    /// Enqueues `value`, or hands it back at once.
    ///
    /// # Errors
    /// [`TrySendError::Full`] (which is counted as a drop, since that is what becomes of most such values) or
    /// [`TrySendError::Closed`].
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        // counted before it can be received, so that the depth is never below zero
        self.depth.increment(1);
        let sent = self.lock().try_send(value);
        sent.map_err(|error| {
            self.depth.decrement(1);
            if error.is_disconnected() {
                return TrySendError::Closed(error.into_inner());
            }
            self.dropped.increment(1);
            TrySendError::Full(error.into_inner())
        })
    }

    /// Whether nobody receives any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, mpsc::Sender<T>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes values out of a queue, oldest first. Dropping it drops what waits and closes the queue.
#[derive(Debug)]
pub struct Receiver<T> {
    channel: mpsc::Receiver<T>,
    depth: Gauge,
}

impl<T> Receiver<T> {
    /// Waits for a value; `None` when all senders are gone and nothing waits. Safe to cancel.
    pub async fn recv(&mut self) -> Option<T> {
        self.next().await
    }

    /// Takes a value if one waits.
    pub fn try_recv(&mut self) -> Option<T> {
        let value = self.channel.try_recv().ok()?;
        self.depth.decrement(1);
        Some(value)
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let value = std::task::ready!(self.channel.poll_next_unpin(cx));
        if value.is_some() {
            self.depth.decrement(1);
        }
        Poll::Ready(value)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.close();
        while self.try_recv().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn holds_exactly_its_capacity_in_order() {
        for capacity in 1..5 {
            let (sender, mut receiver) = bounded("test", capacity);
            for value in 0..capacity {
                sender.clone().try_send(value).unwrap();
            }
            assert_eq!(sender.try_send(99), Err(TrySendError::Full(99)));
            assert_eq!(receiver.recv().await, Some(0));
            sender.try_send(capacity).expect("a place is free again");
            assert_eq!(sender.try_send(99), Err(TrySendError::Full(99)));
            for value in 1..=capacity {
                assert_eq!(receiver.try_recv(), Some(value));
            }
            assert_eq!(receiver.try_recv(), None);
        }
    }

    #[tokio::test]
    async fn ends_when_a_side_is_gone() {
        let (sender, mut receiver) = bounded("test", 2);
        sender.try_send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!(receiver.recv().await, None);

        let (sender, receiver) = bounded("test", 2);
        drop(receiver);
        assert!(sender.is_closed());
        assert_eq!(sender.try_send(1), Err(TrySendError::Closed(1)));
    }

    #[test]
    fn its_depth_returns_to_zero_whatever_happens() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let (sender, mut receiver) = bounded("measured", 2);
            sender.try_send(1).unwrap();
            sender.try_send(2).unwrap();
            sender.try_send(3).unwrap_err();
            assert!(metrics.render().contains("sayso_runtime_queue_depth{queue=\"measured\"} 2"));
            assert!(metrics.render().contains("sayso_runtime_queue_dropped_total{queue=\"measured\"} 1"));
            receiver.try_recv();
            drop(receiver);
            assert!(metrics.render().contains("sayso_runtime_queue_depth{queue=\"measured\"} 0"));
        });
    }
}
