//! [`Trace`]: whose data it was, as the audit log tells.

use std::collections::{BTreeMap, BTreeSet};

use sayso_audit::{Event, Leaf, Reference, SubjectTag};
use sayso_types::{Category, ProcessorId, Purpose, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

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
/// A segment counts when something passed in it, or may have because nobody was left to close it, at some time in the
/// span: between its opening and its closing, or the end of its process, nothing says when a byte went.
#[derive(Debug)]
pub struct Trace {
    scope: Scope,
    /// Segments of the scope that are open, and whose. As many as there are permits in use at once.
    open: BTreeMap<Reference, SubjectTag>,
    epoch: u64,
    /// Whose consent to what was last given by a record of the scope. At most as many as there are records in it.
    consents: BTreeSet<(SubjectTag, Purpose)>,
    /// At most as many as there ever were people.
    tags: BTreeSet<SubjectTag>,
}

impl Trace {
    /// A trace of what is in `scope`.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self { scope, open: BTreeMap::new(), epoch: 0, consents: BTreeSet::new(), tags: BTreeSet::new() }
    }

    /// Goes on by the next leaf.
    pub fn leaf(&mut self, leaf: &Leaf) {
        let (fact, at) = (&leaf.fact, leaf.place.wall);
        if fact.epoch > self.epoch {
            // the process before ended, and with it whatever it had open
            self.epoch = fact.epoch;
            self.end_all(at);
        }
        match &fact.event {
            Event::ConsentGiven { record, purpose, .. } => {
                let Some(tag) = fact.subject else { return };
                if self.scope.records.contains(record) {
                    self.consents.insert((tag, *purpose));
                } else {
                    self.consents.remove(&(tag, *purpose));
                }
            }
            Event::SegmentOpened { segment, cell, processor, .. } => {
                let Some(tag) = fact.subject else { return };
                let Scope { processors, categories, records, until, .. } = &self.scope;
                let is_received = processors.is_empty() || processors.contains(processor);
                let is_meant = categories.is_empty() || categories.contains(&cell.category);
                let is_by_it = records.is_empty() || self.consents.contains(&(tag, cell.purpose));
                if at < *until && is_received && is_meant && is_by_it {
                    self.open.insert(*segment, tag);
                }
            }
            Event::SegmentClosed { segment, bytes, .. } => {
                if let Some(tag) = self.open.remove(segment)
                    && *bytes > 0
                    && at >= self.scope.from
                {
                    self.tags.insert(tag);
                }
            }
            _ => {}
        }
    }

    /// The tags of those whose data it was; `now` is when the log was read.
    #[must_use]
    pub fn finish(mut self, now: WallTime) -> BTreeSet<SubjectTag> {
        self.end_all(now);
        self.tags
    }

    /// What is open ended at `at` at the latest, and nobody knows with how many bytes.
    fn end_all(&mut self, at: WallTime) {
        let open = core::mem::take(&mut self.open);
        if at >= self.scope.from {
            self.tags.extend(open.into_values());
        }
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
