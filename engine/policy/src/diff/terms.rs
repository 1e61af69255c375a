//! On what terms a receiver gets data, of two revisions compared.

use std::collections::BTreeSet;

use sayso_types::{Category, Cell, RegionClass};

use super::part::{Part, is_later, more, shown, when};
use super::{Change, ChangeKind};
use crate::Period;
use crate::decide::has_means;
use crate::profile::{Document, Processor, Volume};

/// The terms of a receiver against those of one that had it before; of one category only, or of all. `agreed` is what
/// people agreed to that goes to it.
pub(super) fn terms(
    old: &Document,
    (was, is): (&Processor, &Processor),
    only: Option<Category>,
    agreed: BTreeSet<Cell>,
) -> Vec<Change> {
    // who may be told of them and by what name it goes is wording; what it accepts, for what, and whether it is active, is
    // told as what flows, the fields by `masks`, and how much it is by `volumes`
    let Processor {
        id: _,
        kind,
        party,
        role,
        partner_type,
        contact: _,
        privacy_url: _,
        region,
        region_class,
        mechanism,
        accepts: _,
        fields: _,
        volume: _,
        purposes: _,
        state: _,
        contract,
        instructions_ref,
        trains_on_data,
        declared_retention,
        zero_retention,
        sub_processors,
        independent_controller,
        deletion_api,
        due_diligence,
        src: _,
    } = is;
    let overseas = *region_class == RegionClass::Overseas;
    let mut part = Part::new(format!("processor.{}", is.id), agreed.clone());
    let another = || Some("does something else with it".to_owned());
    part.compare(ChangeKind::Method, "kind", (&was.kind, kind), another());
    part.compare(
        ChangeKind::Recipient,
        "party",
        (&was.party, party),
        Some(format!("{party} instead of {}", was.party)),
    );
    // whoever is hired and becomes a partner, or the other way about, has another use for it
    let another = || Some("has another part in it".to_owned());
    part.compare(ChangeKind::Recipient, "role", (&was.role, role), another());
    part.compare(ChangeKind::Recipient, "partner_type", (&was.partner_type, partner_type), another());
    // nearer, it gets what it was too far away for
    let moved = if was.region_class < *region_class { "further away" } else { "nearer, also to whom it was too far" };
    part.compare(
        ChangeKind::Region,
        "region_class",
        (&was.region_class, region_class),
        Some(format!("{moved}: {region}")),
    );
    // on the operator's own machines it is a word, unless storage is bound to it
    let is_place = *region_class != RegionClass::Local || !old.transfers.storage.is_empty();
    let elsewhere = is_place.then(|| format!("{region} instead of {}", was.region));
    part.compare(ChangeKind::Region, "region", (&was.region, region), elsewhere);
    let means = when(overseas && has_means(is), "by another legal means");
    part.compare(ChangeKind::Region, "mechanism", (&was.mechanism, mechanism), means);
    part.compare(
        ChangeKind::Protection,
        "contract",
        (&was.contract, contract),
        when(contract.is_none(), "no agreement binds it any more"),
    );
    part.compare(
        ChangeKind::Protection,
        "instructions_ref",
        (&was.instructions_ref, instructions_ref),
        when(instructions_ref.is_none(), "no instructions bind it any more"),
    );
    // what trains asks for a clearer consent, and may be prohibited: without it, it gets what was closed to it
    let training = match trains_on_data {
        Some(false) => when(was.trains_on_data == Some(true), "no longer counts as training on it"),
        None => Some("no longer says that it does not train models on it, or that it does".to_owned()),
        Some(true) => Some("may now train models on it".to_owned()),
    };
    part.compare(ChangeKind::Method, "trains_on_data", (&was.trains_on_data, trains_on_data), training);
    let decides = if *independent_controller { "now decides itself" } else { "no longer counts as deciding itself" };
    part.compare(
        ChangeKind::Method,
        "independent_controller",
        (&was.independent_controller, independent_controller),
        Some(format!("{decides} what it does with it")),
    );
    let subs = more(&was.sub_processors, sub_processors).map(|subs| format!("may now pass it on to {subs}"));
    part.compare(ChangeKind::Recipient, "sub_processors", (&was.sub_processors, sub_processors), subs);
    let longer = is_later(was.declared_retention.as_ref(), declared_retention.as_ref()).then(|| {
        format!("{} instead of {}", shown(declared_retention.as_ref()), shown(was.declared_retention.as_ref()))
    });
    let kept = (&was.declared_retention, declared_retention);
    part.compare(ChangeKind::Retention, "declared_retention", kept, longer);
    let keeps = when(!zero_retention, "may keep what it gets");
    part.compare(ChangeKind::Retention, "zero_retention", (&was.zero_retention, zero_retention), keeps);
    let deaf = when(!deletion_api, "can no longer be told to delete");
    part.compare(ChangeKind::Protection, "deletion_api", (&was.deletion_api, deletion_api), deaf);
    let looked_at = match (&was.due_diligence, due_diligence) {
        (None, _) => {
            when(old.registry.due_diligence_required, "somebody has looked at it, so that it gets what was closed")
        }
        (Some(_), None) => Some("nobody has to have looked at it any more".to_owned()),
        // to look at it anew, for no longer than before, is what was promised
        (Some(was), Some(is)) => when(
            is.valid != was.valid && Period::from(is.valid).may_exceed(was.valid.into()),
            "somebody looks at it less often",
        ),
    };
    part.compare(ChangeKind::Protection, "due_diligence", (&was.due_diligence, due_diligence), looked_at);
    masks(&mut part, (was, is), only, &agreed);
    volumes(&mut part, (was, is), only, &agreed);
    part.found()
}

/// How much of what it accepts it gets at most.
fn volumes(part: &mut Part, (was, is): (&Processor, &Processor), only: Option<Category>, agreed: &BTreeSet<Cell>) {
    let limited: BTreeSet<&Category> = was.volume.keys().chain(is.volume.keys()).collect();
    for category in limited.into_iter().filter(|id| only.is_none_or(|only| only == **id)) {
        let key = format!("volume.{category}");
        let (before, now) = (was.volume.get(category), is.volume.get(category));
        let limits = |volume: Option<&Volume>| volume.map_or([None, None], |volume| [volume.per_call, volume.per_day]);
        let is_more = limits(before)
            .into_iter()
            .zip(limits(now))
            .any(|(before, now)| before.is_some_and(|before| now.is_none_or(|now| now > before)));
        if is_more && is.accepts.contains(category) {
            let touched = agreed.iter().filter(|cell| cell.category == *category).copied().collect();
            part.say_of(ChangeKind::Data, &key, "may get more of it".to_owned(), touched);
        } else {
            part.compare(ChangeKind::Data, &key, (&before, &now), None);
        }
    }
}

/// Which fields of what it accepts it gets.
fn masks(part: &mut Part, (was, is): (&Processor, &Processor), only: Option<Category>, agreed: &BTreeSet<Cell>) {
    let masked: BTreeSet<&Category> = was.fields.keys().chain(is.fields.keys()).collect();
    for category in masked.into_iter().filter(|id| only.is_none_or(|only| only == **id)) {
        let key = format!("fields.{category}");
        let (before, now) = (was.fields.get(category), is.fields.get(category));
        let wider = match (before, now) {
            (Some(_), None) => Some(format!("gets all of {category}")),
            (Some(before), Some(now)) => more(before, now).map(|fields| format!("also gets {fields}")),
            (None, _) => None,
        };
        match wider.filter(|_| is.accepts.contains(category)) {
            Some(what) => {
                let touched = agreed.iter().filter(|cell| cell.category == *category).copied().collect();
                part.say_of(ChangeKind::Data, &key, what, touched);
            }
            None => part.compare(ChangeKind::Data, &key, (&before, &now), None),
        }
    }
}
