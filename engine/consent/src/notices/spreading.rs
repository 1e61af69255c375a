//! Spreading a notice to its audience, and beginning the next channel where time has passed.

use sayso_audit::Actor;
use sayso_store::{Error as StoreError, Key, Op, Range, TypedKey, Versioned};
use sayso_types::SubjectId;

use super::book::{self, Error, Notices};
use super::delivery::{Delivery, Step};
use super::notice::{Audience, Notice};
use crate::Entry;
use crate::register::state::StoredState;
use crate::tables::{NOTICE_PAGE, NOTICE_SPREAD, NoticeDueKey, NoticePageKey, NoticeSpreadKey, RegisterKey};

/// People who are sent a notice in one batch: some hundred kilobytes, which hold nobody else up.
pub(super) const PAGE: usize = 256;

impl Notices {
    /// Sends notices on to their audiences, and through the next channel to those whom the ones before have not reached in
    /// their time. What is broken off goes on the next time.
    ///
    /// # Errors
    /// As the register says.
    pub async fn look(&self) -> Result<(), Error> {
        // whoever looks at the same time would spread the same page
        let _turn = self.register.spreading.lock().await;
        let spreads = self.register.scan(NoticeSpreadKey::table(), NOTICE_SPREAD, |body| Ok(body.to_vec())).await?;
        for (key, cursor) in spreads {
            let NoticeSpreadKey { notice } = NoticeSpreadKey::parse(&key).map_err(StoreError::from)?;
            let notice = self.get(notice).await?;
            let mut cursor = Some(cursor);
            while let Some(from) = cursor {
                cursor = self.spread(&notice, &from).await?;
            }
        }
        self.go_on().await
    }

    /// Sends `notice` to the next page of its audience, which begins after the person `from`; where the next page begins.
    async fn spread(&self, notice: &Notice, from: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let (people, done, next) = match &notice.audience {
            // nobody is sent one of a service before they come to need it
            Audience::People { .. } | Audience::Introduced { .. } => self.named(notice).await?,
            Audience::Everybody => self.registered(from).await?,
            Audience::Tenant(tenant) => {
                let (mut people, done, next) = self.registered(from).await?;
                people.retain(|(_, state)| state.tenant == *tenant);
                (people, done, next)
            }
        };
        let (delivery, told) = Delivery::begun(notice, self.register.clock.wall());
        let mut entry = Entry { ops: done, ..Entry::default() };
        for (subject, state) in &people {
            entry.ops.extend(book::ops(*subject, &state.tenant, notice, None, &delivery));
            let about = || state.about(*subject);
            let told = told.iter().map(|(step, channel)| book::event(about(), Actor::SYSTEM, notice, *step, *channel));
            entry.events.extend(told);
        }
        let row = NoticeSpreadKey { notice: notice.id }.key();
        entry.ops.push(match &next {
            Some(next) => Op::Put(row, NOTICE_SPREAD.encode(next)),
            None => Op::Delete(row),
        });
        self.register.journal().append(entry).await?;
        metrics::counter!("sayso_notices_people_total").increment(people.len() as u64);
        Ok(next)
    }

    /// The next page of those who were ever here, after the person `from`.
    async fn registered(&self, from: &[u8]) -> Result<Page, Error> {
        let mut range = Range::from(RegisterKey::table());
        if let Ok(id) = from.try_into() {
            range.start = RegisterKey { subject: SubjectId(id) }.key().successor();
        }
        let page = self.register.store.scan(range, PAGE).await?;
        let mut people = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            let RegisterKey { subject } = RegisterKey::parse(&entry.key).map_err(StoreError::from)?;
            let stored = Versioned { value: entry.value, version: entry.version };
            people.push((subject, self.register.opened_state(subject, stored).await?));
        }
        let next = page.rest.and_then(|_| people.last()).map(|(subject, _)| subject.0.to_vec());
        // no device speaks for them any more, and nothing of theirs is left that could change
        people.retain(|(_, state)| !state.consent.is_closed);
        Ok((people, Vec::new(), next))
    }

    /// The next page of those whom the notice names. One who is not in the register any more is passed over.
    async fn named(&self, notice: &Notice) -> Result<Page, Error> {
        let store = &self.register.store;
        let page = store.scan(NoticePageKey::table().then(&notice.id).into(), 1).await?;
        let Some(entry) = page.entries.first() else { return Ok((Vec::new(), Vec::new(), None)) };
        let (_, ids) = NOTICE_PAGE.decode(&entry.value).map_err(StoreError::from)?;
        let (ids, _) = ids.as_chunks::<16>();
        let keys: Vec<Key> = ids.iter().map(|id| RegisterKey { subject: SubjectId(*id) }.key()).collect();
        let mut people = Vec::with_capacity(ids.len());
        for (id, stored) in ids.iter().zip(store.read(&keys).await?) {
            if let Some(stored) = stored {
                let subject = SubjectId(*id);
                people.push((subject, self.register.opened_state(subject, stored).await?));
            }
        }
        Ok((people, vec![Op::Delete(entry.key.clone())], page.rest.map(|_| Vec::new())))
    }

    /// Begins the next channel of those deliveries whose time has passed.
    async fn go_on(&self) -> Result<(), Error> {
        let over = |due: NoticeDueKey| async move {
            self.step(due.subject, due.notice, Step::TimeIsOver, Actor::SYSTEM).await?;
            Ok::<_, Error>(1)
        };
        self.register.due(self.register.clock.wall()).each(over).await?;
        Ok(())
    }
}

/// People with what the register holds of them, what is done to the store besides, and where the next page begins.
type Page = (Vec<(SubjectId, StoredState)>, Vec<Op>, Option<Vec<u8>>);
