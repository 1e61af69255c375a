//! [`Trace`]: whose data it was, as the audit log tells.

use std::collections::BTreeSet;

use sayso_audit::{DeskEvent, Event, Leaf, LineageEvent, Reference, SubjectTag};
use sayso_types::{Category, Cell, ProcessorId, Purpose, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use crate::segments::{Ended, Segments};

/// Which data an incident concerns: what went to one of the processors or is kept there, of one of the categories, by one of the
/// consents, in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// To whom; empty is anybody, and whoever reads what is kept.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub processors: BTreeSet<ProcessorId>,
    /// Of what; empty is anything.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<Category>,
    /// Consent records: what went for the purpose of one while it was the last that the person had given. Empty is by any
    /// right.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "records")]
    pub records: BTreeSet<Reference>,
    /// The first moment.
    pub from: WallTime,
    /// The first moment after it.
    pub until: WallTime,
}

/// Somebody whose data it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// Their pseudonym.
    pub subject: SubjectId,
    /// Whose devices they speak to.
    pub tenant: TenantId,
}

/// Whose data an incident concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Those whom somebody can tell, by their pseudonyms.
    pub people: BTreeSet<Person>,
    /// People of whom the log has a tag and the register nothing any more: they were forgotten. Of one tenant's incident
    /// none are counted, because nothing says whose they were.
    pub unnamed: u64,
}

impl Affected {
    /// How many people it is.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.people.len() as u64 + self.unnamed
    }
}

/// Goes through the leaves of a log in order, and finds whose data passed in a scope.
///
/// A segment counts when something passed in it, or may have because nobody was left to close it or nobody counted, at some
/// time in the span: between its opening and its closing, or the end of its process, nothing says when a byte went. What is
/// kept counts for as long as its keys are there; and where the scope names nobody who received something, so does whatever one
/// of the operator's people read, or was given to an authority, in the span.
#[derive(Debug)]
pub struct Trace {
    scope: Scope,
    /// Those of the scope, and whose they are.
    segments: Segments<SubjectTag>,
    /// What is kept of the scope, and whose it is. At most as much as there is kept.
    stored: BTreeSet<(SubjectTag, Category)>,
    /// Whose consent to what was last given by a record of the scope. At most as many as there are records in it.
    consents: BTreeSet<(SubjectTag, Purpose)>,
    /// At most as many as there ever were people.
    tags: BTreeSet<SubjectTag>,
    /// Records of the scope that no leaf gave so far.
    unknown: BTreeSet<Reference>,
}

impl Trace {
    /// A trace of what is in `scope`.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        let (stored, consents, tags, unknown) = (<_>::default(), <_>::default(), <_>::default(), scope.records.clone());
        Self { scope, segments: Segments::default(), stored, consents, tags, unknown }
    }

    /// Goes on by the next leaf.
    pub fn leaf(&mut self, leaf: &Leaf) {
        let (fact, at) = (&leaf.fact, leaf.place.wall);
        if let (Event::ConsentGiven { record, purpose, .. }, Some(tag)) = (&fact.event, fact.subject) {
            if self.scope.records.contains(record) {
                self.unknown.remove(record);
                self.consents.insert((tag, *purpose));
            } else {
                self.consents.remove(&(tag, *purpose));
            }
        }
        let Scope { processors, categories, records, from, until } = &self.scope;
        let is_meant = |category: &Category| categories.is_empty() || categories.contains(category);
        let is_in_scope = |tag, cell: Cell, processor| {
            let is_received = processors.is_empty() || processors.contains(&processor);
            let is_by_it = records.is_empty() || self.consents.contains(&(tag, cell.purpose));
            at < *until && is_received && is_meant(&cell.category) && is_by_it
        };
        let ended = self.segments.leaf(leaf, |tag, cell, processor| is_in_scope(tag, cell, processor).then_some(tag));
        if at >= *from {
            self.tags.extend(ended.into_iter().filter(Ended::may_have_passed).map(|ended| ended.of));
        }
        let Some(tag) = fact.subject else { return };
        match &fact.event {
            Event::Lineage(LineageEvent::Written { cell, processor, .. }) if is_in_scope(tag, *cell, *processor) => {
                self.stored.insert((tag, cell.category));
            }
            // nothing of the category is left when its keys are not
            Event::KeyDestroyed { category, .. } if self.stored.remove(&(tag, *category)) && at >= *from => {
                self.tags.insert(tag);
            }
            // to nobody in particular, by no consent
            Event::Desk(DeskEvent::ContentRead { category, .. } | DeskEvent::DisclosurePermitted { category, .. })
                if processors.is_empty()
                    && records.is_empty()
                    && is_meant(category)
                    && (*from..*until).contains(&at) =>
            {
                self.tags.insert(tag);
            }
            _ => {}
        }
    }

    /// A record of the scope by which nobody agreed in all those leaves, if there is one.
    #[must_use]
    pub fn unknown(&self) -> Option<Reference> {
        self.unknown.first().copied()
    }

    /// The tags of those whose data it was; `now` is when the log was read.
    #[must_use]
    pub fn finish(self, now: WallTime) -> BTreeSet<SubjectTag> {
        let mut tags = self.tags;
        if now >= self.scope.from {
            tags.extend(self.segments.finish().map(|open| open.of));
            tags.extend(self.stored.into_iter().map(|(tag, _)| tag));
        }
        tags
    }
}

/// References as they are stored: hexadecimal digits.
mod records {
    use std::collections::BTreeSet;

    use hex::FromHex;
    use sayso_audit::Reference;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(records: &BTreeSet<Reference>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(records.iter().map(|record| hex::encode(record.0)))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<BTreeSet<Reference>, D::Error> {
        let read = |text: String| <[u8; 16]>::from_hex(text).map(Reference).map_err(de::Error::custom);
        Vec::<String>::deserialize(from)?.into_iter().map(read).collect()
    }
}
