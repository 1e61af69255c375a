//! What goes to each processor is watched: how much, against what the policy declares, and what comes back. See
//! [`volume`](crate::volume).

use sayso_audit::Event;
use sayso_policy::Profile;
use sayso_types::Name;
use tokio::sync::watch;

use super::Register;
use super::holders::Segment;
use crate::journal::Noted;
use crate::lease::Denied;
use crate::volume::{Allowance, TOO_MUCH, Unstored, VolumeTo, most};
use crate::{Entry, Error};

impl Segment {
    /// The leaf that says that more would have gone than the policy declares, or has.
    fn too_much(&self) -> Noted {
        let Self { about, gate, cell, processor, .. } = *self;
        let (gate, reason) = (gate.name(), Name::constant(TOO_MUCH));
        about.event(Event::GateDenied { gate, cell, processor, reason, count: 1, labelled: Some(about.cv) })
    }

    /// Raises the alarm: the first of a day is told to whoever reads logs. The leaf is for the journal.
    pub(super) fn alarm(&self, is_first: bool) -> Noted {
        let (processor, category) = (self.processor, self.cell.category);
        let (to, of) = (processor.to_string(), category.to_string());
        metrics::counter!("sayso_egress_over_total", "processor" => to, "category" => of).increment(1);
        if is_first {
            tracing::error!(
                %processor, %category,
                "more would go there than the policy declares, and is stopped; see `sayso switch volumes`"
            );
        }
        self.too_much()
    }
}

impl Register {
    /// What has gone to each processor today, of each category, and what may as the newest revision of the policy says.
    #[must_use]
    pub fn volumes(&self) -> Vec<VolumeTo> {
        self.volumes.counted(&self.profile(), self.clock.wall())
    }

    /// Whether more than the policy declares would have gone somewhere today.
    #[must_use]
    pub fn over_volume(&self) -> watch::Receiver<bool> {
        self.volumes.over()
    }

    /// Sets aside what the call of `segment` may have at most, durably, by the revision that is `governing` and by the newest;
    /// and how many bytes that is, if there is a limit.
    ///
    /// # Errors
    /// [`Denied::TooMuch`] when less is left of the day, which is put on record; or as the store says.
    pub(super) async fn set_aside(
        &self,
        segment: &Segment,
        governing: &Profile,
    ) -> Result<(Allowance, Option<u64>), Denied> {
        let (to, now) = ((segment.processor, segment.cell.category), self.clock.wall());
        let most = most([governing, &*self.profile()], to);
        let Some(allowance) = self.volumes.set_aside(to, most, now) else {
            self.journal.note(segment.alarm(self.volumes.overran(to)));
            return Err(Denied::TooMuch { processor: segment.processor });
        };
        if self.volumes.ahead(to, most).is_some() {
            let _turn = self.volumes.storing.lock().await;
            // somebody else may have stored enough meanwhile
            let ahead: Vec<_> = self.volumes.ahead(to, most).into_iter().collect();
            self.store_volumes(&ahead).await?;
        }
        Ok((allowance, most.per_call))
    }

    /// Stores what has gone, so that whoever is started again or takes over knows, and begins a new day when it is time.
    pub(super) async fn save_volumes(&self) -> Result<(), Error> {
        let _turn = self.volumes.storing.lock().await;
        self.store_volumes(&self.volumes.unstored(self.clock.wall())).await
    }

    async fn store_volumes(&self, rows: &[Unstored]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        self.journal.append(Entry { ops: rows.iter().map(Unstored::put).collect(), ..Entry::default() }).await?;
        self.volumes.are_stored(rows);
        Ok(())
    }
}
