//! What is stored of notices to people, of the end of the service, and of what is anonymised.

use sayso_policy::anonymise::{MONTHLY_COUNTS, class};

use sayso_types::ProcessorId;

use super::*;
use crate::anonymised::{Statistic, Tally};
use crate::tables::{ANONYMISED, ANONYMISED_COUNT, AnonymisedCountKey, AnonymisedKey};

#[test]
fn a_notice_is_stored_as_it_was() {
    let text = Text { spoken: "The service ends.".into(), written: "# It ends".into() };
    let id = NoticeId([6; 16]);
    let mut notice = Notice {
        id,
        kind: NoticeKind::Shutdown,
        texts: [(Name::constant("en"), text)].into(),
        audience: Audience::Tenant("acme".parse().unwrap()),
        channels: vec![Channel::Device, Channel::Tenant],
        made_at: NOW,
        by: WallTime(NOW.0 + 9),
    };
    let value = |notice: &Notice| NOTICE.encode(&serde_json::to_vec(notice).unwrap());
    assert_golden("notice", &NoticeKey { notice: id }.key(), &value(&notice));
    (notice.audience, notice.kind) = (Audience::People { count: 2 }, NoticeKind::Incident);
    assert_golden("notice_to_people", &NoticeKey { notice: id }.key(), &value(&notice));
    let (processor, introduction) = (ProcessorId(Name::constant("asr")), IntroductionHash([8; 32]));
    (notice.audience, notice.kind) = (Audience::Introduced { processor, introduction }, NoticeKind::Introduction);
    assert_golden("notice_of_a_service", &NoticeKey { notice: id }.key(), &value(&notice));
    let page: Vec<u8> = [[1; 16], [2; 16]].concat();
    assert_golden("notice_page", &NoticePageKey { notice: id, page: 3 }.key(), &NOTICE_PAGE.encode(&page));
    assert_golden("notice_spread", &NoticeSpreadKey { notice: id }.key(), &NOTICE_SPREAD.encode(&SUBJECT.0));
    let delivery = Delivery {
        begun: vec![NOW, WallTime(NOW.0 + 1)],
        failed: vec![Channel::Device],
        reached: Some((Channel::Tenant, WallTime(NOW.0 + 2))),
    };
    let value = NOTICE_TO.encode(&serde_json::to_vec(&delivery).unwrap());
    assert_golden("notice_to", &NoticeToKey { subject: SUBJECT, notice: id }.key(), &value);
    let person = NoticePersonKey { notice: id, subject: SUBJECT };
    assert_golden("notice_person", &person.key(), &NOTICE_PERSON.encode(&[]));
    let due = NoticeDueKey { at: NOW.0, subject: SUBJECT, notice: id };
    assert_golden("notice_due", &due.key(), &NOTICE_DUE.encode(&[]));
    let out = NoticeOutKey { tenant: "acme".into(), since: NOW.0, subject: SUBJECT, notice: id };
    assert_golden("consent_end", &ConsentEndKey { at: NOW.0, subject: SUBJECT }.key(), &CONSENT_END.encode(&[]));
    assert_golden("announced", &AnnouncedKey { notice: id }.key(), &ANNOUNCED.encode(&[]));
    assert_golden("notice_out", &out.key(), &NOTICE_OUT.encode(&[]));
}

#[test]
fn a_shutdown_is_stored_as_it_was() {
    let announced = Shutdown {
        id: [7; 16],
        notice: NoticeId([6; 16]),
        announced_at: NOW,
        not_before: WallTime(NOW.0 + 1),
        started_at: None,
        people: 0,
        reached: None,
        is_everybody: false,
        completed_at: None,
    };
    let completed = Shutdown {
        started_at: Some(WallTime(NOW.0 + 2)),
        people: 3,
        reached: Some(SUBJECT),
        is_everybody: true,
        completed_at: Some(WallTime(NOW.0 + 4)),
        ..announced
    };
    for (name, shutdown) in [("shutdown", announced), ("shutdown_completed", completed)] {
        let value = SHUTDOWN.encode(&serde_json::to_vec(&shutdown).unwrap());
        assert_golden(name, &ShutdownKey { shard: 0 }.key(), &value);
    }
}

#[test]
fn what_is_anonymised_is_stored_as_it_was() {
    let class = class("acme".parse().unwrap(), Category::MEMORY_SUMMARY, Purpose::MEMORY, 3, NOW);
    let (row, result) = (AnonymisedCountKey::of(&class, "monthly_counts@1".into()), "monthly_counts@1".into());
    let tally = Tally { people: 13, k: 12 };
    assert_golden("anonymised_count", &row.key(), &ANONYMISED_COUNT.encode(&tally.encode()));
    assert_eq!((row.class().unwrap(), Tally::decode(&tally.encode()).unwrap()), (class.clone(), tally));
    let key = AnonymisedKey::of(&class, result).key();
    let data = MONTHLY_COUNTS.release(12, &[(class, 13)].into());
    for (name, data) in [("anonymised", data), ("anonymised_too_few", None)] {
        let body = Statistic::encode(12, data.as_ref());
        assert_golden(name, &key, &ANONYMISED.encode(&body));
        let read = Statistic::decode(&key, &body).unwrap();
        assert_eq!((read.month.as_str(), read.k, read.data), ("2026-01", 12, data));
    }
}
