//! [`Compiled`]: the decisions of one (profile, consent state) as a bitset, for asking often.

use sayso_types::{Category, ConsentVersion, Label, ProcessorId, Purpose, SubjectId, TurnId, WallTime};

use crate::{ConsentState, LegalBasis, Profile, decide};

/// A bit for each purpose × category × processor of a profile, under one consent state. What depends on the asking
/// (the age of the data, the time of day) is kept beside the bits.
#[derive(Clone, Debug)]
pub struct Compiled {
    purposes: Vec<(Purpose, Grant)>,
    categories: Vec<Category>,
    processors: Vec<(ProcessorId, Option<WallTime>)>,
    bits: Vec<u64>,
}

/// What a purpose's consent asks of each use of it.
#[derive(Clone, Copy, Debug, Default)]
struct Grant {
    /// Data older than this is refused.
    since: ConsentVersion,
    /// Nothing is allowed from here on.
    until: Option<WallTime>,
}

/// Compiles what `state` allows under `profile`. To be repeated when either changes.
#[must_use]
pub fn compile(profile: &Profile, state: &ConsentState) -> Compiled {
    let purposes: Vec<_> = profile.purposes().map(|p| (p.id, Grant::of(p.id, profile, state))).collect();
    let categories: Vec<_> = profile.categories().map(|(id, _)| id).collect();
    let processors: Vec<_> = profile.processors().map(|p| (p.id, p.examined_until())).collect();
    let cells = purposes.len() * categories.len() * processors.len();
    let mut compiled = Compiled { purposes, categories, processors, bits: vec![0; cells.div_ceil(64)] };

    for (p, (purpose, _)) in compiled.purposes.iter().enumerate() {
        for (c, category) in compiled.categories.iter().enumerate() {
            // the newest data at the earliest time: whatever is denied now is always denied
            let label = Label {
                subject: SubjectId([0; 16]),
                category: *category,
                purpose: *purpose,
                turn: TurnId(0),
                cv: ConsentVersion(u64::MAX),
            };
            for (r, (processor, _)) in compiled.processors.iter().enumerate() {
                if decide(&label, *processor, WallTime(0), state, profile).is_permit() {
                    let bit = compiled.index(p, c, r);
                    compiled.bits[bit / 64] |= 1 << (bit % 64);
                }
            }
        }
    }
    compiled
}

impl Compiled {
    /// Whether data labelled `label` may go to `processor` at `now`: what [`decide()`] would say.
    #[must_use]
    pub fn permits(&self, label: &Label, processor: ProcessorId, now: WallTime) -> bool {
        // all three lists are in the order of the profile's maps, which is the order of ids
        let (Ok(p), Ok(c), Ok(r)) = (
            self.purposes.binary_search_by_key(&label.purpose, |(id, _)| *id),
            self.categories.binary_search(&label.category),
            self.processors.binary_search_by_key(&processor, |(id, _)| *id),
        ) else {
            return false;
        };
        let bit = self.index(p, c, r);
        let grant = self.purposes[p].1;
        self.bits[bit / 64] >> (bit % 64) & 1 == 1
            && label.cv >= grant.since
            && before(now, grant.until)
            && before(now, self.processors[r].1)
    }

    const fn index(&self, purpose: usize, category: usize, processor: usize) -> usize {
        (purpose * self.categories.len() + category) * self.processors.len() + processor
    }
}

fn before(now: WallTime, end: Option<WallTime>) -> bool {
    end.is_none_or(|end| now < end)
}

impl Grant {
    fn of(purpose: Purpose, profile: &Profile, state: &ConsentState) -> Self {
        let rests_on_consent = profile.purpose(purpose).is_some_and(|p| p.basis == LegalBasis::Consent);
        match state.consents.get(&purpose) {
            Some(given) if rests_on_consent => Self { since: given.given_at, until: given.expires_at },
            _ => Self::default(),
        }
    }
}
