//! Leaves of every sort, drawn at random.

use proptest::prelude::*;
use sayso_types::{
    Category, Cell, ConsentVersion, Name, Part, ProcessorId, ProcessorKind, Purpose, RegionClass, TurnId,
};

use super::*;
use crate::event::{
    Anonymised, AnonymisedStep, ComplaintStep, ConsentEnding, ControlEvent, DeskEvent, FlowEvent, IncidentStep,
    Instructed, KeyStep, LineageEvent, MinorEvent, NodeEvent, NoticeStep, ProcessorChange, RequestStep,
};
use crate::{Commitment, Hash, Reference, Replica, Scope};

fn names() -> impl Strategy<Value = Name> {
    "[a-z0-9_.-]{1,31}".prop_map(|text| text.parse().unwrap())
}

fn purposes() -> impl Strategy<Value = Purpose> {
    names().prop_map(Purpose)
}

fn hashes() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn references() -> impl Strategy<Value = Reference> {
    any::<[u8; 16]>().prop_map(Reference)
}

fn kinds() -> impl Strategy<Value = ProcessorKind> {
    prop::sample::select(ProcessorKind::ALL.to_vec())
}

fn regions() -> impl Strategy<Value = RegionClass> {
    prop::sample::select(RegionClass::ALL.to_vec())
}

fn cells() -> impl Strategy<Value = Cell> {
    (purposes(), names().prop_map(Category), kinds(), regions()).prop_map(|(purpose, category, kind, region)| Cell {
        purpose,
        category,
        kind,
        region,
    })
}

fn processors() -> impl Strategy<Value = ProcessorId> {
    names().prop_map(ProcessorId)
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Everything), purposes().prop_map(Scope::Purpose), parts().prop_map(Scope::Part)]
}

fn parts() -> impl Strategy<Value = Part> {
    let what = (prop::option::of(purposes()), prop::option::of(names().prop_map(Category)));
    let to = (prop::option::of(processors()), prop::option::of(kinds()), prop::option::of(regions()));
    let parts = (what, to).prop_map(|((purpose, category), (processor, kind, region))| Part {
        purpose,
        category,
        processor,
        kind,
        region,
    });
    parts.prop_filter("less than a purpose", Part::is_partial)
}

fn anonymised() -> impl Strategy<Value = Anonymised> {
    let steps = prop::sample::select(AnonymisedStep::ALL.to_vec());
    let whole = (references(), names().prop_map(Category), steps, any::<u64>(), prop::option::of(hashes()));
    whole.prop_map(|(ending, category, step, people, report)| Anonymised { ending, category, step, people, report })
}

fn events() -> impl Strategy<Value = Event> {
    let turns = || any::<u32>().prop_map(TurnId);
    prop_oneof![
        hashes().prop_map(|profile| Event::PolicyEffective { profile }),
        (hashes(), prop::option::of(processors()))
            .prop_map(|(text, processor)| Event::NoticeServed { text, processor }),
        (references(), purposes()).prop_map(|(record, purpose)| Event::ConsentRequested { record, purpose }),
        (references(), purposes(), hashes(), evidence(), any::<bool>()).prop_map(
            |(record, purpose, notice, evidence, is_renewal)| {
                Event::ConsentGiven { record, purpose, notice, evidence, is_renewal }
            }
        ),
        (references(), purposes()).prop_map(|(record, purpose)| Event::ConsentExpired { record, purpose }),
        hashes().prop_map(|profile| Event::PolicySuperseded { profile }),
        references().prop_map(|withdrawal| Event::WithdrawPending { withdrawal }),
        (references(), purposes(), evidence())
            .prop_map(|(record, purpose, evidence)| { Event::ConsentRefused { record, purpose, evidence } }),
        (references(), purposes(), evidence())
            .prop_map(|(record, purpose, evidence)| { Event::ConsentDeferred { record, purpose, evidence } }),
        (references(), scopes()).prop_map(|(withdrawal, scope)| Event::WithdrawRequested { withdrawal, scope }),
        (references(), scopes()).prop_map(|(withdrawal, scope)| Event::WithdrawEffective { withdrawal, scope }),
        (references(), cells(), processors())
            .prop_map(|(permit, cell, processor)| { Event::PermitGranted { permit, cell, processor } }),
        (names(), cells(), processors(), names(), any::<(u64, Option<u64>)>()).prop_map(
            |(gate, cell, processor, reason, (count, labelled))| {
                let labelled = labelled.map(ConsentVersion);
                Event::GateDenied { gate, cell, processor, reason, count, labelled }
            }
        ),
        (references(), cells(), processors(), turns())
            .prop_map(|(segment, cell, processor, turn)| Event::SegmentOpened { segment, cell, processor, turn }),
        ((references(), cells(), processors(), turns()), any::<(u64, u64)>(), hashes(), names()).prop_map(
            |((segment, cell, processor, turn), (bytes, pieces), content, reason)| {
                Event::SegmentClosed { segment, cell, processor, turn, bytes, pieces, content, reason }
            }
        ),
        (any::<u64>(), hashes()).prop_map(|(size, root)| Event::SelfcheckPassed { size, root }),
        (any::<u64>(), hashes(), names()).prop_map(|(size, root, reason)| Event::SelfcheckFailed {
            size,
            root,
            reason
        }),
        hashes().prop_map(|key| Event::LogKeyRotated { key }),
        any::<u64>().prop_map(|behind_ms| Event::ClockAnomaly { behind_ms }),
        (references(), names(), any::<u64>())
            .prop_map(|(ticket, reason, rows)| { Event::OperatorAccess { ticket, reason, rows } }),
        (references(), prop::sample::select(&RequestStep::ALL[..]), names(), prop::option::of(evidence()))
            .prop_map(|(request, step, detail, evidence)| Event::Request { request, step, detail, evidence }),
        (references(), any::<u64>()).prop_map(|(request, rows)| Event::ExportCreated { request, rows }),
        (references(), hashes(), any::<u64>()).prop_map(|(request, content, bytes)| Event::ExportDownloaded {
            request,
            content,
            bytes
        }),
        erasures(),
        switches(),
        incidents(),
        flows(),
        exemptions(),
        endings(),
        rights(),
        (references(), prop::sample::select(&NoticeStep::ALL[..]), names(), hashes())
            .prop_map(|(notice, step, channel, text)| Event::Notice { notice, step, channel, text }),
        (hashes(), prop::option::of(references()))
            .prop_map(|(profile, notice)| Event::PolicyPublished { profile, notice }),
        hashes().prop_map(|profile| Event::ControllerChanged { profile }),
        references().prop_map(|shutdown| Event::ShutdownStarted { shutdown }),
        (references(), any::<u64>()).prop_map(|(shutdown, people)| Event::ShutdownCompleted { shutdown, people }),
        minors().prop_map(Event::Minor),
        anonymised().prop_map(Event::Anonymised),
        control_events().prop_map(Event::Control),
        node_events().prop_map(Event::Node),
    ]
}

fn evidence() -> impl Strategy<Value = Commitment> {
    any::<[u8; 32]>().prop_map(Commitment)
}

fn minors() -> impl Strategy<Value = MinorEvent> {
    prop_oneof![
        (references(), names()).prop_map(|(guardian, method)| MinorEvent::GuardianRequested { guardian, method }),
        (references(), names(), evidence()).prop_map(|(guardian, method, evidence)| MinorEvent::GuardianVerified {
            guardian,
            method,
            evidence
        }),
        (references(), names()).prop_map(|(guardian, method)| MinorEvent::GuardianFailed { guardian, method }),
        (references(), evidence()).prop_map(|(detected, evidence)| MinorEvent::Detected { detected, evidence }),
        (references(), evidence()).prop_map(|(detected, evidence)| MinorEvent::Cleared { detected, evidence }),
        references().prop_map(|detected| MinorEvent::DataErased { detected }),
    ]
}

fn endings() -> impl Strategy<Value = Event> {
    let categories = || names().prop_map(Category);
    prop_oneof![
        (references(), categories(), any::<u64>()).prop_map(|(ending, category, at)| Event::RetentionDue {
            ending,
            category,
            at: WallTime(at)
        }),
        (references(), categories(), names(), any::<u64>())
            .prop_map(|(ending, category, how, rows)| Event::RetentionExecuted { ending, category, how, rows }),
        (references(), categories(), names()).prop_map(|(hold, category, from)| Event::RetentionHeld {
            hold,
            category,
            from
        }),
        (references(), prop::option::of(categories()), hashes()).prop_map(|(hold, category, law)| Event::HoldSet {
            hold,
            category,
            law
        }),
        (references(), names()).prop_map(|(hold, why)| Event::HoldReleased { hold, why }),
    ]
}

fn exemptions() -> impl Strategy<Value = Event> {
    let approvers = prop::collection::vec(any::<[u8; 16]>().prop_map(ActorTag), 0..4);
    prop_oneof![
        ((names(), cells(), processors()), any::<u64>().prop_map(WallTime), hashes(), approvers).prop_map(
            |((grant, cell, processor), until, evidence, approvers)| {
                Event::ExemptionGranted { grant, cell, processor, until, evidence, approvers }
            }
        ),
        names().prop_map(|grant| Event::ExemptionUsed { grant }),
        names().prop_map(|grant| Event::ExemptionExpired { grant }),
        names().prop_map(|grant| Event::ExemptionRevoked { grant }),
        (references(), names(), cells(), processors(), names()).prop_map(|(segment, gate, cell, processor, grant)| {
            Event::PermittedByExemption { segment, gate, cell, processor, grant }
        }),
    ]
}

fn switches() -> impl Strategy<Value = Event> {
    let changes = prop::sample::select(&ProcessorChange::ALL[..]);
    prop_oneof![
        (references(), processors(), changes, names()).prop_map(|(switch, processor, change, reason)| {
            Event::ProcessorChanged { switch, processor, change, reason }
        }),
        (references(), names(), any::<bool>(), names()).prop_map(|(switch, category, is_off, reason)| {
            Event::CategorySwitched { switch, category: Category(category), is_off, reason }
        }),
        (references(), hashes(), any::<bool>(), names())
            .prop_map(|(switch, tenant, is_off, reason)| { Event::TenantSwitched { switch, tenant, is_off, reason } }),
    ]
}

fn flows() -> impl Strategy<Value = Event> {
    let counts = any::<(u64, u64)>();
    let flows = prop_oneof![
        (references(), cells(), processors(), names(), counts).prop_map(
            |(segment, cell, processor, how, (persons, sensitive))| {
                FlowEvent::CrossBorder { segment, cell, processor, how, persons, sensitive }
            }
        ),
        (references(), cells(), processors()).prop_map(|(permit, cell, processor)| FlowEvent::RevokeAcknowledged {
            permit,
            cell,
            processor
        }),
        (references(), cells(), processors()).prop_map(|(permit, cell, processor)| FlowEvent::PermitExpired {
            permit,
            cell,
            processor
        }),
        (references(), processors())
            .prop_map(|(erasure, processor)| FlowEvent::DeletionRequested { erasure, processor }),
        (references(), processors(), hashes())
            .prop_map(|(erasure, processor, answer)| { FlowEvent::DeletionConfirmed { erasure, processor, answer } }),
        (references(), processors(), hashes())
            .prop_map(|(request, processor, answer)| { FlowEvent::RectifyPropagated { request, processor, answer } }),
    ];
    flows.prop_map(Event::Flow)
}

fn incidents() -> impl Strategy<Value = Event> {
    let steps = prop::sample::select(&IncidentStep::ALL[..]);
    let documents = prop::option::of(hashes());
    let detected = prop::option::of((1..=u64::MAX).prop_map(WallTime));
    (references(), steps, names(), documents, (any::<u64>(), detected)).prop_map(
        |(incident, step, detail, document, (people, detected))| Event::Incident {
            incident,
            step,
            detail,
            document,
            people,
            detected,
        },
    )
}

fn erasures() -> impl Strategy<Value = Event> {
    let categories = || names().prop_map(Category);
    prop_oneof![
        (references(), prop::option::of(categories()), names())
            .prop_map(|(erasure, category, ground)| Event::EraseCommitted { erasure, category, ground }),
        (references(), categories(), any::<u32>(), hashes()).prop_map(|(erasure, category, generation, key)| {
            Event::KeyDestroyed { erasure, category, generation, key }
        }),
        (references(), names(), prop::option::of((1..u64::MAX, 1..u64::MAX))).prop_map(|(erasure, how, replica)| {
            Event::EraseAcknowledged { erasure, how, replica: replica.map(|(node, of)| Replica { node, of }) }
        }),
        (references(), processors(), names()).prop_map(|(erasure, processor, reason)| Event::DeletionUnconfirmed {
            erasure,
            processor,
            reason
        }),
        (references(), hashes()).prop_map(|(erasure, certificate)| Event::EraseCertified { erasure, certificate }),
    ]
}

fn rights() -> impl Strategy<Value = Event> {
    let categories = || names().prop_map(Category);
    prop_oneof![
        (references(), categories(), names()).prop_map(|(request, category, how)| Event::StoreRestricted {
            request,
            category,
            how
        }),
        (references(), categories(), any::<u64>()).prop_map(|(request, category, rows)| Event::RectifyApplied {
            request,
            category,
            rows
        }),
        references().prop_map(|request| Event::AccountCancelled { request }),
        desk_events().prop_map(Event::Desk),
        lineage_events().prop_map(Event::Lineage),
    ]
}

fn lineage_events() -> impl Strategy<Value = LineageEvent> {
    prop_oneof![
        (references(), names(), cells(), processors(), any::<u64>()).prop_map(
            |(item, gate, cell, processor, bytes)| LineageEvent::Written { item, gate, cell, processor, bytes }
        ),
        (references(), hashes()).prop_map(|(item, from)| LineageEvent::Derived { item, from }),
    ]
}

fn desk_events() -> impl Strategy<Value = DeskEvent> {
    let tags = prop::collection::vec(any::<[u8; 16]>().prop_map(ActorTag), 0..4);
    let walls = any::<u64>().prop_map(WallTime);
    let steps = prop::sample::select(ComplaintStep::ALL.to_vec());
    prop_oneof![
        (names(), names().prop_map(Category), walls.clone(), hashes(), hashes(), tags.clone()).prop_map(
            |(grant, category, until, evidence, recipient, approvers)| DeskEvent::DisclosureGranted {
                grant,
                category,
                until,
                evidence,
                recipient,
                approvers,
            }
        ),
        (names(), names().prop_map(Category), walls, hashes(), hashes(), any::<[u8; 16]>().prop_map(ActorTag), tags)
            .prop_map(|(grant, category, until, evidence, ticket, reader, approvers)| DeskEvent::ReadingGranted {
                grant,
                category,
                until,
                evidence,
                ticket,
                reader,
                approvers,
            }),
        (references(), names(), names().prop_map(Category), any::<u64>(), prop::option::of(hashes())).prop_map(
            |(access, what, category, rows, ticket)| DeskEvent::ContentRead { access, what, category, rows, ticket }
        ),
        (references(), names(), names().prop_map(Category), names()).prop_map(|(disclosure, gate, category, grant)| {
            DeskEvent::DisclosurePermitted { disclosure, gate, category, grant }
        }),
        (references(), any::<u64>(), any::<u64>(), hashes())
            .prop_map(|(disclosure, rows, bytes, file)| DeskEvent::DisclosureCreated { disclosure, rows, bytes, file }),
        (references(), names(), names()).prop_map(|(ticket, gate, reason)| DeskEvent::OperatorDenied {
            ticket,
            gate,
            reason
        }),
        (references(), hashes(), names(), names()).prop_map(|(erasure, certificate, residual, reason)| {
            DeskEvent::ResidualApproved { erasure, certificate, residual, reason }
        }),
        (references(), steps, names(), hashes(), prop::option::of(hashes())).prop_map(
            |(complaint, step, detail, document, evidence)| DeskEvent::Complaint {
                complaint,
                step,
                detail,
                document,
                evidence,
            }
        ),
    ]
}

fn node_events() -> impl Strategy<Value = NodeEvent> {
    let steps = prop::sample::select(KeyStep::ALL.to_vec());
    prop_oneof![
        (names(), hashes()).prop_map(|(setting, config)| NodeEvent::ConfigChanged { setting, config }),
        (steps, names(), any::<u32>(), hashes()).prop_map(|(step, which, generation, kek)| NodeEvent::Key {
            step,
            which,
            generation,
            kek
        }),
    ]
}

fn control_events() -> impl Strategy<Value = ControlEvent> {
    let ends = prop::sample::select(ConsentEnding::ALL.to_vec());
    let named = prop_oneof![
        purposes().prop_map(Instructed::Purpose),
        names().prop_map(|category| Instructed::Category(Category(category))),
    ];
    let terms = prop::option::of((1..u64::MAX).prop_map(WallTime));
    prop_oneof![
        (references(), scopes(), ends, names()).prop_map(|(withdrawal, scope, ending, reason)| {
            ControlEvent::ConsentEnded { withdrawal, scope, ending, reason }
        }),
        (references(), hashes(), hashes(), terms).prop_map(|(instructions, tenant, document, until)| {
            ControlEvent::TenantInstructed { instructions, tenant, document, until }
        }),
        (references(), hashes(), named).prop_map(|(instructions, tenant, what)| ControlEvent::TenantInstructs {
            instructions,
            tenant,
            what
        }),
        hashes().prop_map(|tenant| ControlEvent::TenantServes { tenant }),
        (references(), hashes(), hashes()).prop_map(|(instructions, tenant, document)| {
            ControlEvent::TenantAttested { instructions, tenant, document }
        }),
        (references(), hashes(), any::<u64>()).prop_map(|(demand, tenant, due)| ControlEvent::TenantDemanded {
            demand,
            tenant,
            due: WallTime(due)
        }),
        (references(), hashes(), hashes()).prop_map(|(demand, tenant, document)| ControlEvent::TenantShown {
            demand,
            tenant,
            document
        }),
        (processors(), hashes()).prop_map(|(processor, entry)| ControlEvent::ProcessorRegistered { processor, entry }),
        (references(), parts()).prop_map(|(record, part)| ControlEvent::PartGiven { record, part }),
        (references(), hashes(), names()).prop_map(|(instructions, tenant, reason)| ControlEvent::TenantErasing {
            instructions,
            tenant,
            reason
        }),
        (references(), hashes(), any::<u64>()).prop_map(|(instructions, tenant, people)| ControlEvent::TenantErased {
            instructions,
            tenant,
            people
        }),
    ]
}

fn actors() -> impl Strategy<Value = Actor> {
    use ActorKind::*;
    let kinds = prop::sample::select(vec![Subject, Guardian, Device, Operator, Tenant, System]);
    let tags = prop::option::of(any::<[u8; 16]>().prop_map(ActorTag));
    (kinds, tags).prop_map(|(kind, tag)| Actor { kind, tag })
}

prop_compose! {
    pub(super) fn leaves()(
        (shard, sequence, clock, wall) in any::<(u32, u64, u64, u64)>(),
        subject in prop::option::of(any::<[u8; 16]>().prop_map(SubjectTag)),
        actor in actors(),
        (cv, profile_rev, registry_rev, epoch) in any::<(u64, u32, u32, u64)>(),
        event in events(),
    ) -> Leaf {
        Fact { subject, actor, cv: ConsentVersion(cv), profile_rev, registry_rev, epoch, event }
            .at(Place { shard, sequence, clock: HybridClock(clock), wall: WallTime(wall) })
    }
}
