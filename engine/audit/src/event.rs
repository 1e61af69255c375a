//! [`Event`]: the closed list of what is logged, each with the fields that it must have.

mod control;
mod counted;
mod desk;
mod flow;
mod lineage;
mod minor;
mod name;
mod node;
mod replica;
mod scope;
mod step;

use sayso_types::{Category, Cell, ConsentVersion, Name, ProcessorId, Purpose, TurnId, WallTime};

use crate::merkle::Hash;
use crate::tag::{ActorTag, Commitment, bytes_id};

pub use self::control::{ConsentEnding, ControlEvent, Instructed};
pub use self::counted::{FENCED, RAN_OUT, UNCOUNTED, counted};
pub use self::desk::{ComplaintStep, DeskEvent};
pub use self::flow::FlowEvent;
pub use self::lineage::LineageEvent;
pub use self::minor::MinorEvent;
pub use self::node::{KeyStep, NodeEvent};
pub use self::replica::Replica;
pub use self::scope::Scope;
pub use self::step::{Anonymised, AnonymisedStep, IncidentStep, NoticeStep, ProcessorChange, RequestStep};

bytes_id! {
    /// What a leaf is about: the id of a consent record, withdrawal, permit, segment or ticket. Leaves that belong
    /// together share it.
    Reference, 16
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `policy.effective`: a profile came into force.
    PolicyEffective {
        /// The profile's hash.
        profile: Hash,
    },
    /// `notice.served`: a text was read out or shown to a person.
    NoticeServed {
        /// SHA-256 of the text; of a service that has a policy of its own, over all that there is to tell of it.
        text: Hash,
        /// The service that the person was told of, if they were told of one.
        processor: Option<ProcessorId>,
    },
    /// `consent.requested`: a person was asked.
    ConsentRequested {
        /// The consent record.
        record: Reference,
        /// For what.
        purpose: Purpose,
    },
    /// `consent.given`: the person said yes. `consent.renewed`: they did so again.
    ConsentGiven {
        /// The consent record.
        record: Reference,
        /// To what.
        purpose: Purpose,
        /// SHA-256 of the text that the person had heard or read.
        notice: Hash,
        /// To the evidence of the answer.
        evidence: Commitment,
        /// Whether they had agreed before.
        is_renewal: bool,
    },
    /// `consent.refused`: the person said no.
    ConsentRefused {
        /// The consent record.
        record: Reference,
        /// To what.
        purpose: Purpose,
        /// To the evidence of the answer.
        evidence: Commitment,
    },
    /// `consent.deferred`: the person said "not now", or nothing.
    ConsentDeferred {
        /// The consent record.
        record: Reference,
        /// To what.
        purpose: Purpose,
        /// To the evidence of the answer.
        evidence: Commitment,
    },
    /// `withdraw.requested`: the person took consent back; gates are closing.
    WithdrawRequested {
        /// The withdrawal.
        withdrawal: Reference,
        /// Of what.
        scope: Scope,
    },
    /// `withdraw.effective`: every gate is closed; OK may be said.
    WithdrawEffective {
        /// The withdrawal.
        withdrawal: Reference,
        /// Of what.
        scope: Scope,
    },
    /// `permit.granted`: a gate may pass data of a cell.
    PermitGranted {
        /// The permit.
        permit: Reference,
        /// What may pass.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
    },
    /// `gate.denied`: data was refused; one leaf stands for `count` refusals alike.
    GateDenied {
        /// The gate.
        gate: Name,
        /// What was refused.
        cell: Cell,
        /// To whom it would have gone.
        processor: ProcessorId,
        /// Why.
        reason: Name,
        /// How often since the last such leaf.
        count: u64,
        /// The consent version that the data was labelled with: what was labelled before a yes stays refused. [`None`] is of an
        /// earlier program, which did not say.
        labelled: Option<ConsentVersion>,
    },
    /// `egress.segment_opened`: data is about to be handed over; durable before the first byte.
    SegmentOpened {
        /// The segment.
        segment: Reference,
        /// What data.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
        /// Of which turn.
        turn: TurnId,
    },
    /// `egress.segment_closed`: what was handed over.
    SegmentClosed {
        /// The segment.
        segment: Reference,
        /// What data.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
        /// Of which turn.
        turn: TurnId,
        /// Bytes handed over, as far as somebody [`counted()`] them.
        bytes: u64,
        /// Frames or texts handed over.
        pieces: u64,
        /// SHA-256 over the bytes handed over, in order.
        content: Hash,
        /// Why it ended, such as `turn_ended` or `withdrawn`.
        reason: Name,
    },
    /// `audit.selfcheck_passed`: the log was read back and its tree is what it should be.
    SelfcheckPassed {
        /// Leaves that were checked.
        size: u64,
        /// The root over them.
        root: Hash,
    },
    /// `audit.selfcheck_failed`: it is not.
    SelfcheckFailed {
        /// Leaves that should have been there.
        size: u64,
        /// The root that they should have.
        root: Hash,
        /// What was found instead, such as `truncated` or `root_differs`.
        reason: Name,
    },
    /// `log.key_rotated`: from here on the log's checkpoints are signed with another key.
    LogKeyRotated {
        /// SHA-256 of the public key, as its text `name+hash+key`.
        key: Hash,
    },
    /// `clock.anomaly`: the node's clock was set back. Leaves keep their order; what they say of the time is doubtful until
    /// the clock has caught up.
    ClockAnomaly {
        /// How far it is behind the leaf before, in milliseconds.
        behind_ms: u64,
    },
    /// `operator.access`: somebody of the operator's looked at or changed a person's data.
    OperatorAccess {
        /// The ticket or case that it was done for.
        ticket: Reference,
        /// What was done, such as `consent.get`.
        reason: Name,
        /// How many records it touched.
        rows: u64,
    },
    /// `dsr.received` and what follows it: what became of a person's request.
    Request {
        /// The request.
        request: Reference,
        /// What happened.
        step: RequestStep,
        /// What is asked for, such as `copy`; of proving who one is, how; of a refusal, a delay or a part that was left, why.
        detail: Name,
        /// To what shows who the person is, where something does that is kept.
        evidence: Option<Commitment>,
    },
    /// `export.created`: everything held of a person was put together for them.
    ExportCreated {
        /// The request that it answers.
        request: Reference,
        /// How many records it holds.
        rows: u64,
    },
    /// `export.downloaded`: what was put together is handed out to whoever asked.
    ExportDownloaded {
        /// The request that it answers.
        request: Reference,
        /// SHA-256 of it: of a bundle of files, of the manifest, which has that of each.
        content: Hash,
        /// How many bytes it has.
        bytes: u64,
    },
    /// `erase.committed`: what is to be erased is read and written no more, and its keys are about to be destroyed.
    EraseCommitted {
        /// The erasure.
        erasure: Reference,
        /// What is erased; [`None`] is everything that is sealed.
        category: Option<Category>,
        /// Why: `withdrawn`, `refused` or `requested`.
        ground: Name,
    },
    /// `key.destroyed`: a key is gone; nothing that was sealed under it opens any more.
    KeyDestroyed {
        /// The erasure.
        erasure: Reference,
        /// What was sealed under it.
        category: Category,
        /// Which of the keys of that category it was, counted from 1.
        generation: u32,
        /// To the key, as the certificate names it.
        key: Hash,
    },
    /// `erase.node_acked`: a node holds nothing of it any more. Where a store is on several, each of them has said so before the
    /// erasure is certified.
    EraseAcknowledged {
        /// The erasure.
        erasure: Reference,
        /// `purged`: also not in its files. `in_logs`: its store keeps what was deleted in logs for a while.
        how: Name,
        /// Which node; [`None`] is the one that writes this, by its epoch.
        replica: Option<Replica>,
    },
    /// `processor.deletion_unconfirmed`: a receiver may still have what was erased here.
    DeletionUnconfirmed {
        /// The erasure.
        erasure: Reference,
        /// Who.
        processor: ProcessorId,
        /// Why nothing is known, such as `cannot_be_told`.
        reason: Name,
    },
    /// `erase.certified`: an erasure is done as far as it can be, and what remains is said.
    EraseCertified {
        /// The erasure.
        erasure: Reference,
        /// SHA-256 of the certificate.
        certificate: Hash,
    },
    /// `processor.activated` and what else becomes of a processor: from here on decisions are made by that.
    ProcessorChanged {
        /// The switch.
        switch: Reference,
        /// Who.
        processor: ProcessorId,
        /// What has become of it.
        change: ProcessorChange,
        /// Why.
        reason: Name,
    },
    /// `category.switched_off` or `category.switched_on`: nothing of a category goes anywhere, or it may again.
    CategorySwitched {
        /// The switch.
        switch: Reference,
        /// What.
        category: Category,
        /// Which of the two.
        is_off: bool,
        /// Why.
        reason: Name,
    },
    /// `tenant.switched_off` or `tenant.switched_on`: nothing of a tenant's people goes anywhere, or it may again.
    TenantSwitched {
        /// The switch.
        switch: Reference,
        /// SHA-256 of the tenant's id.
        tenant: Hash,
        /// Which of the two.
        is_off: bool,
        /// Why.
        reason: Name,
    },
    /// `incident.opened` and what follows it: what became of an incident.
    Incident {
        /// The incident.
        incident: Reference,
        /// What happened.
        step: IncidentStep,
        /// Who reported it, how it was contained, who was not told in time, how it ended.
        detail: Name,
        /// SHA-256 of what was written down with the step: the report, the assessment, the notice.
        document: Option<Hash>,
        /// How many people it concerns, as far as that is known then.
        people: u64,
        /// When it was found, which starts the clocks; with what opens it.
        detected: Option<WallTime>,
    },
    /// `exemption.granted`: people approved that something is done without consent. One leaf for each cell that is opened.
    ExemptionGranted {
        /// The grant: its ground, such as `x04`, then `-` and digits.
        grant: Name,
        /// What it opens.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
        /// The first moment at which it no longer counts.
        until: WallTime,
        /// SHA-256 of what it was approved on.
        evidence: Hash,
        /// Who approved it.
        approvers: Vec<ActorTag>,
    },
    /// `exemption.used`: for the first time something of a person is handed over on a grant.
    ExemptionUsed {
        /// The grant.
        grant: Name,
    },
    /// `exemption.expired`: the time of a grant is over.
    ExemptionExpired {
        /// The grant.
        grant: Name,
    },
    /// `exemption.revoked`: a grant was taken back before its time.
    ExemptionRevoked {
        /// The grant.
        grant: Name,
    },
    /// `gate.permitted_by_exemption`: a segment rests on a grant; its own leaves follow.
    PermittedByExemption {
        /// The segment.
        segment: Reference,
        /// The gate.
        gate: Name,
        /// What data.
        cell: Cell,
        /// To whom.
        processor: ProcessorId,
        /// The grant.
        grant: Name,
    },
    /// `retention.due`: the time of something that is stored was over.
    RetentionDue {
        /// The ending, which what is done about it names, too.
        ending: Reference,
        /// What it is.
        category: Category,
        /// When its time was over.
        at: WallTime,
    },
    /// `retention.executed`: what was due has ended.
    RetentionExecuted {
        /// The ending.
        ending: Reference,
        /// What it was.
        category: Category,
        /// `erased`, `anonymised`, or `rewritten` where something else remains in the same record.
        how: Name,
        /// How many records ended.
        rows: u64,
    },
    /// `retention.held`: a legal hold keeps something that was due, or was to be erased; or a law does for a time.
    RetentionHeld {
        /// The hold; of a law, the first 16 bytes of the SHA-256 of its name in the policy.
        hold: Reference,
        /// What it keeps.
        category: Category,
        /// What it keeps it from: `due`, or the ground of an erasure.
        from: Name,
    },
    /// `legal_hold.set`: from here on nothing in its scope ends or is erased.
    HoldSet {
        /// The hold.
        hold: Reference,
        /// What it keeps; [`None`] is everything.
        category: Option<Category>,
        /// SHA-256 of the words that name the law which demands it.
        law: Hash,
    },
    /// `legal_hold.released`: it keeps nothing any more, and what was due meanwhile ends.
    HoldReleased {
        /// The hold.
        hold: Reference,
        /// `released`, or `expired` when its time was over.
        why: Name,
    },
    /// `store.restricted`: what is stored of the person is kept and used for nothing, or again for what they agreed to.
    StoreRestricted {
        /// The request.
        request: Reference,
        /// What is stored.
        category: Category,
        /// `restricted`, or `lifted` when the person ended it.
        how: Name,
    },
    /// `rectify.applied`: what the person says was put in the place of what was stored.
    RectifyApplied {
        /// The request.
        request: Reference,
        /// What is stored.
        category: Category,
        /// How many entries were replaced or added.
        rows: u64,
    },
    /// `account.cancelled`: consent is withdrawn, what was sealed is erased, and no device speaks for the person any more.
    AccountCancelled {
        /// The request.
        request: Reference,
    },
    /// `notice.sent` and what follows it: what became of a notice to a person.
    Notice {
        /// The notice.
        notice: Reference,
        /// What happened.
        step: NoticeStep,
        /// The way it took: `device`, `tenant` or `page`.
        channel: Name,
        /// SHA-256 of its texts in all languages.
        text: Hash,
    },
    /// `policy.published`: people are told of a revision that will come into force.
    PolicyPublished {
        /// The profile's hash.
        profile: Hash,
        /// The notice by which they are told. [`None`] is of an earlier program, which did not say.
        notice: Option<Reference>,
    },
    /// `controller.changed`: with the revision that came into force, somebody else answers for the data.
    ControllerChanged {
        /// The profile's hash.
        profile: Hash,
    },
    /// `service.shutdown_started`: the service has ended; nothing is collected any more, and everybody's data is erased.
    ShutdownStarted {
        /// The shutdown.
        shutdown: Reference,
    },
    /// `service.shutdown_completed`: the last certificate of it is issued.
    ShutdownCompleted {
        /// The shutdown.
        shutdown: Reference,
        /// For how many people.
        people: u64,
    },
    /// `consent.expired`: its time was over.
    ConsentExpired {
        /// The consent record.
        record: Reference,
        /// To what.
        purpose: Purpose,
    },
    /// `policy.superseded`: a profile was in force until then.
    PolicySuperseded {
        /// The profile's hash.
        profile: Hash,
    },
    /// `withdraw.pending_timeout`: a holder has not let go in time, and whoever withdrew was not told OK.
    WithdrawPending {
        /// The withdrawal.
        withdrawal: Reference,
    },
    /// What happens where a person is a child.
    Minor(MinorEvent),
    /// `store.anonymised` and `store.erased`: what became of data that was to lead to nobody.
    Anonymised(Anonymised),
    /// What happened at a desk where people decide.
    Desk(DeskEvent),
    /// What is stored of people, and from what it was made.
    Lineage(LineageEvent),
    /// What happened to data that has left.
    Flow(FlowEvent),
    /// What those do who answer for the data.
    Control(ControlEvent),
    /// What became of a node.
    Node(NodeEvent),
}
