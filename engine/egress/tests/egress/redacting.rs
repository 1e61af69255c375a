//! What the policy has taken out of what people say never reaches the dialogue.

use std::sync::Arc;

use futures::StreamExt;
use sayso_egress::Context;
use sayso_policy::Profile;
use sayso_provider::Request;
use sayso_types::dialogue::{Exchange, Fact};

use crate::providers::Listening;
use crate::world::{Fakes, World, id};

/// Numbers that pass their checks, as people write them and as recognisers do, each in a sentence.
const CORPUS: [&str; 8] = [
    "my card is 4111 1111 1111 1111",
    "pay with 5500-0055-5555-5559 please",
    "it is four one one one one one one one one one one one one one one one",
    "我的卡号是四一一一一一一一一一一一一一一一",
    "卡号 ４１１１１１１１１１１１１１１１，谢谢",
    "my identity number is 11010519491231002X",
    "我的身份证号是110105194912310 02X",
    "一一零一零五一九四九一二三一零零二叉",
];

/// A revision that says `redact` of what is said.
fn policy(rev: u32, redact: &str) -> Arc<Profile> {
    let text = include_str!("../profile.toml").replace("rev = 1", &format!("rev = {rev}"));
    let text = text.replace("[category.transcript]\n", &format!("[category.transcript]\nredact = [{redact}]\n"));
    Arc::new(Profile::parse(&text).unwrap())
}

/// What the dialogue is told when somebody says `text`, having said so before and had it remembered.
async fn told(world: &World, talker: &Context, dialogue: &Listening, text: &str) -> Vec<String> {
    let exchange = Exchange { said: text.to_owned(), heard: format!("You said {text}") };
    let fact = Fact { key: "number".to_owned(), value: text.to_owned() };
    let request = Request {
        text: text.to_owned(),
        history: vec![exchange],
        facts: vec![fact],
        role: "a friend".to_owned(),
        ..Request::default()
    };
    let reply = world.egress.respond(talker, request).await.unwrap().collect::<Vec<_>>().await;
    assert!(reply.iter().all(Result::is_ok));
    core::mem::take(&mut *dialogue.asked.lock().unwrap())
}

#[tokio::test]
async fn no_number_of_the_corpus_reaches_the_dialogue() {
    let dialogue = Arc::new(Listening::default());
    let mut processors = Fakes::new().processors();
    processors.responders.register(id("rules-local"), dialogue.clone());
    let world = World::new(processors).await;
    let talker = world.talker().await;
    for text in CORPUS {
        let told = told(&world, &talker, &dialogue, text).await;
        assert_eq!(told.iter().filter(|told| told.contains(text)).count(), 4, "nobody asked for more: {told:?}");
    }

    world.register.publish(policy(2, "\"bank_card\", \"cn_id\"")).await.unwrap();
    for text in CORPUS {
        let told = told(&world, &talker, &dialogue, text).await;
        let left = told.iter().filter(|told| told.contains("[bank_card]") || told.contains("[cn_id]")).count();
        assert_eq!((left, told.len()), (4, 5), "also what was said before, and what is remembered: {told:?}");
        let digits = |told: &str| told.chars().filter(|c| c.is_numeric() || "零一四五九".contains(*c)).count();
        assert!(told.iter().all(|told| digits(told) < 4), "{told:?}");
    }
    for ordinary in ["wake me at 6:30 on 2026-11-22", "it costs 1,234.50", "十一月二十二日，三千元"] {
        let told = told(&world, &talker, &dialogue, ordinary).await;
        let expected = [ordinary, ordinary, &format!("You said {ordinary}"), "number", ordinary];
        assert_eq!(told, expected, "byte for byte");
    }
}
