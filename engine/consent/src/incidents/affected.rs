//! [`Trace`]: whose data it was, as the audit log tells.

use std::collections::BTreeSet;

use sayso_audit::{Event, Leaf, Reference, SubjectTag};
use sayso_types::{Category, ProcessorId, Purpose, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

use crate::segments::{Ended, Segments};

/// Which data an incident concerns: what went to one of the processors, of one of the categories, by one of the consents, in
/// a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// To whom; empty is anybody.
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
/// time in the span: between its opening and its closing, or the end of its process, nothing says when a byte went.
#[derive(Debug)]
pub struct Trace {
    scope: Scope,
    /// Those of the scope, and whose they are.
    segments: Segments<SubjectTag>,
    /// Whose consent to what was last given by a record of the scope. At most as many as there are records in it.
    consents: BTreeSet<(SubjectTag, Purpose)>,
    /// At most as many as there ever were people.
    tags: BTreeSet<SubjectTag>,
}

impl Trace {
    /// A trace of what is in `scope`.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self { scope, segments: Segments::default(), consents: BTreeSet::new(), tags: BTreeSet::new() }
    }

    /// Goes on by the next leaf.
    pub fn leaf(&mut self, leaf: &Leaf) {
        let (fact, at) = (&leaf.fact, leaf.place.wall);
        if let (Event::ConsentGiven { record, purpose, .. }, Some(tag)) = (&fact.event, fact.subject) {
            if self.scope.records.contains(record) {
                self.consents.insert((tag, *purpose));
            } else {
                self.consents.remove(&(tag, *purpose));
            }
        }
        let Scope { processors, categories, records, until, .. } = &self.scope;
        let ended = self.segments.leaf(leaf, |tag, cell, processor| {
            let is_received = processors.is_empty() || processors.contains(&processor);
            let is_meant = categories.is_empty() || categories.contains(&cell.category);
            let is_by_it = records.is_empty() || self.consents.contains(&(tag, cell.purpose));
            (at < *until && is_received && is_meant && is_by_it).then_some(tag)
        });
        if at >= self.scope.from {
            self.tags.extend(ended.into_iter().filter(Ended::may_have_passed).map(|ended| ended.of));
        }
    }

    /// The tags of those whose data it was; `now` is when the log was read.
    #[must_use]
    pub fn finish(self, now: WallTime) -> BTreeSet<SubjectTag> {
        let mut tags = self.tags;
        if now >= self.scope.from {
            tags.extend(self.segments.finish().map(|open| open.of));
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
