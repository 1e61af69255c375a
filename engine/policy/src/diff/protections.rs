//! What protects everybody: children's rules, prohibitions, exemptions, and what is promised of all receivers.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Cell, RegionClass};

use super::part::{Part, is_later, more, names, when};
use super::{Change, ChangeKind};
use crate::Deadline;
use crate::profile::{
    Document, Exemption, MinorRule, Minors, Prohibition, RegistryRules, RetentionDefaults, Routing, Security, Transfers,
};

pub(super) fn changes(old: &Document, new: &Document, agreed: &BTreeSet<Cell>) -> Vec<Change> {
    let mut part = Part::new(String::new(), agreed.clone());
    minors(&mut part, &old.minors, &new.minors);
    prohibitions(&mut part, &old.prohibition, &new.prohibition);
    exemptions(&mut part, old, new);
    registry(&mut part, &old.registry, &new.registry);
    places(&mut part, old, new);
    let RetentionDefaults { default, test_platform_max, backup_purge, src: _ } = &new.retention;
    let was = &old.retention;
    // the rule of categories that have none of their own is told as theirs
    let has_none = |text: &Document, id: &Category| text.category.get(id).is_some_and(|rule| rule.retention.is_none());
    if !new.category.keys().any(|id| has_none(old, id) && has_none(new, id)) {
        part.compare(ChangeKind::Retention, "retention.default", (&was.default, default), None);
    }
    let longer = when(
        is_later(was.test_platform_max.as_ref(), test_platform_max.as_ref()),
        "what is there for trial stays longer",
    );
    part.compare(
        ChangeKind::Retention,
        "retention.test_platform_max",
        (&was.test_platform_max, test_platform_max),
        longer,
    );
    let longer = when(is_later(was.backup_purge.as_ref(), backup_purge.as_ref()), "stays in backups for longer");
    part.compare(ChangeKind::Protection, "retention.backup_purge", (&was.backup_purge, backup_purge), longer);
    let Security { measures, audit_retention } = &new.security;
    let dropped =
        more(&keys(measures), &keys(&old.security.measures)).map(|gone| format!("{gone} is no longer promised"));
    if keys(measures) != keys(&old.security.measures) {
        part.compare(ChangeKind::Protection, "security.measures", (&old.security.measures, measures), dropped);
    }
    // what is in it proves what was done with people's data, and is kept of people as well
    let other = Some("the log is kept for another time".to_owned());
    part.compare(
        ChangeKind::Retention,
        "security.audit_retention",
        (&old.security.audit_retention, audit_retention),
        other,
    );
    part.found()
}

fn minors(part: &mut Part, was: &Minors, is: &Minors) {
    let Minors { guardian_required_below, special_regime_below, verify_methods, overrides, erase_on_discovery, src: _ } =
        is;
    let younger = (*guardian_required_below < was.guardian_required_below)
        .then(|| format!("a guardian is needed below {guardian_required_below} only"));
    let ages = (&was.guardian_required_below, guardian_required_below);
    part.compare(ChangeKind::Protection, "minors.guardian_required_below", ages, younger);
    let younger = (*special_regime_below < was.special_regime_below)
        .then(|| format!("children's rules hold below {special_regime_below} only"));
    let ages = (&was.special_regime_below, special_regime_below);
    part.compare(ChangeKind::Protection, "minors.special_regime_below", ages, younger);
    let added =
        more(&was.verify_methods, verify_methods).map(|added| format!("a guardian may also be verified by {added}"));
    part.compare(ChangeKind::Protection, "minors.verify_methods", (&was.verify_methods, verify_methods), added);
    let later = is_later(was.erase_on_discovery.as_ref(), erase_on_discovery.as_ref());
    let later = when(later, "goes later once it is found");
    let found = (&was.erase_on_discovery, erase_on_discovery);
    part.compare(ChangeKind::Protection, "minors.erase_on_discovery", found, later);
    let categories: BTreeSet<_> = was.overrides.keys().chain(overrides.keys()).collect();
    for category in categories {
        let [before, now] = [&was.overrides, overrides].map(|rules| rules.get(category).copied().unwrap_or_default());
        let less = when(weaker(&before, &now), "protects minors less");
        let rules = (&was.overrides.get(category), &overrides.get(category));
        part.compare(ChangeKind::Protection, &format!("minors.overrides.{category}"), rules, less);
    }
}

fn weaker(was: &MinorRule, is: &MinorRule) -> bool {
    let MinorRule { forbidden, no_store, after } = *is;
    let longer = was.after.is_some_and(|was| after.is_none_or(|is| was != is && is.may_exceed(was)));
    let kept = !forbidden && !no_store;
    was.forbidden && !forbidden || (was.forbidden || was.no_store) && kept || longer && kept
}

fn prohibitions(part: &mut Part, was: &BTreeSet<Prohibition>, is: &BTreeSet<Prohibition>) {
    let says = |rules: &BTreeSet<Prohibition>| -> BTreeSet<Prohibition> {
        rules.iter().map(|rule| Prohibition { src: BTreeSet::new(), ..rule.clone() }).collect()
    };
    let (was, is) = (says(was), says(is));
    let open = when(!was.is_subset(&is), "something that was forbidden no longer is");
    part.compare(ChangeKind::Protection, "prohibition", (&was, &is), open);
}

fn exemptions(part: &mut Part, was: &Document, is: &Document) {
    for (code, rule) in &is.exemption {
        let key = format!("exemption.{code}");
        let Some(earlier) = was.exemption.get(code) else {
            part.say(ChangeKind::Protection, &key, "now goes without consent".to_owned());
            continue;
        };
        let Exemption { code: _, scope, basis_code: _, approvers, max, categories, de_identified_counts, src: _ } =
            rule;
        let anything = !earlier.categories.is_empty() && categories.is_empty();
        let wider = anything
            || more(&names(&earlier.scope), &names(scope)).is_some()
            || more(&earlier.categories, categories).is_some() && !earlier.categories.is_empty()
            || *approvers < earlier.approvers
            || *max != earlier.max && max.may_exceed(earlier.max)
            || *de_identified_counts && !earlier.de_identified_counts;
        let says = |rule: &Exemption| Exemption { src: BTreeSet::new(), basis_code: None, ..rule.clone() };
        let rules = (&says(earlier), &says(rule));
        part.compare(ChangeKind::Protection, &key, rules, when(wider, "reaches further"));
    }
    for gone in was.exemption.keys().filter(|code| !is.exemption.contains_key(code)) {
        part.say(ChangeKind::Less, &format!("exemption.{gone}"), "no longer goes without consent".to_owned());
    }
}

fn registry(part: &mut Part, was: &RegistryRules, is: &RegistryRules) {
    let RegistryRules {
        uses,
        announces,
        published,
        due_diligence_required,
        due_diligence_valid,
        named_recipients,
        src: _,
    } = is;
    let added =
        more(&names(&was.uses), &names(uses)).map(|added| format!("data also goes to a receiver of kind {added}"));
    part.compare(ChangeKind::Recipient, "registry.uses", (&was.uses, uses), added);
    let lost =
        more(&names(announces), &names(&was.announces)).map(|lost| format!("no longer names receivers of kind {lost}"));
    part.compare(ChangeKind::Right, "registry.announces", (&was.announces, announces), lost);
    let hidden = when(!published, "the list of receivers is no longer public");
    part.compare(ChangeKind::Right, "registry.published", (&was.published, published), hidden);
    let unseen = when(!due_diligence_required, "nobody has to look at receivers any more");
    let required = (&was.due_diligence_required, due_diligence_required);
    part.compare(ChangeKind::Protection, "registry.due_diligence_required", required, unseen);
    let [before, now] = [was.due_diligence_valid, *due_diligence_valid].map(|valid| valid.map(Deadline::from));
    let rarely = when(is_later(before.as_ref(), now.as_ref()), "receivers are looked at less often");
    part.compare(ChangeKind::Protection, "registry.due_diligence_valid", (&before, &now), rarely);
    let unnamed = when(!named_recipients, "receivers need not be named any more");
    part.compare(
        ChangeKind::Protection,
        "registry.named_recipients",
        (&was.named_recipients, named_recipients),
        unnamed,
    );
}

fn places(part: &mut Part, old: &Document, new: &Document) {
    let (was, Transfers { storage, overseas, sensitive_subjects_max, src: _ }) = (&old.transfers, &new.transfers);
    let leaves = when(*overseas, "data may now leave the jurisdiction");
    part.compare(ChangeKind::Region, "transfers.overseas", (&was.overseas, overseas), leaves);
    // no list is anywhere
    let elsewhere = match (was.storage.is_empty(), storage.is_empty()) {
        (true, _) => None,
        (false, true) => Some("may now be stored anywhere".to_owned()),
        (false, false) => more(&was.storage, storage).map(|added| format!("is now also stored in {added}")),
    };
    part.compare(ChangeKind::Region, "transfers.storage", (&was.storage, storage), elsewhere);
    let most = |max: Option<u32>| max.unwrap_or(u32::MAX);
    let wider = when(
        most(*sensitive_subjects_max) > most(was.sensitive_subjects_max),
        "sensitive data of more people may go overseas",
    );
    let people = (&was.sensitive_subjects_max, sensitive_subjects_max);
    part.compare(ChangeKind::Protection, "transfers.sensitive_subjects_max", people, wider);
    let Routing { prefer, src: _ } = &new.routing;
    let further =
        when(goes_further_first(&old.routing, &new.routing), "what is further away is tried before what is nearer");
    part.compare(ChangeKind::Region, "routing.prefer", (&old.routing.prefer, prefer), further);
}

/// Whether, of any two regions, the further one is now tried first and was not.
fn goes_further_first(was: &Routing, is: &Routing) -> bool {
    const ALL: [RegionClass; 3] = [RegionClass::Local, RegionClass::Domestic, RegionClass::Overseas];
    let is_first = |order: &Routing, near, far| order.place(near) < order.place(far);
    ALL.into_iter().any(|near| {
        let mut further = ALL.into_iter().filter(|far| *far > near);
        further.any(|far| is_first(was, near, far) && !is_first(is, near, far))
    })
}

fn keys<K: ToString, V>(map: &BTreeMap<K, V>) -> BTreeSet<String> {
    map.keys().map(ToString::to_string).collect()
}
