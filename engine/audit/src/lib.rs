//! What we did, provably: a log whose past cannot be changed without it showing.
//!
//! ```text
//! Fact ─at(place)─▶ Leaf ─encode─▶ bytes ─┬─▶ merkle::Frontier ─root─▶ Checkpoint ─Signer─▶ signed note
//!  (what happened)   (and where)          └─▶ Export ─▶ tile/… files ─┐                        │
//!                                                       verify_log ◀──┴────────────────────────┘
//! ```
//!
//! The tree is RFC 6962's, the files are C2SP `tlog-tiles`, the signed head is a C2SP `tlog-checkpoint` in a
//! `signed-note`: an auditor needs nothing of ours to check them. No leaf holds clear personal data.

pub mod checkpoint;
pub mod event;
pub mod export;
pub mod key;
pub mod leaf;
pub mod merkle;
pub mod note;
pub mod receipt;
pub mod tag;
pub mod tile;
pub mod trust;
pub mod verify;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use event::{
    Anonymised, AnonymisedStep, ComplaintStep, ConsentEnding, ControlEvent, DeskEvent, Event, FENCED, FlowEvent,
    IncidentStep, Instructed, KeyStep, LineageEvent, MinorEvent, NodeEvent, NoticeStep, ProcessorChange, RAN_OUT,
    Reference, Replica, RequestStep, Scope, UNCOUNTED, counted,
};
pub use export::Export;
pub use key::{Cosigner, PublicKey, Signer, VerifierKey, WitnessKey};
pub use leaf::{Actor, ActorKind, Fact, HybridClock, Leaf, LeafError, Place};
pub use merkle::{Frontier, Hash};
pub use note::NoteError;
pub use receipt::Receipt;
pub use tag::{ActorTag, AuditKey, Commitment, SubjectTag};
pub use trust::TrustPolicy;
pub use verify::{LogSource, Report, Trust, verify_log};
