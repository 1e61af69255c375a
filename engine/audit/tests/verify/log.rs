//! Logs in memory, and a story to fill them with.

use std::collections::BTreeMap;
use std::io;

use sayso_audit::checkpoint::Checkpoint;
use sayso_audit::verify::Error;
use sayso_audit::{
    Actor, AuditKey, Commitment, Event, Export, Fact, Hash, HybridClock, Leaf, LogSource, Place, Reference, Report,
    Scope, Signer, SubjectTag, Trust, verify_log,
};
use sayso_types::{
    Category, Cell, ConsentVersion, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TurnId, WallTime,
};

pub(crate) const VOICE: Purpose = Purpose::VOICE_INTERACTION;

/// The files of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(pub(crate) BTreeMap<String, Vec<u8>>);

impl LogSource for Log {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Log {
    /// The log of these entries, signed.
    pub(crate) fn of(entries: &[Vec<u8>]) -> Self {
        let mut export = Export::new();
        let mut log = Self::default();
        for entry in entries {
            log.add(export.append(entry).unwrap());
        }
        log.add(export.partial());
        log.0.insert("checkpoint".into(), Checkpoint::sign(export.size(), export.root(), &signer()).into_bytes());
        log
    }

    fn add(&mut self, files: Vec<sayso_audit::export::File>) {
        self.0.extend(files.into_iter().map(|file| (file.tile.to_string(), file.bytes)));
    }

    pub(crate) fn verify(&self) -> Result<Report, Error> {
        verify_log(self, &trust())
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let note = String::from_utf8(self.0["checkpoint"].clone()).unwrap();
        Checkpoint::open(&note, trust().policy.logs()).unwrap()
    }
}

pub(crate) fn signer() -> Signer {
    Signer::new("home.example/sayso/shard/4", &[7; 32]).unwrap()
}

pub(crate) fn trust() -> Trust {
    Trust::new(vec![signer().verifier().clone()])
}

pub(crate) fn anna() -> SubjectTag {
    AuditKey::new([1; 32]).subject(SubjectId([2; 16]))
}

pub(crate) fn id(n: u8) -> Reference {
    Reference([n; 16])
}

pub(crate) fn cell(purpose: Purpose) -> Cell {
    Cell { purpose, category: Category::VOICE_AUDIO, kind: ProcessorKind::Asr, region: RegionClass::Local }
}

pub(crate) fn asr() -> ProcessorId {
    "whisper-local".parse().unwrap()
}

/// Leaves, told one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) cv: u64,
    pub(crate) epoch: u64,
    pub(crate) rev: u32,
    pub(crate) by: Actor,
    /// How much later it is than leaves are told.
    pub(crate) later_ms: u64,
    clock: HybridClock,
}

impl Story {
    pub(crate) fn new() -> Self {
        let (leaves, by, clock) = (Vec::new(), Actor::SYSTEM, HybridClock::default());
        Self { leaves, cv: 0, epoch: 1, rev: 1, by, later_ms: 0, clock }
    }

    pub(crate) fn tell(&mut self, event: Event) -> &mut Self {
        let sequence = self.leaves.len() as u64;
        let wall = WallTime(1_767_225_600_000 + sequence * 20 + self.later_ms);
        self.clock = self.clock.next(wall);
        let place = Place { shard: 4, sequence, clock: self.clock, wall };
        let fact = Fact {
            subject: Some(anna()),
            actor: self.by,
            cv: ConsentVersion(self.cv),
            profile_rev: self.rev,
            registry_rev: 0,
            epoch: self.epoch,
            event,
        };
        self.leaves.push(fact.at(place));
        self
    }

    pub(crate) fn asked(&mut self, purpose: Purpose) -> &mut Self {
        self.cv += 1;
        self.tell(Event::NoticeServed { text: Hash::of(b"May I listen?"), processor: None })
            .tell(Event::ConsentRequested { record: id(1), purpose })
    }

    pub(crate) fn given(&mut self, purpose: Purpose) -> &mut Self {
        self.cv += 1;
        let (record, notice, evidence) = (id(1), Hash::of(b"May I listen?"), Commitment([5; 32]));
        self.tell(Event::ConsentGiven { record, purpose, notice, evidence, is_renewal: false })
    }

    pub(crate) fn opened(&mut self, segment: u8, purpose: Purpose) -> &mut Self {
        let segment = id(segment);
        self.tell(Event::SegmentOpened { segment, cell: cell(purpose), processor: asr(), turn: TurnId(1) })
    }

    pub(crate) fn closed(&mut self, segment: u8, purpose: Purpose) -> &mut Self {
        self.closed_with(segment, purpose, 640)
    }

    /// A segment closes in which `bytes` have passed.
    pub(crate) fn closed_with(&mut self, segment: u8, purpose: Purpose, bytes: u64) -> &mut Self {
        self.tell(Event::SegmentClosed {
            segment: id(segment),
            cell: cell(purpose),
            processor: asr(),
            turn: TurnId(1),
            bytes,
            pieces: 1,
            content: Hash::of(&[0; 640]),
            reason: "turn_ended".parse().unwrap(),
        })
    }

    pub(crate) fn requested(&mut self, withdrawal: u8, scope: Scope) -> &mut Self {
        self.cv += 1;
        self.tell(Event::WithdrawRequested { withdrawal: id(withdrawal), scope })
    }

    pub(crate) fn effective(&mut self, withdrawal: u8, scope: Scope) -> &mut Self {
        self.tell(Event::WithdrawEffective { withdrawal: id(withdrawal), scope })
    }

    /// A profile comes into force as revision `rev`, under which everything is from then on.
    pub(crate) fn in_force(&mut self, rev: u32) -> &mut Self {
        self.rev = rev;
        self.tell(Event::PolicyEffective { profile: Hash::of(&rev.to_be_bytes()) })
    }

    /// That a process has checked the first `size` leaves.
    pub(crate) fn checked(&self, size: usize) -> Event {
        let mut export = Export::new();
        for entry in &self.entries()[..size] {
            export.append(entry).unwrap();
        }
        Event::SelfcheckPassed { size: export.size(), root: export.root() }
    }

    /// Another process goes on with the log.
    pub(crate) fn restarted(&mut self) -> &mut Self {
        self.epoch += 1;
        let checked = self.checked(self.leaves.len());
        self.tell(checked)
    }

    /// The node runs for minutes, and says something now and then.
    pub(crate) fn runs_on(&mut self) -> &mut Self {
        for _ in 0..13 {
            self.later_ms += 10_000;
            self.tell(Event::LogKeyRotated { key: Hash([0; 32]) });
        }
        self
    }

    /// Everything that the demonstration does: question, consent, a turn, withdrawal in mid-utterance.
    pub(crate) fn usual() -> Self {
        let mut story = Self::new();
        story
            .tell(Event::PolicyEffective { profile: Hash::of(b"profile") })
            .opened(10, Purpose::NOTICE)
            .closed(10, Purpose::NOTICE)
            .asked(VOICE)
            .opened(11, Purpose::CONSENT_ANSWER)
            .closed(11, Purpose::CONSENT_ANSWER)
            .given(VOICE)
            .opened(12, VOICE)
            .closed(12, VOICE)
            .opened(13, VOICE)
            .requested(20, Scope::Purpose(VOICE))
            .closed(13, VOICE)
            .effective(20, Scope::Purpose(VOICE));
        story
    }

    /// The usual story and then turns under a new consent: `size` leaves.
    pub(crate) fn long(size: usize) -> Self {
        let mut story = Self::usual();
        story.given(VOICE);
        if size.is_multiple_of(2) {
            story.given(VOICE);
        }
        let mut segment = 30;
        while story.leaves.len() + 2 <= size {
            story.opened(segment, VOICE).closed(segment, VOICE);
            segment = segment.wrapping_add(1);
        }
        story
    }

    pub(crate) fn entries(&self) -> Vec<Vec<u8>> {
        self.leaves.iter().map(Leaf::encode).collect()
    }

    pub(crate) fn log(&self) -> Log {
        Log::of(&self.entries())
    }
}
