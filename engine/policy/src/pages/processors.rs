//! The public list of processors.

use crate::markdown::{Table, plain};
use crate::profile::{Date, Document, Processor, ProcessorState};
use crate::registry::Narrowed;
use crate::words::{deadline, named, party, title, words};
use crate::{Registry, Tongue};

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
    let subs: Vec<_> = processor.sub_processors.iter().cloned().collect();
    vec![
        ("Service", "服务", Some(words(&processor.kind, tongue).to_owned())),
        ("Part in it", "角色", part(processor, tongue)),
        ("State", "状态", Some(words(&state(processor, registry), tongue).to_owned())),
        ("Where", "地点", Some(named(&processor.region, &processor.region_class, tongue))),
        ("Transfer by", "出境依据", processor.mechanism.as_ref().map(|means| words(means, tongue).to_owned())),
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
        ("Its policy", "其隐私政策", processor.privacy_url.clone()),
        ("Examined until", "尽职调查有效至", processor.examined_until().map(|at| Date::Moment(at).to_string())),
    ]
}
