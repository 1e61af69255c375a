//! The story, act by act. Every promise is checked as it is shown; the exit code says whether all held.

mod proof;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sayso_audit::Reference;
use sayso_consent::erasure::Certificate;
use sayso_device::{Device, DeviceEvent, Ended, Events, Played};
use sayso_proto::admin::v1::consent_client::ConsentClient;
use sayso_proto::admin::v1::{Principal, WithdrawConsentRequest};
use sayso_proto::consent::v1 as consent;
use sayso_runtime::{TaskKind, Tasks, telemetry};
use sayso_wire::{ConsentStatus, ListenMode, SessionState, ToDevice};
use serde_json::json;
use tokio::time::timeout;

use self::proof::OnRecord;
use super::person::{self, Person};
use super::setting::Setting;
use super::view::{View, Who};
use crate::cli::DemoArgs;
use crate::device::view::{Line, describe, word};
use crate::export;

/// How long anything in the story may take before it counts as broken. The slowest step is a 30-second answer.
const PATIENCE: Duration = Duration::from_secs(90);
/// How far into an answer the person interrupts it.
const INTERRUPT_AT: Duration = Duration::from_millis(2_500);
/// How far into an utterance consent is withdrawn.
const WITHDRAW_AT: Duration = Duration::from_millis(2_500);

/// Tells the story.
pub(crate) async fn tell(args: DemoArgs) -> Result<ExitCode> {
    if let Some(dir) = &args.export {
        export::require_empty(dir)?;
    }
    let tasks = Tasks::new();
    let quiet = telemetry::TelemetryOptions { log_filter: "warn".to_owned(), ..Default::default() };
    telemetry::init(&quiet, &tasks)?;
    let view = View::new(args.json);
    let told = Box::pin(Story::begin(&args, view.clone(), tasks)).await;
    view.finish();
    let failed = told?;
    if failed.is_empty() {
        view.line(Who::Story, "summary", "everything that was promised held", json!({"ok": true}));
        return Ok(ExitCode::SUCCESS);
    }
    let text = format!("did not hold: {}", failed.join("; "));
    view.line(Who::Story, "summary", &text, json!({"ok": false, "failed": failed}));
    Ok(ExitCode::FAILURE)
}

struct Story {
    setting: Setting,
    person: Person,
    device: Device,
    events: Events,
    view: View,
    tasks: Tasks,
    failed: Vec<String>,
    /// What the node last said that it does.
    state: SessionState,
    /// What the person is to be given receipts of.
    on_record: Vec<OnRecord>,
}

impl Story {
    async fn begin(args: &DemoArgs, view: View, tasks: Tasks) -> Result<Vec<String>> {
        view.line(Who::Story, "loading", "loading speech models, starting a node on loopback", json!({}));
        let person = Person::new(&args.wav)?;
        let setting = Setting::build(args.data.as_deref(), &tasks).await?;
        let address = setting.node.gateway_addr.to_string();
        view.line(Who::Story, "node", &format!("node listens on {address} (QUIC)"), json!({"address": address}));
        let follow = super::audit::follow(setting.admin().await?, view.clone());
        let follower = tasks.spawn(TaskKind::Client, "audit view", async move {
            let _ = follow.await;
        });
        let (device, events) = setting.device(&args.save, &tasks).await?;
        let version = device.welcome().version;
        view.line(Who::Device, "connected", &format!("connected, protocol version {version}"), json!({}));
        let state = SessionState::Idle;
        let mut story =
            Self { setting, person, device, events, view, tasks, failed: Vec::new(), state, on_record: Vec::new() };
        story.first_contact().await?;
        story.turns().await?;
        story.memory().await?;
        story.barge_in().await?;
        story.withdrawal().await?;
        story.device.goodbye().await;
        drop(follower);
        story.proof(args).await
    }

    async fn first_contact(&mut self) -> Result<()> {
        self.view.act(1, "first contact: nothing is allowed yet, so the notice is read out");
        self.device.listen_start(ListenMode::Realtime)?;
        let read_out = self.until_played().await?;
        self.check("the notice was played to its end", read_out.played_ms > 0, json!({"ms": read_out.played_ms}));
        let before = self.received();
        self.check("nothing has reached the recogniser", before == 0, json!({"bytes": before}));
        let yes = self.person.says("Yes, I agree.")?;
        self.say(&yes).await?;
        self.until("consent", |event| {
            matches!(event, DeviceEvent::Node(ToDevice::ConsentChanged { status: ConsentStatus::Given, .. }))
        })
        .await?;
        self.show_record().await?;
        self.until_played().await?;
        Ok(())
    }

    /// Shows what the store holds: the record as it is durable.
    async fn show_record(&mut self) -> Result<()> {
        let register = self.setting.node.register.clone();
        let subject = register.find_subject(&self.setting.tenant, &self.setting.device_id).await?;
        let (_, records) = register.records(subject.context("the device has no subject")?).await?;
        self.check("a consent record a purpose is durable", records.len() == 2, json!({"records": records.len()}));
        for record in &records {
            let (purpose, event) = (record.purpose.clone().unwrap_or_default(), record.events.first().cloned());
            let notice = purpose.privacy_notices.first().map(|n| hex::encode(&n.rendered_sha256)).unwrap_or_default();
            self.keep(format!("consent {}", purpose.purpose), &record.record_id, None);
            let evidence = event.map(|e| hex::encode(&e.evidence_sha256)).unwrap_or_default();
            let text = format!(
                "record {}… purpose {}: notice sha256 {:.12}…, evidence sha256 {:.12}…",
                &hex::encode(&record.record_id)[..8],
                purpose.purpose,
                notice,
                evidence
            );
            self.view.line(
                Who::Check,
                "consent_record",
                &text,
                json!({
                    "purpose": purpose.purpose, "notice_sha256": notice, "evidence_sha256": evidence,
                    "schema": record.schema_version, "record_id": hex::encode(&record.record_id),
                }),
            );
        }
        Ok(())
    }

    /// Has the person given a receipt in the end.
    fn keep(&mut self, what: String, reference: &[u8], certificate: Option<Vec<u8>>) {
        self.on_record.push(OnRecord { what, reference: reference.to_vec(), certificate });
    }

    async fn turns(&mut self) -> Result<()> {
        self.view.act(2, "a turn: speech, recognition, dialogue, synthesis, and sound again");
        for line in self.person.recordings()? {
            self.turn(&line).await?;
        }
        let question = self.person.says("What is twelve times seven?")?;
        let heard = self.turn(&question).await?;
        self.check("the answer is right", heard.contains("84") || heard.contains("eighty"), json!({}));
        Ok(())
    }

    async fn memory(&mut self) -> Result<()> {
        self.view.act(3, "a second turn that needs memory");
        let told = self.person.says("My name is Anna.")?;
        self.turn(&told).await?;
        let asked = self.person.says("What is my name?")?;
        let heard = self.turn(&asked).await?;
        self.check("the name was remembered", heard.contains("Anna"), json!({}));
        Ok(())
    }

    async fn barge_in(&mut self) -> Result<()> {
        self.view.act(4, "barge-in: the person speaks over the answer");
        let help = self.person.says("What can you do?")?;
        self.say(&help).await?;
        self.until_sentence().await?;
        tokio::time::sleep(INTERRUPT_AT).await;
        let again = self.person.says("Please say that again.")?;
        let (device, sound) = (self.device.clone(), again.sound.clone());
        self.view.line(Who::Person, "says", &format!("{} — over the answer", again.title), json!({}));
        let saying = async move { device.say(&sound).await };
        let (said, cut) = tokio::join!(saying, self.until_cut());
        said?;
        let (stopped, cut) = cut?;
        self.check("the answer was cut", stopped, json!({"played_ms": cut.played_ms}));
        let repeated = self.answer_sentences().await?;
        let text = format!("cut after {} ms; what the model believes was heard: \"{repeated}\"", cut.played_ms);
        self.view.line(Who::Check, "barge_in", &text, json!({"played_ms": cut.played_ms, "heard": repeated}));
        // What was said aloud takes about 60 ms a character: belief and loudspeaker must agree.
        let (least, most) = (cut.played_ms / 150, cut.played_ms / 25);
        let believed = u32::try_from(repeated.chars().count()).unwrap_or(u32::MAX);
        self.check("what it believes was heard is what was played", (least..=most).contains(&believed), json!({}));
        Ok(())
    }

    async fn withdrawal(&mut self) -> Result<()> {
        self.view.act(5, "withdrawal in the middle of an utterance");
        let line = self.person.monologue()?;
        self.view.line(Who::Person, "says", &line.title, json!({}));
        let (device, sound) = (self.device.clone(), line.sound.clone());
        let start = self.received();
        let speaking = self.tasks.spawn(TaskKind::Client, "monologue", async move {
            // The node stops listening in the middle of it: that is the point.
            let _ = device.say(&sound).await;
        });
        tokio::time::sleep(WITHDRAW_AT).await;
        let during = self.received();
        let request = WithdrawConsentRequest {
            principal: Some(Principal {
                tenant_id: self.setting.tenant.to_string(),
                device_id: self.setting.device_id.to_string(),
                ..Principal::default()
            }),
            purposes: Vec::new(),
            parts: Vec::new(),
            wait_ms: 2_000,
        };
        let mut client = ConsentClient::new(self.setting.admin().await?);
        let answer = client.withdraw(request).await?.into_inner();
        let at_ok = self.received();
        self.finish_withdrawal(start, during, at_ok, &answer).await?;
        drop(speaking);
        Ok(())
    }

    async fn finish_withdrawal(
        &mut self,
        start: u64,
        during: u64,
        at_ok: u64,
        answer: &sayso_proto::admin::v1::WithdrawConsentResponse,
    ) -> Result<()> {
        let ok = answer.state() == consent::WithdrawalState::Ok;
        self.keep("withdrawal".to_owned(), &answer.withdrawal_id, None);
        self.until("the device to be told", |event| {
            matches!(event, DeviceEvent::Node(ToDevice::ConsentChanged { status: ConsentStatus::Withdrawn, .. }))
        })
        .await?;
        let spoken = self.until_played().await?;
        let after = self.received() - at_ok;
        let text = format!(
            "withdrawn: {} bytes had reached the recogniser, {} by OK, {after} after OK",
            during - start,
            at_ok - start
        );
        self.view.line(
            Who::Check,
            "withdrawal",
            &text,
            json!({
                "state": if ok { "OK" } else { "PENDING" },
                "bytes_before": at_ok - start, "bytes_after_ok": after, "gate_bytes": answer.bytes_passed,
            }),
        );
        self.check("the withdrawal is OK, not pending", ok, json!({}));
        self.check("the recogniser was hearing the utterance", during > start, json!({}));
        self.check("no byte reached the recogniser after OK", after == 0, json!({"bytes_after_ok": after}));
        self.check("the device said so", spoken.played_ms > 0, json!({}));
        self.erasure(&answer.withdrawal_id).await
    }

    /// Shows the certificate of what was erased with the withdrawal.
    async fn erasure(&mut self, withdrawal: &[u8]) -> Result<()> {
        let register = self.setting.node.register.clone();
        let subject = register.find_subject(&self.setting.tenant, &self.setting.device_id).await?;
        let of = Reference(withdrawal.try_into().context("a withdrawal has an id of 16 bytes")?);
        let certified = register.until_certified(subject.context("the device has no subject")?, of);
        let json = timeout(PATIENCE, certified).await.context("the erasure was not certified in time")??;
        let certificate = Certificate::parse(&json)?;
        let text = format!(
            "certificate of erasure {}…: {} key destroyed, files purged: {}; what remains, and where, is in it",
            &hex::encode(certificate.erasure)[..8],
            certificate.keys.len(),
            certificate.is_purged
        );
        self.view.line(Who::Check, "certificate", &text, serde_json::from_slice(&json)?);
        self.keep("erasure".to_owned(), &certificate.erasure, Some(json));
        let is_erased = certificate.keys.len() == 1 && certificate.is_purged;
        self.check("what was remembered can never be read again", is_erased, json!({}));
        Ok(())
    }

    /// The person says something and is answered; the sentences of the answer.
    async fn turn(&mut self, line: &person::Line) -> Result<String> {
        self.say(line).await?;
        let answer = self.answer_sentences().await?;
        self.show_stages();
        Ok(answer)
    }

    fn show_stages(&self) {
        let Some(session) = self.setting.node.sessions.list().into_iter().next() else { return };
        let ms = |d: Duration| d.as_secs_f64() * 1000.0;
        let stages: Vec<String> =
            session.stages.iter().map(|(stage, took)| format!("{} {:.0} ms", stage.name(), ms(*took))).collect();
        let details: serde_json::Map<_, _> =
            session.stages.iter().map(|(stage, took)| (format!("{}_ms", stage.name()), json!(ms(*took)))).collect();
        self.view.line(Who::Check, "stages", &stages.join(", "), details.into());
    }

    async fn say(&mut self, line: &person::Line) -> Result<()> {
        // A person waits until they are listened to.
        self.until_listening().await?;
        self.view.line(Who::Person, "says", &line.title, json!({"ms": line.sound.ms()}));
        self.device.say(&line.sound).await?;
        Ok(())
    }

    async fn until_listening(&mut self) -> Result<()> {
        if self.state != SessionState::Listening {
            self.until("the node to listen", |event| {
                matches!(event, DeviceEvent::Node(ToDevice::StateChanged { state: SessionState::Listening, .. }))
            })
            .await?;
        }
        Ok(())
    }

    /// The sentences of the next answer, once it has been played.
    async fn answer_sentences(&mut self) -> Result<String> {
        let mut sentences = Vec::new();
        loop {
            match self.next().await? {
                DeviceEvent::Node(ToDevice::Sentence { text, .. }) => sentences.push(text.into_inner()),
                DeviceEvent::Played(_) => return Ok(sentences.join(" ")),
                _ => {}
            }
        }
    }

    async fn until_sentence(&mut self) -> Result<()> {
        loop {
            if matches!(self.next().await?, DeviceEvent::Node(ToDevice::Sentence { .. })) {
                return Ok(());
            }
        }
    }

    async fn until_played(&mut self) -> Result<Played> {
        loop {
            if let DeviceEvent::Played(played) = self.next().await? {
                return Ok(played);
            }
        }
    }

    /// The next answer's end, and whether it was stopped before.
    async fn until_cut(&mut self) -> Result<(bool, Played)> {
        let mut stopped = false;
        loop {
            match self.next().await? {
                DeviceEvent::Node(ToDevice::SpeechStop { .. }) => stopped = true,
                DeviceEvent::Played(played) => return Ok((stopped, played)),
                _ => {}
            }
        }
    }

    async fn until(&mut self, what: &str, found: impl Fn(&DeviceEvent) -> bool) -> Result<DeviceEvent> {
        loop {
            let event = self.next().await.with_context(|| format!("waiting for {what}"))?;
            if found(&event) {
                return Ok(event);
            }
        }
    }

    /// The next thing that happens to the device, shown.
    async fn next(&mut self) -> Result<DeviceEvent> {
        let event = timeout(PATIENCE, self.events.next()).await.context("nothing happened for too long")?;
        let event = event.context("the device is gone")?;
        self.show(&event);
        if let DeviceEvent::Ended(ended) = &event {
            match ended {
                Ended::Goodbye(goodbye) => bail!("the node said goodbye: {}", goodbye.text),
                other => bail!("the connection ended: {other:?}"),
            }
        }
        Ok(event)
    }

    fn show(&mut self, event: &DeviceEvent) {
        match event {
            DeviceEvent::Node(ToDevice::StateChanged { state, .. }) => {
                self.state = *state;
                self.view.state(&word(state));
            }
            DeviceEvent::Node(ToDevice::VoiceActivity { speaking, .. }) => self.view.voice(*speaking),
            DeviceEvent::Node(ToDevice::ConsentChanged { status, .. }) => self.view.consent(&word(status)),
            DeviceEvent::Node(_)
            | DeviceEvent::AudioStarted { .. }
            | DeviceEvent::Played(_)
            | DeviceEvent::Ended(_) => {}
        }
        if let Some(Line { event, text, details }) = describe(event) {
            self.view.line(Who::Device, event, &format!("{event}: {text}"), details);
        }
    }

    fn check(&mut self, what: &str, held: bool, details: serde_json::Value) {
        let mark = if held { "✓" } else { "✗" };
        let mut details = details;
        if let Some(details) = details.as_object_mut() {
            details.insert("held".to_owned(), json!(held));
        }
        self.view.line(Who::Check, "check", &format!("{mark} {what}"), details);
        if !held {
            self.failed.push(what.to_owned());
        }
    }

    /// Bytes that the recogniser itself counted.
    fn received(&self) -> u64 {
        self.setting.node.recogniser.as_ref().map_or(0, |recogniser| recogniser.received_bytes())
    }
}
