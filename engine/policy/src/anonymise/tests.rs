use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// 2026-11-01.
const NOVEMBER: u64 = 1_793_491_200_000;

fn counted(people: &[Class]) -> BTreeMap<Class, u64> {
    let mut counted = BTreeMap::new();
    for class in people {
        *counted.entry(class.clone()).or_default() += 1;
    }
    counted
}

/// Whether people of `one` and `other` are alike in all but how much there was of them.
fn is_alike(one: &Class, other: &Class) -> bool {
    Class { entries: other.entries, ..one.clone() } == *other
}

/// How many people are alike with those of `class` in all but that.
fn alike(counts: &BTreeMap<Class, u64>, class: &Class) -> u64 {
    counts.iter().filter(|(other, _)| is_alike(other, class)).map(|(_, people)| people).sum()
}

/// Somebody, as all that is kept of them.
fn somebody() -> impl Strategy<Value = Class> {
    let tenants = select(vec!["acme", "bolt", "cobb"]);
    (tenants, 1_usize..12, 0..2_u64).prop_map(|(tenant, entries, month)| {
        let at = WallTime(NOVEMBER + month * 31 * DAY);
        class(tenant.parse().unwrap(), Category::MEMORY_SUMMARY, Purpose::MEMORY, entries, at)
    })
}

#[test]
fn months_are_those_of_the_calendar() {
    for (at, month) in
        [(0, "1970-01"), (NOVEMBER - 1, "2026-10"), (NOVEMBER, "2026-11"), (NOVEMBER + 30 * DAY, "2026-12")]
    {
        assert_eq!(Month::of(WallTime(at)).to_string(), month);
        assert_eq!(month.parse(), Ok(Month::of(WallTime(at))));
    }
    for wrong in ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "x026-11"] {
        assert!(wrong.parse::<Month>().is_err(), "{wrong}");
    }
    assert!(Month::of(WallTime(NOVEMBER - 1)) < Month::of(WallTime(NOVEMBER)));
    let _ = Month::of(WallTime(u64::MAX));
}

#[test]
fn what_is_registered_is_found_by_its_name_and_version_alone() {
    assert_eq!(Transformation::named("monthly_counts@1"), Some(&MONTHLY_COUNTS));
    for wrong in ["monthly_counts", "monthly_counts@2", "Monthly_counts@1", "k_anonymity@1", ""] {
        assert_eq!(Transformation::named(wrong), None, "{wrong}");
    }
    assert_eq!((MONTHLY_COUNTS.k(None), MONTHLY_COUNTS.k(Some(2)), MONTHLY_COUNTS.k(Some(50))), (10, 10, 50));
}

#[test]
fn what_was_tampered_with_where_it_is_stored_is_not_released() {
    let people =
        vec![class("acme".parse().unwrap(), Category::MEMORY_SUMMARY, Purpose::MEMORY, 1, WallTime(NOVEMBER)); 12];
    let released = MONTHLY_COUNTS.release(10, &counted(&people)).unwrap();
    let json = serde_json::to_string(&released).unwrap();
    assert_eq!(serde_json::from_str::<AnonymisedData>(&json).unwrap(), released);
    for (is, other) in
        [("\"people\":12", "\"people\":3"), ("\"k\":10", "\"k\":1"), ("@1", "@7"), ("\"classes\":1", "\"classes\":2")]
    {
        assert!(json.contains(is), "{json}");
        assert!(serde_json::from_str::<AnonymisedData>(&json.replace(is, other)).is_err(), "{is}");
    }
}

proptest! {
    /// Uniqueness: whatever people there are, everybody in what is released is one of at least k who are alike.
    #[test]
    fn nobody_is_alone(people in prop::collection::vec(somebody(), 0..200), k in 0_u64..30) {
        let counts = counted(&people);
        let least = k.max(10);
        match MONTHLY_COUNTS.release(k, &counts) {
            Some(released) => {
                prop_assert!(released.classes().iter().all(|counted| counted.people >= least));
                prop_assert!(released.classes().iter().all(|counted| counts[&counted.class] == counted.people));
                let report = released.report();
                prop_assert_eq!(report.unique, 0);
                prop_assert_eq!(report.k, least);
                prop_assert!(report.smallest >= least);
                prop_assert_eq!(report.people, released.classes().iter().map(|counted| counted.people).sum::<u64>());
            }
            // whoever are enough are left out with too few others
            None => for (class, people) in counts.iter().filter(|(_, people)| **people >= least) {
                let rest = alike(&counts, class) - people;
                prop_assert!(rest > 0 && rest < least, "{:?}", counts);
            },
        }
    }

    /// Subtraction: an attacker who knows from the log how many people were counted takes away those who are in what was
    /// released. Whoever is left is one of at least k, as the report says.
    #[test]
    fn nobody_is_left_among_fewer_than_k(people in prop::collection::vec(somebody(), 0..200), k in 10_u64..30) {
        let counts = counted(&people);
        let Some(released) = MONTHLY_COUNTS.release(k, &counts) else { return Ok(()) };
        let mut least_left = None;
        for counted in released.classes() {
            let group: u64 = released.classes().iter().filter(|other| is_alike(&other.class, &counted.class)).map(|c| c.people).sum();
            let left = alike(&counts, &counted.class) - group;
            prop_assert!(left == 0 || left >= k, "{:?}", counts);
            least_left = [least_left, Some(left).filter(|left| *left > 0)].into_iter().flatten().min();
        }
        prop_assert_eq!(released.report().left_out.map(NonZeroU64::get), least_left);
    }

    /// Linkage: an attacker takes the true record of each person and looks for it in what was released. Whom they find at
    /// all, they find among at least k, as the report says.
    #[test]
    fn nobody_is_found_among_fewer_than_k(people in prop::collection::vec(somebody(), 0..200), k in 10_u64..30) {
        let Some(released) = MONTHLY_COUNTS.release(k, &counted(&people)) else { return Ok(()) };
        let candidates = people.iter().map(|person| {
            released.classes().iter().filter(|counted| counted.class == *person).map(|counted| counted.people).sum::<u64>()
        });
        let best = candidates.filter(|found| *found > 0).min().unwrap();
        prop_assert!(best >= k);
        prop_assert_eq!(best, released.report().linked_among.get());
    }

    /// Membership: that one more person is in it, or one less, changes nothing but the numbers of those who are alike in all
    /// else.
    #[test]
    fn one_person_changes_the_numbers_of_those_who_are_alike(people in prop::collection::vec(somebody(), 1..200), who in any::<prop::sample::Index>()) {
        let mut without = people.clone();
        let person = without.remove(who.index(people.len()));
        let rows = |people: &[Class]| -> BTreeMap<Class, u64> {
            let released = MONTHLY_COUNTS.release(10, &counted(people));
            let rows = released.iter().flat_map(|released| released.classes());
            rows.map(|counted| (counted.class.clone(), counted.people)).collect()
        };
        let (mut with, mut without) = (rows(&people), rows(&without));
        with.retain(|class, _| !is_alike(class, &person));
        without.retain(|class, _| !is_alike(class, &person));
        prop_assert_eq!(with, without);
    }

    /// The order in which people are counted is not in it.
    #[test]
    fn the_order_is_lost(people in prop::collection::vec(somebody(), 0..60)) {
        let mut other = people.clone();
        other.reverse();
        prop_assert_eq!(MONTHLY_COUNTS.release(10, &counted(&people)), MONTHLY_COUNTS.release(10, &counted(&other)));
    }

    /// A test that cannot fail shows nothing: of classes of fewer than k people the report says that they do not pass.
    #[test]
    fn too_few_do_not_pass(people in 1_u64..10, k in 10_u64..30) {
        let class = class("acme".parse().unwrap(), Category::MEMORY_SUMMARY, Purpose::MEMORY, 1, WallTime(NOVEMBER));
        let rows = [Counted { class: class.clone(), people }];
        prop_assert!(!Report::of(&MONTHLY_COUNTS, k, &rows, &[(class, people)].into()).unwrap().is_passed());
    }

    /// Nor of enough people, where the log tells that fewer than k others were counted with them.
    #[test]
    fn too_few_others_do_not_pass(enough in 30_u64..90, few in 1_u64..10, k in 10_u64..30) {
        let of = |entries| class("acme".parse().unwrap(), Category::MEMORY_SUMMARY, Purpose::MEMORY, entries, WallTime(NOVEMBER));
        let rows = [Counted { class: of(1), people: enough }];
        let counts = BTreeMap::from([(of(1), enough), (of(5), few)]);
        let report = Report::of(&MONTHLY_COUNTS, k, &rows, &counts).unwrap();
        prop_assert_eq!(report.left_out.map(NonZeroU64::get), Some(few));
        prop_assert!(!report.is_passed());
        prop_assert_eq!(MONTHLY_COUNTS.release(k, &counts), None);
        let others = BTreeMap::from([(of(1), enough), (of(5), few), (of(11), k - 1)]);
        let released = MONTHLY_COUNTS.release(k, &others);
        prop_assert_eq!(released.map(|released| released.report().people), Some(enough));
    }
}
