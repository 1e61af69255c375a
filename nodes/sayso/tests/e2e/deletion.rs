//! A receiver that keeps what it is given is told to delete it, also when it fails first and the node is killed meanwhile; what
//! it never deletes is named in the certificate, and somebody answers for it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use sayso_audit::{Event, FlowEvent};
use sayso_tests::{Finished, Installation, Node, Process, TENANT, within};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use toml::toml;

use crate::sayso;

/// One event of a streamed chat completion, and its end.
const SAID: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
    data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"I am a service.\"},\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";

/// How the receiver is told, and how it answers calls.
const CHAT: &str = "/v1/chat/completions";
const DELETIONS: &str = "/privacy/deletions";

/// A service that answers people, keeps what it hears, and deletes it when it is told to, unless it fails at that.
#[derive(Clone)]
struct FakeReceiver {
    addr: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    fails: bool,
    /// The ids of the calls that it answered.
    calls: Vec<String>,
    /// What it was told to delete, with the key of each order.
    orders: Vec<(String, Value)>,
}

impl FakeReceiver {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let receiver = Self { addr: listener.local_addr().unwrap(), state: watch::Sender::default() };
        let serving = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                // a node that is killed is none of its business
                thread::spawn(move || serving.serve(&stream).ok());
            }
        });
        receiver
    }

    fn fails(&self, fails: bool) {
        self.state.send_modify(|state| state.fails = fails);
    }

    /// Waits until it was told to delete so often; how it stands then.
    async fn until_told(&self, times: usize) -> State {
        self.until(|state| state.orders.len() >= times).await
    }

    async fn until(&self, is: impl FnMut(&State) -> bool) -> State {
        let mut changes = self.state.subscribe();
        within("an order to delete", changes.wait_for(is)).await.unwrap().clone()
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let mut stream = stream;
        if path == CHAT {
            self.state.send_modify(|state| state.calls.push(header("x-client-request-id")));
            return stream.write_all(SAID.as_bytes());
        }
        assert_eq!(path, DELETIONS);
        let order: Value = serde_json::from_slice(&body).unwrap();
        let fails = self.state.borrow().fails;
        let deletion = order["deletion"].as_str().unwrap().to_owned();
        self.state.send_modify(|state| state.orders.push((header("idempotency-key"), order)));
        let (status, answer) =
            if fails { ("503 Service Unavailable", String::new()) } else { ("200 OK", done(&deletion)) };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        stream.write_all((head + &answer).as_bytes())
    }

    /// Has it answer in the place of the rules in the node, as somebody else who keeps what they hear for a month, and be told
    /// to delete it, to be confirmed within so many milliseconds.
    fn answers_in(&self, installation: &Installation, within_ms: i64) {
        installation.edit("profile.toml", |profile| {
            let processors = profile["processor"].as_array_mut().unwrap();
            let rules = processors.iter_mut().find(|one| one["id"].as_str() == Some("rules-local")).unwrap();
            rules["state"] = "suspended".into();
            let service = toml! {
                id = "service"
                kind = "llm"
                party = "A company"
                contact = "privacy@company.example"
                privacy_url = "https://company.example/privacy"
                contract = "2026-7"
                region = "CN"
                region_class = "domestic"
                accepts = ["transcript", "memory_summary"]
                purposes = ["voice_interaction", "memory"]
                state = "active"
                trains_on_data = false
                declared_retention = "P30D"
                deletion_api = true
                due_diligence = { at = 2026-01-01, by = "privacy officer", valid = "P5Y" }
            };
            processors.push(service.into());
        });
        let addr = self.addr;
        installation.edit("sayso.toml", |config| {
            let mut service = toml! {
                id = "service"
                stage = "llm"
                model = "any"
            };
            service.insert("base-url".to_owned(), format!("http://{addr}/v1").into());
            config.insert("openai".to_owned(), toml::Value::Array(vec![service.into()]));
            let mut deletion = toml::Table::new();
            deletion.insert("id".to_owned(), "service".into());
            deletion.insert("url".to_owned(), format!("http://{addr}/privacy").into());
            config.insert("deletion".to_owned(), toml::Value::Array(vec![deletion.into()]));
            config.insert("deletion-within-ms".to_owned(), within_ms.into());
        });
    }
}

/// How it says that it has deleted.
fn done(deletion: &str) -> String {
    json!({ "deletion": deletion, "deleted": true }).to_string()
}

/// `sayso rights COMMAND ...` at this node, about whoever speaks to its first device.
async fn rights(installation: &Installation, node: &Node, command: &str, args: &[&str]) -> Finished {
    let (certs, at) = (installation.file("admin"), node.admin.to_string());
    let person = ["rights", command, "--admin", &at, "--certs", &certs, "--tenant", TENANT];
    sayso().run(person.into_iter().chain(args.iter().copied())).await
}

async fn accepted(installation: &Installation, node: &Node, right: &str) -> String {
    let opened = rights(installation, node, "open", &[right, "--json"]).await.success().stdout;
    let case = serde_json::from_str::<Value>(&opened).unwrap()["case"].as_str().unwrap().to_owned();
    for step in [&["verify", "--method", "signed_in"][..], &["accept"]] {
        let _ = rights(installation, node, "advance", &[&[case.as_str()], step].concat()).await.success();
    }
    case
}

/// The certificate of `case`, once there is one.
async fn certificate(installation: &Installation, node: &Node, case: &str) -> Value {
    loop {
        let asked = rights(installation, node, "certificate", &[case, "--json"]).await;
        if asked.status.success() {
            return serde_json::from_str(&asked.stdout).unwrap();
        }
        asked.failure(&["the erasure is on its way"]);
    }
}

/// Somebody agrees, and the receiver is given what they say.
async fn talks(installation: &Installation, node: &Node) {
    let mut device = installation.first_device(node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    device.hears("Who are you?", "service").await;
}

#[tokio::test]
async fn a_receiver_that_fails_at_first_has_deleted_when_the_certificate_says_so_though_the_node_was_killed() {
    let installation = Installation::new(&sayso()).await;
    let receiver = FakeReceiver::start();
    receiver.answers_in(&installation, 600_000);
    let node = installation.start().await;
    talks(&installation, &node).await;
    receiver.fails(true);
    let case = accepted(&installation, &node, "erase").await;
    receiver.until_told(2).await;
    rights(&installation, &node, "certificate", &[&case]).await.failure(&["the erasure is on its way"]);
    node.kill().await;

    receiver.fails(false);
    let node = installation.start().await;
    let certificate = certificate(&installation, &node, &case).await;
    let told = receiver.until_told(3).await;
    let (key, order) = told.orders.last().unwrap();
    let deletion = order["deletion"].as_str().unwrap();
    assert_eq!(certificate["erasure"], deletion);
    assert!(
        told.orders.iter().all(|(other, same)| other == key && same == order),
        "each time the same order: {told:?}"
    );
    assert_eq!((&order["why"], key), (&json!("erasure"), &format!("{deletion}-1")));
    let named: Vec<_> =
        order["requests"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert!(!told.calls.is_empty() && told.calls.iter().all(|call| named.contains(call)), "every call: {told:?}");
    let answer = hex::encode(Sha256::digest(done(deletion)));
    let [deleted] = certificate["deleted"].as_array().unwrap().as_slice() else { panic!("one: {certificate}") };
    assert_eq!(
        (&deleted["id"], &deleted["party"], &deleted["answer"]),
        (&"service".into(), &"A company".into(), &answer.into())
    );
    let residuals = certificate["residuals"].as_array().unwrap();
    assert!(residuals.iter().all(|residual| residual["what"] != "processor"), "{certificate}");

    let operator = installation.operator(&node).await;
    let names: Vec<_> = operator.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    let place = |name: &str| names.iter().rposition(|told| *told == name).unwrap();
    assert!(place("processor.deletion_requested") < place("processor.deletion_confirmed"));
    assert!(place("processor.deletion_confirmed") < place("erase.certified"));
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn what_one_never_deletes_remains_with_its_day_and_somebody_answers_for_it() {
    let installation = Installation::new(&sayso()).await;
    let receiver = FakeReceiver::start();
    receiver.answers_in(&installation, 3_000);
    let node = installation.start().await;
    talks(&installation, &node).await;
    receiver.fails(true);
    let case = accepted(&installation, &node, "erase").await;
    let certificate = certificate(&installation, &node, &case).await;
    assert!(!receiver.until_told(1).await.orders.is_empty());
    let residuals = certificate["residuals"].as_array().unwrap();
    let remains = residuals.iter().find(|residual| residual["what"] == "processor").unwrap();
    assert_eq!((&remains["id"], &remains["can_be_told"]), (&"service".into(), &true.into()));
    let (told_at, until) = (remains["told_at"].as_u64().unwrap(), remains["until"].as_u64().unwrap());
    assert!(told_at >= certificate["destroyed_at"].as_u64().unwrap() && until > told_at, "{certificate}");

    let open = async || rights(&installation, &node, "residuals", &["--json"]).await.success().stdout;
    let listed: Value = serde_json::from_str(&open().await).unwrap();
    let [one] = listed.as_array().unwrap().as_slice() else { panic!("one: {listed}") };
    assert_eq!((&one["processor"], &one["tenant"]), (&"service".into(), &TENANT.into()));
    assert_eq!(one["erasure"], certificate["erasure"]);
    let told = rights(&installation, &node, "residuals", &[]).await.success().stdout;
    assert!(told.contains("A company [service], told to delete since "), "{told}");

    let approve = async |residual: &str| {
        let answers = [&case, residual, "--reason", "receiver_dissolved"];
        rights(&installation, &node, "approve-residual", &answers).await
    };
    approve("somebody-else").await.failure(&["the certificate says that other things remain: service, "]);
    let approved = approve("service").await.success().stdout;
    assert!(approved.starts_with("service remains: receiver_dissolved ("), "{approved}");
    approve("service").await.failure(&["has approved that it remains already"]);
    assert_eq!(open().await, "[]", "somebody answers for it");
    let told = rights(&installation, &node, "certificate", &[&case]).await.success().stdout;
    assert!(
        told.contains("- what A company (service) was given, until ") && told.contains(": receiver_dissolved"),
        "{told}"
    );
    let same = self::certificate(&installation, &node, &case).await;
    assert_eq!(same, certificate, "the certificate itself stays as it was issued");

    let operator = installation.operator(&node).await;
    let names: Vec<_> = operator.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    let place = |name: &str| names.iter().rposition(|told| *told == name).unwrap();
    assert!(place("processor.deletion_unconfirmed") < place("erase.certified"));
    assert!(place("erase.certified") < place("erase.residual_approved"));
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn one_that_does_not_say_how_long_it_keeps_what_it_is_given_is_not_begun_with() {
    let installation = Installation::new(&sayso()).await;
    FakeReceiver::start().answers_in(&installation, 600_000);
    let service = |change: &dyn Fn(&mut toml::Table)| {
        installation.edit("profile.toml", |profile| {
            let processors = profile["processor"].as_array_mut().unwrap();
            let service = processors.iter_mut().find(|one| one["id"].as_str() == Some("service")).unwrap();
            change(service.as_table_mut().unwrap());
        });
    };
    // of somebody else's the linter asks for it
    service(&|service| {
        service.insert("party".to_owned(), "operator".into());
        service.remove("declared_retention");
    });
    let refused = Process::start(installation.serve()).finished().await;
    refused.failure(&["processor service", "how long it keeps", "declared_retention = \"P30D\""]);
    service(&|service| drop(service.insert("declared_retention".to_owned(), "P30D".into())));
    let _ = installation.start().await.terminate().await.success();
}

#[tokio::test]
async fn a_receiver_of_what_was_wrong_is_told_when_it_is_put_right() {
    let installation = Installation::new(&sayso()).await;
    let receiver = FakeReceiver::start();
    receiver.answers_in(&installation, 600_000);
    let node = installation.start().await;
    let mut device = installation.first_device(&node).await;
    let (prompt, _) = device.asked().await;
    device.agree(&prompt).await;
    device.until_listening().await;
    drop(device);
    let correct = async |right: &str, facts: &Value| {
        let file = installation.file("facts.json");
        std::fs::write(&file, facts.to_string()).unwrap();
        let case = accepted(&installation, &node, right).await;
        let _ = rights(&installation, &node, "correct", &[&case, &file]).await.success();
        case
    };
    correct("supplement", &json!({ "pet": "a dog" })).await;
    let mut device = installation.first_device(&node).await;
    device.listens_unasked().await;
    device.hears("Who are you?", "service").await;
    drop(device);

    let case = correct("rectify", &json!({ "pet": "a cat" })).await;
    let is_of = |order: &Value| order["deletion"] == case.as_str();
    let told = receiver.until(|state| state.orders.iter().any(|(_, order)| is_of(order))).await;
    let (_, order) = told.orders.iter().find(|(_, order)| is_of(order)).unwrap();
    assert_eq!(order["why"], "rectification");
    assert!(!order["requests"].as_array().unwrap().is_empty());
    let operator = installation.operator(&node).await;
    let propagated = |event: &Event| matches!(event, Event::Flow(FlowEvent::RectifyPropagated { request, .. }) if request.to_string() == case);
    operator.until_leaf("what was put right is passed on", |leaf| propagated(&leaf.fact.event)).await;
    let given =
        |event: &Event| matches!(event, Event::SegmentOpened { processor, .. } if processor.to_string() == "service");
    assert!(operator.leaves().await.iter().any(|leaf| given(&leaf.fact.event)));
    let report = operator.verify_log().await;
    assert!(report.is_clean(), "{report:?}");
}
