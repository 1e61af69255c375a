//! The public list of processors.

use std::collections::BTreeSet;

use sayso_types::RegionClass;

use crate::markdown::{Table, plain};
use crate::profile::{Date, Document, Processor, ProcessorState};
use crate::registry::Narrowed;
use crate::words::{deadline, named, party, title, words};
use crate::{Gate, Registry, Tongue};

/// Who receives data by `document` and what `registry` has taken away since, in Markdown: everybody that is in use, or was
/// and may be again.
#[must_use]
pub fn processor_page(document: &Document, registry: &Registry, tongue: Tongue) -> String {
    let header = &document.profile;
    let name = plain(&title(&header.title, header.id.as_str(), tongue));
    let mut text = match tongue {
        Tongue::English => {
            format!("# Who receives data\n\n{name}, revision {}, in force from {}.\n", header.rev, header.effective_at)
        }
        Tongue::Chinese => {
            format!("# 数据接收方\n\n{name}，第 {} 版，自 {} 起生效。\n", header.rev, header.effective_at)
        }
    };
    for processor in document.processor.values() {
        if matches!(state(processor, registry), ProcessorState::Active | ProcessorState::Suspended) {
            text.push_str(&entry(document, registry, processor, tongue));
        }
    }
    text
}

/// Whether `processor` may receive data, by the profile and the registry.
fn state(processor: &Processor, registry: &Registry) -> ProcessorState {
    match (processor.state, registry.narrowed(processor.id)) {
        (ProcessorState::Active | ProcessorState::Suspended, Some(Narrowed::Terminated)) => ProcessorState::Terminated,
        (ProcessorState::Active, Some(_)) => ProcessorState::Suspended,
        (state, _) => state,
    }
}

/// What it is to whoever answers for the data.
fn part(processor: &Processor, tongue: Tongue) -> Option<String> {
    let role = words(&processor.role?, tongue);
    Some(processor.partner_type.map_or_else(|| role.to_owned(), |sort| format!("{role} ({})", words(&sort, tongue))))
}

fn entry(document: &Document, registry: &Registry, processor: &Processor, tongue: Tongue) -> String {
    let mut table = Table::new([tongue.pick("What", "项目"), tongue.pick("Promise", "内容")]);
    for (english, chinese, value) in rows(document, registry, processor, tongue) {
        if let Some(value) = value {
            table.row([tongue.pick(english, chinese).to_owned(), value]);
        }
    }
    format!("\n## {} ({})\n\n{}\n", plain(&party(&processor.party, tongue)), processor.id, table.text())
}

/// What is done with the data on its way to `processor` and for its purposes, beside the service that it is (PIPL 23, 39).
fn method(document: &Document, processor: &Processor, tongue: Tongue) -> String {
    let purposes = processor.purposes.iter().filter_map(|id| document.purpose.get(id));
    let done = purposes.flat_map(|purpose| purpose.processing.iter().copied());
    let done: BTreeSet<_> = done.chain([Gate::of(processor.kind).processing()]).collect();
    let done: Vec<_> = done.iter().map(|processing| words(processing, tongue)).collect();
    done.join(tongue.pick(", ", "、"))
}

/// How rights are used against a receiver abroad (PIPL 39): by asking it, or whoever answers for the data.
fn rights_abroad(document: &Document, processor: &Processor, tongue: Tongue) -> Option<String> {
    if processor.region_class != RegionClass::Overseas {
        return None;
    }
    let ours: Vec<_> = document.controller.contact.ways().collect();
    let ours = ours.join(tongue.pick("; ", "；"));
    Some(match (&processor.contact, tongue) {
        (Some(theirs), Tongue::English) => format!("ask it ({theirs}), or us ({ours}), and we pass it on"),
        (Some(theirs), Tongue::Chinese) => format!("可直接联系接收方（{theirs}），或联系我们（{ours}）转达"),
        (None, Tongue::English) => format!("ask us ({ours}), and we pass it on"),
        (None, Tongue::Chinese) => format!("请联系我们（{ours}）转达"),
    })
}

type Row = (&'static str, &'static str, Option<String>);

fn rows(document: &Document, registry: &Registry, processor: &Processor, tongue: Tongue) -> Vec<Row> {
    let and = tongue.pick(", ", "、");
    let categories: Vec<_> = processor
        .accepts
        .iter()
        .filter(|id| !registry.is_category_off(**id))
        .filter_map(|id| Some(title(&document.category.get(id)?.title, id.as_str(), tongue)))
        .collect();
    let purposes: Vec<_> = processor
        .purposes
        .iter()
        .filter_map(|id| Some(title(&document.purpose.get(id)?.title, id.as_str(), tongue)))
        .collect();
    let yes_no = |yes: bool| tongue.pick(if yes { "yes" } else { "no" }, if yes { "是" } else { "否" }).to_owned();
    let retention = if processor.zero_retention {
        Some(tongue.pick("nothing, by agreement", "约定不留存").to_owned())
    } else {
        processor.declared_retention.as_ref().map(|kept| deadline(kept, tongue))
    };
    let is_elsewhere = !processor.is_own() || processor.region_class == RegionClass::Overseas;
    let subs: Vec<_> = processor.sub_processors.iter().cloned().collect();
    vec![
        ("Service", "服务", Some(words(&processor.kind, tongue).to_owned())),
        ("Part in it", "角色", part(processor, tongue)),
        ("State", "状态", Some(words(&state(processor, registry), tongue).to_owned())),
        ("Where", "地点", Some(named(&processor.region, &processor.region_class, tongue))),
        ("Transfer by", "出境依据", processor.mechanism.as_ref().map(|means| words(means, tongue).to_owned())),
        ("How it is processed", "处理方式", is_elsewhere.then(|| method(document, processor, tongue))),
        ("Receives", "接收内容", Some(categories.join(and))),
        ("For", "目的", Some(purposes.join(and))),
        ("Keeps it for", "保存期限", retention),
        ("Trains models on it", "是否用于训练", processor.trains_on_data.map(yes_no)),
        ("Can be told to delete", "可要求删除", Some(yes_no(processor.deletion_api))),
        ("Passes it on to", "再委托", (!subs.is_empty()).then(|| subs.join(and))),
        ("Decides by itself", "自行决定处理", processor.independent_controller.then(|| yes_no(true))),
        ("Contract", "合同", processor.contract.clone()),
        ("Follows the instructions", "遵循的指示", processor.instructions_ref.clone()),
        ("Contact", "联系方式", processor.contact.clone()),
        ("Your rights there", "如何向其行使权利", rights_abroad(document, processor, tongue)),
        ("Its policy", "其隐私政策", processor.privacy_url.clone()),
        ("Examined until", "尽职调查有效至", processor.examined_until().map(|at| Date::Moment(at).to_string())),
    ]
}
