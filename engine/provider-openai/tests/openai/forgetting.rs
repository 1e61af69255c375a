//! A service is told to delete, and says that it did, later, or not at all.

use core::time::Duration;

use sayso_provider::{Error, Forget, Forgetter, Forgotten};
use sayso_provider_openai::{ApiKey, Endpoint, HttpForgetter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bench::{ask, endpoint, responder};
use crate::fake_openai::{FakeOpenAi, Plan};

const ID: &str = "07070707070707070707070707070707";

fn forgetter(fake: &FakeOpenAi) -> HttpForgetter {
    let key = ApiKey::new("sk-test".to_owned()).unwrap();
    let url = format!("http://{}/privacy", fake.address);
    HttpForgetter::new(Endpoint::without_model(url.parse().unwrap()).with_api_key(key))
}

fn order(calls: usize) -> Forget {
    let calls = (0..calls).map(|call| [u8::try_from(call % 200).unwrap(); 16]).collect();
    Forget { id: [7; 16], why: "erasure", calls, timeout: Duration::from_secs(10) }
}

fn answers(fake: &FakeOpenAi, status: &str, body: &str) {
    fake.plan(Plan::status(status, "content-type: application/json\r\n", body).then_close());
}

fn gone(is_gone: bool) -> String {
    json!({ "deletion": ID, "deleted": is_gone }).to_string()
}

#[tokio::test]
async fn what_is_deleted_is_named_by_what_the_calls_were_called() {
    let fake = FakeOpenAi::start();
    ask(&responder(endpoint(&fake))).await.unwrap();
    answers(&fake, "200 OK", &gone(true));
    let forgotten = forgetter(&fake).forget(&Forget { calls: vec![[5; 16]], ..order(1) }).await.unwrap();
    assert_eq!(forgotten, Forgotten::Everything { answer: Sha256::digest(gone(true)).into() });

    let [call, deletion] = &fake.log().requests[..] else { panic!("two requests") };
    assert!(call.head.contains("\r\nx-client-request-id: 05050505050505050505050505050505\r\n"), "{}", call.head);
    assert!(deletion.head.starts_with("POST /privacy/deletions HTTP/1.1\r\n"), "{}", deletion.head);
    for header in [format!("idempotency-key: {ID}-1"), "authorization: Bearer sk-test".to_owned()] {
        assert!(deletion.head.contains(&format!("\r\n{header}\r\n")), "{header}: {}", deletion.head);
    }
    let named = "05050505050505050505050505050505";
    let body = json!({ "deletion": ID, "why": "erasure", "part": 1, "parts": 1, "requests": [named] });
    assert_eq!(serde_json::from_slice::<Value>(&deletion.body).unwrap(), body);
}

#[tokio::test]
async fn only_a_yes_to_this_order_is_a_yes() {
    let other = gone(true).replacen("07", "08", 1);
    let fake = FakeOpenAi::start();
    let forgetter = forgetter(&fake);
    for (status, body) in [("202 Accepted", String::new()), ("200 OK", gone(false))] {
        answers(&fake, status, &body);
        assert_eq!(forgetter.forget(&order(1)).await, Ok(Forgotten::NotYet), "{status}");
    }
    for (status, body, code) in [
        ("503 Service Unavailable", gone(true), "failed"),
        ("401 Unauthorized", gone(true), "unauthorized"),
        ("429 Too Many Requests", gone(true), "busy"),
        ("404 Not Found", gone(true), "rejected"),
        ("200 OK", "gone".to_owned(), "malformed"),
        ("200 OK", other, "malformed"),
        ("200 OK", " ".repeat(20_000), "malformed"),
    ] {
        answers(&fake, status, &body);
        let error = forgetter.forget(&order(1)).await.unwrap_err();
        assert_eq!(error.code(), code, "{status} {error}");
    }
    let nobody = Endpoint::without_model("http://127.0.0.1:1/privacy".parse().unwrap());
    let error = HttpForgetter::new(nobody).forget(&order(1)).await;
    assert!(matches!(error, Err(Error::Unreachable(_))), "{error:?}");
}

#[tokio::test]
async fn an_order_of_many_calls_goes_in_parts_and_is_done_when_each_is() {
    let fake = FakeOpenAi::start();
    for is_gone in [true, false, true, true] {
        answers(&fake, "200 OK", &gone(is_gone));
    }
    let forgetter = forgetter(&fake);
    assert_eq!(forgetter.forget(&order(4_097)).await, Ok(Forgotten::NotYet));
    let forgotten = forgetter.forget(&order(4_097)).await.unwrap();
    let answer = Sha256::digest(format!("{}{}", gone(true), gone(true))).into();
    assert_eq!(forgotten, Forgotten::Everything { answer });
    let requests = fake.log().requests;
    let parts = requests.iter().map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
    let parts: Vec<_> = parts.map(|body| (body["part"].clone(), body["requests"].as_array().unwrap().len())).collect();
    assert_eq!(parts, [(json!(1), 4_096), (json!(2), 1), (json!(1), 4_096), (json!(2), 1)]);
    assert_eq!(requests[0].body, requests[2].body, "the same order again is the same");
}
