//! Who may get what for what: the receivers of two revisions compared.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, ProcessorId, Purpose, RegionClass};

use super::part::Part;
use super::terms::terms;
use super::{Change, ChangeKind, rests_on_consent};
use crate::profile::{Document, Processor, ProcessorState};

/// One receiver of one category for one purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow<'a> {
    pub(super) cell: Cell,
    to: &'a Processor,
}

type Flows<'a> = BTreeMap<(Purpose, Category, ProcessorId), Flow<'a>>;

/// Everything that may flow, once people have agreed, to receivers in one of these states.
pub(super) fn flows<'a>(document: &'a Document, states: &[ProcessorState]) -> Flows<'a> {
    let mut flows = Flows::new();
    for to in document.processor.values().filter(|to| states.contains(&to.state)) {
        for category in &to.accepts {
            let used = |p: &&Purpose| document.category.get(category).is_some_and(|c| c.purposes.contains(p));
            for purpose in to.purposes.iter().filter(used) {
                let cell = Cell { purpose: *purpose, category: *category, kind: to.kind, region: to.region_class };
                flows.insert((*purpose, *category, to.id), Flow { cell, to });
            }
        }
    }
    flows
}

/// The cells of `document` that `is_meant` and that consent is what opens.
pub(super) fn cells(document: &Document, is_meant: impl Fn(&Cell) -> bool) -> BTreeSet<Cell> {
    let flows = flows(document, &[ProcessorState::Active]).into_values().map(|flow| flow.cell);
    flows.filter(|cell| rests_on_consent(document, cell) && is_meant(cell)).collect()
}

pub(super) fn changes(old: &Document, new: &Document) -> Vec<Change> {
    // whoever is suspended gets nothing, so that getting it again is new to those who agreed meanwhile
    let [before, after] = [old, new].map(|document| flows(document, &[ProcessorState::Active]));
    let mut changes = Vec::new();
    for is in new.processor.values() {
        let own = || after.iter().filter(|((.., id), _)| *id == is.id);
        let found = changes.len();
        // what a purpose or a category is newly used for is told as theirs
        for (_, flow) in own().filter(|(key, flow)| !before.contains_key(*key) && is_known(old, flow.cell)) {
            changes.extend(arrival((old, new), &before, flow));
        }
        let Some(was) = old.processor.get(&is.id) else {
            if changes.len() == found {
                changes.extend(same(is, "it gets nothing that did not go so far before"));
            }
            continue;
        };
        let goes_on: BTreeSet<Cell> = own().filter(|(key, _)| before.contains_key(*key)).map(|(_, f)| f.cell).collect();
        if !goes_on.is_empty() {
            let agreed = goes_on.into_iter().filter(|cell| rests_on_consent(new, cell)).collect();
            changes.extend(terms(old, (was, is), None, agreed));
        }
        if was != is && changes.len() == found {
            changes.extend(same(is, "it gets no more than before"));
        }
    }
    let gone = old.processor.values().filter(|was| !new.processor.contains_key(&was.id));
    changes.extend(gone.flat_map(|was| same(was, "it gets nothing any more")));
    changes
}

fn is_known(old: &Document, cell: Cell) -> bool {
    old.purpose.contains_key(&cell.purpose)
        && old.category.get(&cell.category).is_some_and(|rule| rule.purposes.contains(&cell.purpose))
}

fn same(receiver: &Processor, what: &str) -> Vec<Change> {
    let mut part = Part::new(format!("processor.{}", receiver.id), BTreeSet::new());
    part.say(ChangeKind::Less, "", what.to_owned());
    part.found()
}

/// A receiver that did not get this category for this purpose before. It is none that matters if the same party got it in
/// the same cell on terms that were no narrower.
fn arrival((old, new): (&Document, &Document), before: &Flows<'_>, flow: &Flow<'_>) -> Vec<Change> {
    let Flow { cell, to } = flow;
    let earlier = || before.values().filter(|f| (f.cell.purpose, f.cell.category) == (cell.purpose, cell.category));
    let agreed = BTreeSet::from_iter(rests_on_consent(new, cell).then_some(*cell));
    let farthest = earlier().map(|f| f.cell.region).max();
    let (kind, what) = if farthest.is_none_or(|farthest| farthest < cell.region) {
        (
            ChangeKind::Region,
            format!("{} may now go as far as {} ({})", cell.category, distance(cell.region), to.region),
        )
    } else if !earlier().any(|f| f.cell.kind == cell.kind) {
        (ChangeKind::Method, format!("{} now goes to a receiver of another kind, {}", cell.category, to.id))
    } else if !earlier().any(|f| f.cell == *cell) {
        let what = format!(
            "{} now goes to {}, {}, where none of its kind got it",
            cell.category,
            to.id,
            distance(cell.region)
        );
        (ChangeKind::Region, what)
    } else {
        let same = earlier().filter(|f| f.cell == *cell && f.to.party == to.party);
        let found = same.map(|f| material(terms(old, (f.to, to), Some(cell.category), agreed.clone())));
        match found.min_by_key(Vec::len) {
            Some(changes) => return changes,
            None => (ChangeKind::Recipient, format!("{} may now go to {}", cell.category, to.party)),
        }
    };
    let mut part = Part::new(format!("processor.{}", to.id), agreed);
    part.say(kind, "", what);
    part.found()
}

fn material(changes: Vec<Change>) -> Vec<Change> {
    changes.into_iter().filter(|change| change.kind.is_material()).collect()
}

const fn distance(region: RegionClass) -> &'static str {
    match region {
        RegionClass::Local => "the operator's own machines",
        RegionClass::Domestic => "others in the same jurisdiction",
        RegionClass::Overseas => "overseas",
    }
}
