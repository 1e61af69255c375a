//! Whoever agreed to one receiver has not agreed to what goes by its name in a later revision.

use super::every_key::people;
use super::*;

const RICH: &str = include_str!("rich.toml");
/// Of a receiver of replies, in the rich profile.
const ABROAD: &str = "party = \"Far Ltd.\", contact = \"privacy@far.example\", privacy_url = \"https://far.example/privacy\", region = \"US\"";

/// Whether replies still go to it when its entry says `to` instead of `from` from a second revision on, to somebody who
/// agreed to the first.
fn goes_on(from: &str, to: &str) -> bool {
    let entry = RICH.lines().find(|line| line.contains(ABROAD)).unwrap();
    assert!(entry.contains(from), "{from}");
    let old = Profile::in_force_before(RICH).unwrap();
    let text = RICH.replacen(entry, &entry.replacen(from, to, 1), 1).replacen("rev = 1", "rev = 2", 1);
    let new = Arc::new(Profile::in_force_before(&text).unwrap());
    let label = Label {
        subject: SubjectId([1; 16]),
        category: Category::REPLY_TEXT,
        purpose: Purpose::VOICE_INTERACTION,
        turn: TurnId(1),
        cv: ConsentVersion(1),
    };
    let question = Question { label, gate: Gate::Speech, processor: "abroad".parse().unwrap(), now: NOW };
    let agreed = &people(&old.introductions().map(|one| one.hash()).collect())[0];
    let one = one(old);
    assert!(one.decide(&question, agreed).is_permit(), "before");
    let (two, _) = one.publish(new, NOW).unwrap();
    let decision = two.decide(&question, agreed);
    assert_eq!(two.explain(&question, agreed).decision, decision, "{to}");
    decision.is_permit()
}

#[test]
fn a_receiver_that_has_become_another_gets_nothing_on_an_older_yes() {
    for (from, to) in [
        ("party = \"Far Ltd.\"", "party = \"Farther Ltd.\""),
        ("region = \"US\"", "region = \"SG\""),
        ("trains_on_data = false", "trains_on_data = true"),
        ("trains_on_data = false", "sub_processors = [\"Rack Ltd.\"], trains_on_data = false"),
        ("trains_on_data = false, ", ""),
        ("declared_retention = \"P1D\"", "declared_retention = \"P30D\""),
        ("declared_retention = \"P1D\", ", ""),
    ] {
        assert!(!goes_on(from, to), "{from}: {to}");
    }
}

#[test]
fn a_receiver_of_which_less_is_said_goes_on() {
    for (from, to) in [
        ("declared_retention = \"P1D\"", "declared_retention = \"PT1H\""),
        ("contact = \"privacy@far.example\"", "contact = \"hello@far.example\""),
        ("trains_on_data = false", "zero_retention = true, trains_on_data = false"),
    ] {
        assert!(goes_on(from, to), "{from}: {to}");
    }
}
