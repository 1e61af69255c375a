//! Revisions of the policy that people are told of before they hold.

use std::sync::Arc;

use sayso_audit::{Event, Hash, Reference};
use sayso_policy::{Diff, Profile, RevisionError};
use sayso_store::{Error as StoreError, Key, Op, Store, TypedKey};
use sayso_types::{Name, WallTime};

use super::{Register, revising};
use crate::journal::About;
use crate::notices::book::sending;
use crate::notices::{self, Audience, Draft, Notice, NoticeKind, Notices, Text};
use crate::tables::{NEXT_PROFILE, NextProfileKey};
use crate::{Entry, Error};

/// A revision that was announced and does not hold yet.
pub(super) struct Announced {
    key: Key,
    pub(super) profile: Arc<Profile>,
}

impl Announced {
    /// What takes it off the list, because it holds or another one takes its place.
    pub(super) fn delete(&self) -> Op {
        Op::Delete(self.key.clone())
    }
}

/// The revision that was announced, as `store` has it.
pub(super) async fn announced(store: &dyn Store) -> Result<Option<Announced>, Error> {
    let page = store.scan(NextProfileKey::table().into(), 1).await?;
    let Some(entry) = page.entries.into_iter().next() else { return Ok(None) };
    let (_, body) = NEXT_PROFILE.decode(&entry.value).map_err(StoreError::from)?;
    Ok(Some(Announced { key: entry.key, profile: Arc::new(revising::read(body)?) }))
}

/// That somebody else answers for the data under `next`.
pub(super) fn controller_changed(before: &Profile, next: &Profile) -> Option<Event> {
    let is_other = NoticeKind::of_revision(before, next) == NoticeKind::ControllerChange;
    is_other.then(|| Event::ControllerChanged { profile: Hash(next.hash().0) })
}

/// Refuses `next` when people were promised to be told of such `changes` before they hold, and it is not what they were
/// told of.
pub(super) fn must_be_announced(
    before: &Profile,
    next: &Profile,
    changes: &Diff,
    announced: Option<&Announced>,
) -> Result<(), RevisionError> {
    let is_announced = announced.is_some_and(|announced| announced.profile.hash() == next.hash());
    if NoticeKind::is_promised(before, next, changes) && !is_announced {
        return Err(RevisionError::NotAnnounced(next.rev()));
    }
    Ok(())
}

impl Register {
    /// Tells everybody of the next revision of the policy, which comes into force by itself at its time. What was announced
    /// before and does not hold yet is replaced. The same one again changes nothing.
    ///
    /// # Errors
    /// [`notices::Error::Refused`] when it would hold sooner than people were promised; [`Error::Revision`] when it is not
    /// the next revision; or as the store says.
    pub async fn announce(self: &Arc<Self>, next: Arc<Profile>) -> Result<Option<Notice>, notices::Error> {
        let _turn = self.publishing.lock().await;
        let before = self.profile();
        // what is wrong with it now is wrong with it then
        self.revisions().publish(Arc::clone(&next), WallTime(u64::MAX)).map_err(Error::from)?;
        let earlier = announced(self.store.as_ref()).await?;
        if earlier.as_ref().is_some_and(|earlier| earlier.profile.hash() == next.hash()) {
            return Ok(None);
        }
        let at = next.header().effective_at.moment().unwrap_or(WallTime(u64::MAX));
        let kind = NoticeKind::of_revision(&before, &next);
        let text = |language: &Name| (*language, Text { spoken: said(kind, &next, *language), written: String::new() });
        let notices = Notices::new(Arc::clone(self));
        let draft = Draft {
            kind,
            texts: before.header().languages.iter().map(text).collect(),
            by: Some(at),
            channels: notices.usual_channels(),
        };
        let mut entry = Entry::default();
        entry.ops.extend(earlier.map(|earlier| earlier.delete()));
        let key = NextProfileKey { at: at.0 }.key();
        entry.ops.push(Op::Put(key, NEXT_PROFILE.encode(next.text().as_bytes())));
        let notice = notices.draw_up(draft, Audience::Everybody).await?;
        let (profile, reference) = (Hash(next.hash().0), Some(Reference(notice.id.0)));
        entry.events.push(About::default().event(Event::PolicyPublished { profile, notice: reference }));
        entry.ops.extend(sending(&notice, &[]));
        self.journal.append(entry).await.map_err(notices::Error::from)?;
        Ok(Some(notice))
    }

    /// Puts the revision in force that was announced, when its time has come.
    pub(super) async fn put_announced_in_force(self: &Arc<Self>) -> Result<(), Error> {
        let page = self.store.scan(NextProfileKey::table().into(), 1).await?;
        let Some(entry) = page.entries.first() else { return Ok(()) };
        let NextProfileKey { at } = NextProfileKey::parse(&entry.key).map_err(StoreError::from)?;
        if at > self.clock.wall().0 {
            return Ok(());
        }
        if let Some(due) = announced(self.store.as_ref()).await? {
            self.publish(due.profile).await?;
        }
        Ok(())
    }
}

/// What is said of `next` in `language` before it holds.
fn said(kind: NoticeKind, next: &Profile, language: Name) -> String {
    match (kind, language.as_str().split('-').next()) {
        (NoticeKind::ControllerChange, Some("zh")) => format!("即将由{}负责你的数据。", next.controller().name),
        (NoticeKind::ControllerChange, _) => {
            format!("Soon somebody else will answer for your data: {}.", next.controller().name)
        }
        _ => next.notice(language).spoken_ahead(language),
    }
}
