//! [`Room`]: how much of something a store takes at once. Who comes when it is full waits, which two metrics show.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// Room for so much at once, in bytes or in number.
#[derive(Debug)]
pub struct Room {
    /// Its name in metrics, which ends with its unit.
    name: &'static str,
    free: Arc<Semaphore>,
}

/// A share of a [`Room`], given back when this is dropped.
#[derive(Debug)]
pub struct Taken {
    name: &'static str,
    amount: u32,
    _share: OwnedSemaphorePermit,
}

impl Room {
    /// An empty one, called `name`, for `size` at once.
    #[must_use]
    pub fn new(name: &'static str, size: usize) -> Self {
        Self { name, free: Arc::new(Semaphore::new(size)) }
    }

    /// Takes a share of it, which is no more than all of it; waits while there is less than that.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn take(&self, amount: u32) -> Result<Taken, Error> {
        let share = match Arc::clone(&self.free).try_acquire_many_owned(amount) {
            Ok(share) => share,
            Err(_) => {
                metrics::counter!("sayso_store_room_waits_total", "room" => self.name).increment(1);
                Arc::clone(&self.free).acquire_many_owned(amount).await.map_err(|_| Error::Closed)?
            }
        };
        metrics::gauge!("sayso_store_room_taken", "room" => self.name).increment(f64::from(amount));
        Ok(Taken { name: self.name, amount, _share: share })
    }

    /// Lets nobody in any more, and sends away who waits.
    pub fn close(&self) {
        self.free.close();
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        metrics::gauge!("sayso_store_room_taken", "room" => self.name).decrement(f64::from(self.amount));
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn what_is_taken_and_who_waits_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        let shows = |line: &str| assert!(metrics.render().contains(line), "{line}: {}", metrics.render());
        metrics::with_local_recorder(&recorder, || {
            let room = Room::new("test_bytes", 10);
            let mut context = Context::from_waker(Waker::noop());
            let Poll::Ready(Ok(most)) = pin!(room.take(7)).poll(&mut context) else { panic!("there is room") };
            shows("sayso_store_room_taken{room=\"test_bytes\"} 7");
            let mut waits = pin!(room.take(4));
            assert!(waits.as_mut().poll(&mut context).is_pending());
            shows("sayso_store_room_waits_total{room=\"test_bytes\"} 1");
            drop(most);
            let Poll::Ready(Ok(taken)) = waits.as_mut().poll(&mut context) else { panic!("there is room again") };
            shows("sayso_store_room_taken{room=\"test_bytes\"} 4");
            drop(taken);
            shows("sayso_store_room_taken{room=\"test_bytes\"} 0");
            room.close();
            assert!(matches!(pin!(room.take(1)).poll(&mut context), Poll::Ready(Err(Error::Closed))));
        });
    }
}
