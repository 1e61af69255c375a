//! Processors by chance, and what there is to tell of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::option::weighted as maybe;
use proptest::prelude::*;
use proptest::sample::select;
use sayso_policy::IntroductionHash;
use sayso_policy::profile::{DueDiligence, Mechanism, Processor, ProcessorState};
use sayso_types::{ProcessorId, ProcessorKind};

use crate::generators::{HOME, NAMED, at, category_named, one, processor_named, purpose_named, regions, seldom, some};

fn kinds() -> impl Strategy<Value = ProcessorKind> {
    use ProcessorKind::*;
    prop_oneof![
        1 => Just(Llm), 2 => Just(Database),
        2 => select(vec![Vad, Asr, Llm, Tts, Vision, Voiceprint, Embedding, Moderation, Sms, Email, Call, Push, Tool, MqttBroker]),
    ]
}

/// What there is to tell of a processor of each name, whatever it is.
pub(crate) static INTRODUCTIONS: LazyLock<BTreeMap<ProcessorId, Vec<IntroductionHash>>> = LazyLock::new(|| {
    let local = &HOME.processor[&"store-local".parse::<ProcessorId>().unwrap()];
    let of = |id: ProcessorId| {
        let places = [true, false].into_iter().flat_map(|own| [true, false].map(|here| (own, here)));
        let all = places.flat_map(|(own, here)| ProcessorKind::ALL.map(|kind| (own, here, kind)));
        let one = |(own, here, kind)| Processor { id, kind, independent_controller: true, ..stands(own, here, local) };
        all.map(|which| one(which).introduction().unwrap().hash()).collect()
    };
    (0..NAMED - 1).map(processor_named).map(|id| (id, of(id))).collect()
});

/// `like`, run by the operator or not, and here or there.
fn stands(own: bool, here: bool, like: &Processor) -> Processor {
    Processor {
        party: if own { Processor::OPERATOR } else { "Near Ltd" }.to_owned(),
        region: if here { "here" } else { "there" }.to_owned(),
        ..like.clone()
    }
}

prop_compose! {
    pub(crate) fn processors()(
        kind in kinds(),
        own: bool,
        (region_class, stands_here) in (regions(), prop::bool::weighted(0.7)),
        mechanism in maybe(0.8, select(vec![
            Mechanism::StandardContract, Mechanism::Exempt("few people".to_owned()), Mechanism::None,
        ])),
        (accepts, purposes) in (some(category_named), some(purpose_named)),
        state in prop_oneof![
            8 => Just(ProcessorState::Active),
            1 => select(vec![ProcessorState::Draft, ProcessorState::Suspended, ProcessorState::Terminated]),
        ],
        examined in maybe(0.4, 30..300_u64),
        (independent_controller, trains_on_data) in (prop::bool::weighted(0.2), maybe(0.8, seldom())),
        masked in maybe(0.3, one(category_named)),
    ) -> Processor {
        let examined = examined.map(|days| DueDiligence {
            at: at(0),
            by: "somebody".to_owned(),
            valid: format!("P{days}D").parse().unwrap(),
        });
        Processor {
            kind,
            region_class,
            mechanism,
            accepts,
            purposes,
            state,
            due_diligence: examined,
            independent_controller,
            trains_on_data,
            fields: masked.into_iter().map(|id| (id, BTreeSet::from(["a".to_owned()]))).collect(),
            ..stands(own, stands_here, &HOME.processor[&"store-local".parse::<ProcessorId>().unwrap()])
        }
    }
}
