//! Who may get what for what: the receivers of two revisions compared.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, ProcessorId, Purpose, RegionClass};
use serde::Serialize;

use super::{Change, ChangeKind, is_later, rests_on_consent, shown};
use crate::profile::{Document, Processor, ProcessorState};
use crate::words::spelled;

/// One receiver of one category for one purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow<'a> {
    pub(super) cell: Cell,
    to: &'a Processor,
}

type Flows<'a> = BTreeMap<(Purpose, Category, ProcessorId), Flow<'a>>;

/// Everything that may flow once people have agreed.
pub(super) fn flows(document: &Document) -> Flows<'_> {
    let mut flows = Flows::new();
    for to in
        document.processor.values().filter(|p| matches!(p.state, ProcessorState::Active | ProcessorState::Suspended))
    {
        for category in &to.accepts {
            for purpose in
                to.purposes.iter().filter(|p| document.category.get(category).is_some_and(|c| c.purposes.contains(p)))
            {
                let cell = Cell { purpose: *purpose, category: *category, kind: to.kind, region: to.region_class };
                flows.insert((*purpose, *category, to.id), Flow { cell, to });
            }
        }
    }
    flows
}

pub(super) fn changes(old: &Document, new: &Document) -> Vec<Change> {
    let (before, after) = (flows(old), flows(new));
    let mut changes = added_purposes(old, new, &after);
    for (key, flow) in &after {
        if !old.purpose.contains_key(&key.0) || !rests_on_consent(new, &flow.cell) {
            continue;
        }
        match before.get(key) {
            Some(earlier) => changes.extend(terms(earlier.to, flow, key.1)),
            None => changes.extend(arrival(old, &before, flow)),
        }
    }
    changes
}

/// Purposes that were not there: they open nothing for anybody who was not asked.
fn added_purposes(old: &Document, new: &Document, after: &Flows<'_>) -> Vec<Change> {
    let added = new.purpose.values().filter(|rule| !old.purpose.contains_key(&rule.id));
    added
        .map(|rule| Change {
            kind: ChangeKind::PurposeAdded,
            key: format!("purpose.{}", rule.id),
            what: "a new purpose; nothing is used for it before people agree".to_owned(),
            cells: after.values().map(|flow| flow.cell).filter(|cell| cell.purpose == rule.id).collect(),
        })
        .collect()
}

/// A receiver that did not get this category for this purpose before.
fn arrival(old: &Document, before: &Flows<'_>, flow: &Flow<'_>) -> Option<Change> {
    let Flow { cell, to } = flow;
    let used = old.category.get(&cell.category).is_some_and(|rule| rule.purposes.contains(&cell.purpose));
    let earlier = || before.values().filter(|f| (f.cell.purpose, f.cell.category) == (cell.purpose, cell.category));
    let farthest = earlier().map(|f| f.cell.region).max();
    let (kind, what) = if !used {
        (ChangeKind::Data, format!("{} is now used for {}", cell.category, cell.purpose))
    } else if farthest.is_none_or(|farthest| farthest < cell.region) {
        (
            ChangeKind::Region,
            format!("{} may now go as far as {} ({})", cell.category, distance(cell.region), to.region),
        )
    } else if !earlier().any(|f| f.cell.kind == cell.kind) {
        (ChangeKind::Method, format!("{} now goes to a receiver of another kind, {}", cell.category, to.id))
    } else if !earlier().any(|f| f.to.party == to.party) {
        (ChangeKind::Recipient, format!("{} may now go to {}", cell.category, to.party))
    } else {
        return None;
    };
    Some(Change { kind, key: format!("processor.{}", to.id), what, cells: BTreeSet::from([*cell]) })
}

/// The terms of a receiver that had it before.
fn terms(earlier: &Processor, flow: &Flow<'_>, category: Category) -> Vec<Change> {
    let Flow { cell, to } = flow;
    let mut changes = Vec::new();
    let mut changed = |kind, key: &str, what: String| {
        changes.push(Change { kind, key: format!("processor.{}.{key}", to.id), what, cells: BTreeSet::from([*cell]) });
    };
    if earlier.party != to.party {
        changed(ChangeKind::Recipient, "party", format!("{} instead of {}", to.party, earlier.party));
    }
    if earlier.region_class < to.region_class {
        changed(ChangeKind::Region, "region_class", format!("further away: {}", to.region));
    } else if earlier.region != to.region && to.region_class == RegionClass::Overseas {
        changed(ChangeKind::Region, "region", format!("{} instead of {}", to.region, earlier.region));
    }
    if earlier.kind != to.kind {
        changed(ChangeKind::Method, "kind", "does something else with it".to_owned());
    }
    if to.trains_on_data != Some(false) && earlier.trains_on_data == Some(false) {
        changed(ChangeKind::Method, "trains_on_data", "may now train models on it".to_owned());
    }
    if to.independent_controller && !earlier.independent_controller {
        changed(ChangeKind::Method, "independent_controller", "now decides itself what it does with it".to_owned());
    }
    if let Some(subs) = more(&earlier.sub_processors, &to.sub_processors) {
        changed(ChangeKind::Recipient, "sub_processors", format!("may now pass it on to {subs}"));
    }
    let (was, is) = (earlier.declared_retention.as_ref(), to.declared_retention.as_ref());
    if is_later(was, is) || earlier.zero_retention && !to.zero_retention {
        changed(ChangeKind::Retention, "declared_retention", format!("{} instead of {}", shown(is), shown(was)));
    }
    if earlier.deletion_api && !to.deletion_api {
        changed(ChangeKind::Protection, "deletion_api", "can no longer be told to delete".to_owned());
    }
    match (earlier.fields.get(&category), to.fields.get(&category)) {
        (Some(_), None) => changed(ChangeKind::Data, "fields", format!("gets all of {category}")),
        (Some(was), Some(is)) => {
            if let Some(fields) = more(was, is) {
                changed(ChangeKind::Data, "fields", format!("also gets {fields}"));
            }
        }
        (None, _) => {}
    }
    changes
}

/// What is in `is` and not in `was`.
pub(super) fn more<T: Ord + ToString>(was: &BTreeSet<T>, is: &BTreeSet<T>) -> Option<String> {
    let added: Vec<String> = is.difference(was).map(ToString::to_string).collect();
    if added.is_empty() { None } else { Some(added.join(", ")) }
}

const fn distance(region: RegionClass) -> &'static str {
    match region {
        RegionClass::Local => "the operator's own machines",
        RegionClass::Domestic => "others in the same jurisdiction",
        RegionClass::Overseas => "overseas",
    }
}

/// The words of the format that stand for the members of a set, to compare and to show.
pub(super) fn names<T: Serialize>(set: &BTreeSet<T>) -> BTreeSet<String> {
    set.iter().map(spelled).collect()
}
