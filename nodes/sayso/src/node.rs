//! [`Node`]: the composition root. The one place that names providers; `backend` names stores.

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hex::FromHex;
use sayso_admin::{Admin, AdminOptions, AdminTokens};
use sayso_audit::{Actor, AuditKey, Signer};
use sayso_consent::{Error, Register, Tenure};
use sayso_egress::{DETECTOR, Egress, Processors, Timeouts};
use sayso_gateway::{Gateway, GatewayOptions};
use sayso_models::ModelsDir;
use sayso_pages::Pages;
use sayso_policy::{Deadline, Diff, Profile, RevisionError};
use sayso_provider_local::{InferencePool, RuleResponder, VoiceSynthesizer, WhisperTranscriber};
use sayso_provider_openai::{
    ApiKey, Endpoint, HttpForgetter, OpenAiRealtimeTranscriber, OpenAiResponder, OpenAiSynthesizer, OpenAiTranscriber,
    OpenAiViewer, SpeechFormat,
};
use sayso_runtime::shutdown::{Phases, Signals};
use sayso_runtime::{SystemClock, TaskKind, Tasks, process};
use sayso_session_actor::ActorSessions;
use sayso_types::{Clock, ProcessorId, ProcessorKind};
use sayso_vault::Vault;
use sayso_wire::token::TokenVerifier;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::backend::Backend;
use crate::certs::Identity;
use crate::config::{Config, Deletion, OpenAi, Stage, TokenKey, ms};
use crate::store::{Moves, Moving, answer_commands, require_here, require_whole};
use crate::{vault, witnesses};

/// A running node.
pub(crate) struct Node {
    pub(crate) tasks: Tasks,
    pub(crate) register: Arc<Register>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) gateway_addr: std::net::SocketAddr,
    pub(crate) admin_addr: std::net::SocketAddr,
    /// Where the public pages are, if they are served.
    pub(crate) pages_addr: Option<std::net::SocketAddr>,
    /// What the recogniser in this process says it received, if there is one.
    pub(crate) recogniser: Option<Arc<WhisperTranscriber>>,
    pub(crate) sessions: ActorSessions,
    /// Whether the profile file was accepted when it was read last.
    policy_accepted: watch::Sender<bool>,
    vault: Arc<Vault>,
    backend: Backend,
    stop: CancellationToken,
}

/// How long a device waits before it comes back after a drain.
const RECONNECT_IN: Duration = Duration::from_secs(2);
/// How often a node that waits for all of a store looks whether it is there: a read each.
const WHOLE_EVERY: Duration = Duration::from_millis(200);

impl Node {
    /// Loads the models, opens the store and listens. Everything that can be wrong with a configuration is found here.
    /// Where several nodes share a store, this waits until it is this one's turn to serve. What is `opened` of the store by then is
    /// there for whoever does not wait for this any longer, to be closed.
    pub(crate) async fn start(config: &Config, tasks: Tasks, opened: &mut Option<Backend>) -> Result<Self> {
        accepted_profile(config)?;
        process::forbid_core_dumps().context("cannot keep what people say out of core dumps")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let seed = read_seed(&config.log_key)?;
        let former = config.log_key_former.as_deref().map(read_seed).transpose()?;
        let signer = Signer::new(&config.log_origin, &seed)?;
        let signer = Arc::new(former.iter().fold(signer, |signer, former| signer.with_former(former)));
        let gateway_identity = Identity::read(&config.gateway.certificate, &config.gateway.key)?;
        let admin_identity = Identity::read(&config.admin.certificate, &config.admin.key)?;

        let mut processors = Processors::none();
        let recogniser = if config.local.enabled { Some(add_local(config, &mut processors, &clock)?) } else { None };
        for service in &config.openai {
            add_openai(service, &mut processors, &clock)?;
        }
        for at in &config.deletion {
            add_forgetter(at, &mut processors)?;
        }

        let backend = opened.insert(Backend::open(config, Arc::clone(&clock)).await?);
        answer_commands(config, backend, &tasks);
        let tenure = own(backend).await?;
        require_here(backend.store().as_ref()).await?;
        let keys = backend.open_keys(&config.vault.keys_dir).await?;
        let vault = vault::unlock(&config.vault, keys, backend.store().as_ref()).await?;
        vault.enter().await.context("the vault cannot be used")?;
        vault.look_after(&tasks);
        // Who stood by may have done so for months, in which others put further revisions in force.
        let profile = accepted_profile(config)?;
        let register_options = sayso_consent::Options {
            withdraw_wait: ms(config.sessions.withdraw_wait_ms),
            tenure,
            has_page: config.pages.is_some(),
            deletes: processors.forgetters.keys().copied().collect(),
            confirm_within: ms(config.deletion_within_ms),
            ..sayso_consent::Options::default()
        };
        let register = Register::open(
            backend.store(),
            Arc::clone(&vault),
            Arc::new(profile),
            Arc::clone(&clock),
            tasks.clone(),
            register_options,
        )
        .await?;
        register.note_config(config.node(), &config.noted()?).await?;
        register.note_keys(Actor::SYSTEM).await?;
        witnesses::begin_signing(register.journal(), &signer).await?;
        let anchor = witnesses::anchor(&config.witnesses, register.journal(), &signer, &clock)?;
        let egress = Arc::new(Egress::new(Arc::clone(&register), processors, Timeouts::default(), tasks.clone()));
        egress.start_forgetting();
        let missing = egress.missing();
        if !missing.is_empty() {
            bail!("nobody is configured for {missing:?}: enable [local] or add [[openai]] services for these stages");
        }
        let sessions = ActorSessions::start(
            Arc::clone(&register),
            egress,
            tasks.clone(),
            Arc::clone(&clock),
            session_options(config),
        )
        .await?;

        let gateway = Gateway::bind(
            GatewayOptions {
                listen: config.gateway.listen,
                tls: gateway_identity.gateway_tls(config.gateway.device_authority.as_deref())?,
                tokens: verifier(&config.gateway.token_keys)?,
                limits: config.gateway.limits,
            },
            Arc::new(sessions.clone()),
            tasks.clone(),
            Arc::clone(&clock),
        )?;
        let admin = Admin::bind(
            AdminOptions {
                listen: config.admin.listen,
                tls: admin_identity.admin_tls(config.admin.authority.as_deref())?,
                tokens: verifier(&config.admin.token_keys)?.map(AdminTokens::new),
                operator_key: operator_key(&seed),
                limits: config.admin.limits,
            },
            sessions.clone(),
            Arc::clone(&register),
            Arc::clone(&signer),
            clock,
            tasks.clone(),
        )?;
        let (gateway_addr, admin_addr) = (gateway.local_addr(), admin.local_addr());
        let policy_accepted = watch::Sender::new(true);
        let mut admin = admin.with_policy_health(policy_accepted.subscribe());
        if let Some(anchor) = anchor {
            admin = admin.with_witnesses(anchor.standing());
            anchor.start(&tasks);
        }
        if let Some(cluster) = backend.cluster() {
            admin = admin.with_cluster(cluster);
        }
        let stop = CancellationToken::new();
        let mut pages_addr = None;
        if let Some(at) = &config.pages {
            let pages = Pages::bind(at.listen, Arc::clone(&register), tasks.clone()).await.context("pages.listen")?;
            pages_addr = Some(pages.local_addr());
            tasks.spawn(TaskKind::Listener, "pages", pages.run(stop.clone())).detach();
        }
        tasks.spawn(TaskKind::Listener, "gateway", gateway.run(stop.clone())).detach();
        tasks.spawn(TaskKind::Listener, "admin", admin.run(stop.clone())).detach();
        let backend = opened.take().expect("it was opened above");
        Ok(Self {
            tasks,
            register,
            signer,
            gateway_addr,
            admin_addr,
            pages_addr,
            recogniser,
            sessions,
            policy_accepted,
            vault,
            backend,
            stop,
        })
    }

    /// Waits until a task fails without which the node cannot go on; its name.
    pub(crate) async fn failure(&self) -> &'static str {
        tokio::select! {
            failure = self.tasks.failure() => failure.name,
            failure = self.backend.failure() => failure.name,
        }
    }

    /// Waits until the node can replicate its store no more; what to tell whoever runs it.
    pub(crate) fn ended(&self) -> impl Future<Output = anyhow::Error> + use<> {
        self.backend.ended()
    }

    /// Reads its files again: the profile, and the key encryption key, under whose newest version the keys are wrapped.
    pub(crate) async fn reload(&self, config: &Config) {
        self.reload_profile(config).await;
        match self.vault.rewrap().await {
            Ok(_) => tracing::info!("the keys are wrapped under the newest key encryption key"),
            Err(error) => tracing::error!(%error, "the keys stay wrapped as they are"),
        }
        if let Err(error) = self.register.note_keys(Actor::SYSTEM).await {
            // the next start finds it again
            tracing::error!(%error, "what wraps the keys is not on record yet");
        }
    }

    /// Reads the profile again and puts it in force, also for those who talk. What is wrong with it is told, and the
    /// revision in force stays.
    async fn reload_profile(&self, config: &Config) {
        let outcome = self.publish(config).await;
        let rev = self.register.profile().rev();
        match &outcome {
            Ok(changes) => {
                tracing::info!(rev, asks_again = changes.reconsent().next().is_some(), "the profile was read again");
                changes.changes.iter().for_each(|change| tracing::info!(kind = ?change.kind, %change, "changed"));
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, rev, "the profile is refused; the revision in force stays");
            }
        }
        metrics::gauge!("sayso_policy_refused").set(u8::from(outcome.is_err()));
        self.policy_accepted.send_replace(outcome.is_ok());
    }

    async fn publish(&self, config: &Config) -> Result<Diff> {
        // the linter looks at everything there is: no thread of a conversation waits for it
        let config = config.clone();
        let profile = self.tasks.blocking("read profile", move || accepted_profile(&config)).await??;
        let profile = Arc::new(profile);
        match self.register.publish(Arc::clone(&profile)).await {
            Err(Error::Revision(RevisionError::NotYet { rev, .. })) => {
                // people are told first; it comes into force by itself
                self.register.announce(profile).await?;
                tracing::info!(rev, "the revision is announced");
                Ok(Diff::default())
            }
            published => Ok(published?),
        }
    }

    /// Where it is told that its store is to move.
    pub(crate) fn moves(&self, config: &Config) -> Moves {
        Moves::of(config, &self.backend)
    }

    /// Stops in order: devices are told to come back, what is being written is finished, the store is closed.
    pub(crate) async fn stop(self, signals: &mut Signals) -> Vec<&'static str> {
        let (mut overdue, backend) = self.rest(signals).await;
        overdue.extend(close(backend, signals).await);
        overdue
    }

    /// Stops in order, and leaves its store for the one that its data is moving to.
    pub(crate) async fn leave(self, mut moving: Moving, signals: &mut Signals) -> Result<()> {
        let (_, backend) = tokio::select! {
            rested = self.rest(signals) => rested,
            never = moving.keep_up() => match never {},
        };
        let finished = moving.finish().await;
        close(backend, signals).await;
        finished
    }

    /// Serves nobody any more, and ends what runs.
    async fn rest(self, signals: &mut Signals) -> (Vec<&'static str>, Backend) {
        let Self { tasks, sessions, backend, vault, stop, .. } = self;
        let mut overdue = Phases::new()
            .then("drain sessions", ms(5_000), async move {
                sessions.drain(RECONNECT_IN);
                stop.cancel();
            })
            .then("end tasks", ms(10_000), async move {
                tasks.shutdown(ms(9_000)).await;
            })
            .run(signals)
            .await;
        if overdue.is_empty() {
            let leave = async move {
                if let Err(error) = vault.leave().await {
                    tracing::warn!(%error, "the next start purges the keys");
                }
            };
            overdue = Phases::new().then("leave the vault", ms(2_000), leave).run(signals).await;
        }
        (overdue, backend)
    }
}

/// Waits until this process owns what is in the store. Where nodes share it and only a part of what is put into it is there,
/// they wait for the rest: whoever puts it there may need their disks for that.
async fn own(backend: &mut Backend) -> Result<Tenure> {
    loop {
        let tenure = backend.own(|owner| tracing::info!(owner, "standing by")).await?;
        let store = backend.store();
        match require_whole(store.as_ref()).await {
            Ok(()) => return Ok(tenure),
            Err(error) if !backend.is_shared() => return Err(error),
            Err(error) => tracing::warn!(%error, "waiting until all is there that is put into the store"),
        }
        backend.disown().await;
        while require_whole(store.as_ref()).await.is_err() {
            tokio::time::sleep(WHOLE_EVERY).await;
        }
    }
}

/// Closes the store in order.
pub(crate) async fn close(backend: Backend, signals: &mut Signals) -> Vec<&'static str> {
    Phases::new().then("close store", ms(10_000), backend.close()).run(signals).await
}

fn session_options(config: &Config) -> sayso_session_actor::Options {
    let limits = &config.sessions;
    sayso_session_actor::Options {
        sessions_max: limits.max,
        resume_within: ms(limits.resume_within_ms),
        endpoint: config.agent.endpoint,
        session: sayso_session::Options {
            idle_after: ms(limits.idle_after_ms),
            answer_within: ms(limits.answer_within_ms),
            role: config.agent.role.clone(),
            ..sayso_session::Options::default()
        },
        ..sayso_session_actor::Options::default()
    }
}

fn add_local(config: &Config, processors: &mut Processors, clock: &Arc<dyn Clock>) -> Result<Arc<WhisperTranscriber>> {
    let models = ModelsDir::from_env()?;
    let pool = Arc::new(InferencePool::new(config.local.threads, config.local.queue, Arc::clone(clock))?);
    let recogniser = Arc::new(WhisperTranscriber::load(&models, Arc::clone(&pool))?);
    let voice = VoiceSynthesizer::load(&models, pool)?;
    let zone = jiff::tz::TimeZone::get(&config.timezone).with_context(|| {
        format!("timezone {:?} is not known; use an IANA name such as Europe/Berlin", config.timezone)
    })?;
    let local = &config.local;
    processors.transcribers.register(ProcessorId(local.transcriber), recogniser.clone());
    processors.responders.register(ProcessorId(local.responder), Arc::new(RuleResponder::new(Arc::clone(clock), zone)));
    processors.synthesizers.register(ProcessorId(local.synthesizer), Arc::new(voice));
    Ok(recogniser)
}

fn add_openai(service: &OpenAi, processors: &mut Processors, clock: &Arc<dyn Clock>) -> Result<()> {
    let id = service.id;
    let named = || format!("openai service {id}");
    let mut endpoint = Endpoint::new(service.base_url.parse()?, &service.model).with_context(named)?;
    if let Some(variable) = &service.api_key_env {
        let key = std::env::var(variable)
            .with_context(|| format!("{}: the environment variable {variable} must hold its key", named()))?;
        endpoint = endpoint.with_api_key(ApiKey::new(key).with_context(named)?);
    }
    if let Some(file) = &service.ca_file {
        endpoint = endpoint.with_ca_file(file).with_context(named)?;
    }
    let clock = Arc::clone(clock);
    if service.realtime && service.stage != Stage::Asr {
        bail!("{}: realtime is for recognition (stage = \"asr\"); leave it out", named());
    }
    match service.stage {
        Stage::Asr if service.realtime => {
            processors.transcribers.register(id, Arc::new(OpenAiRealtimeTranscriber::new(endpoint)));
        }
        Stage::Asr => processors.transcribers.register(id, Arc::new(OpenAiTranscriber::new(endpoint, clock))),
        Stage::Llm => processors.responders.register(id, Arc::new(OpenAiResponder::new(endpoint, clock))),
        Stage::Vision => processors.viewers.register(id, Arc::new(OpenAiViewer::new(endpoint, clock))),
        Stage::Tts => {
            let voice =
                OpenAiSynthesizer::new(endpoint, &service.voice, SpeechFormat::Wav, clock).with_context(named)?;
            processors.synthesizers.register(id, Arc::new(voice));
        }
    }
    Ok(())
}

fn add_forgetter(at: &Deletion, processors: &mut Processors) -> Result<()> {
    let id = at.id;
    let named = || format!("deletion at processor {id}");
    let mut endpoint = Endpoint::without_model(at.url.parse().with_context(named)?);
    if let Some(variable) = &at.api_key_env {
        let key = std::env::var(variable)
            .with_context(|| format!("{}: the environment variable {variable} must hold its key", named()))?;
        endpoint = endpoint.with_api_key(ApiKey::new(key).with_context(named)?);
    }
    if let Some(file) = &at.ca_file {
        endpoint = endpoint.with_ca_file(file).with_context(named)?;
    }
    if processors.forgetters.insert(id, Arc::new(HttpForgetter::new(endpoint))).is_some() {
        bail!("{}: it is configured twice; keep one [[deletion]] with this id", named());
    }
    Ok(())
}

/// Reads the profile. It must let data be stored where the node stands. Every processor that is configured must be one that it knows: data never goes to somebody whom the
/// notice does not name.
fn accepted_profile(config: &Config) -> Result<Profile> {
    let profile = config.read_profile()?;
    config.store.require_place(&profile)?;
    let local = [config.local.transcriber, config.local.responder, config.local.synthesizer];
    let local = local.into_iter().filter(|_| config.local.enabled);
    for id in local.map(ProcessorId).chain(config.openai.iter().map(|service| service.id)) {
        let Some(receiver) = profile.processor(id) else {
            bail!("processor {id} is configured but not in the profile; register it there, with party and region");
        };
        // what the node hands over itself it hands over whole
        if let Some(category) = receiver.fields.keys().next() {
            bail!(
                "processor {id} may have some fields of {category} only (`fields`), to which the node's own calls cannot keep:                  have a service of its own call it, which asks for permits and is told the fields, or accept the category whole"
            );
        }
    }
    if profile.processor(DETECTOR).is_none_or(|detector| detector.kind != ProcessorKind::Vad) {
        bail!(
            "the profile has no processor {DETECTOR} of kind \"vad\", so nobody may be listened to; add it, as the profile that \
             `sayso init` writes has it"
        );
    }
    for id in config.deletion.iter().map(|at| at.id) {
        require_can_be_told(&profile, id)?;
    }
    Ok(profile)
}

/// Refuses a receiver that is to be told to delete, of which the profile does not say that it can be, or how long it keeps what
/// it is given: of one that does not answer, a certificate of erasure names the day on which nothing is left there.
fn require_can_be_told(profile: &Profile, id: ProcessorId) -> Result<()> {
    let processor = profile.processor(id).filter(|processor| processor.deletion_api).with_context(|| {
        format!(
            "processor {id} is to be told to delete, but the profile does not say that it can be (deletion_api = true)"
        )
    })?;
    let declared = processor.declared_retention.as_ref();
    if declared.and_then(Deadline::period).is_none() && !processor.zero_retention {
        bail!(
            "processor {id} is to be told to delete, but the profile does not say how long it keeps what it is given if it \
             never answers: write that as a period, such as declared_retention = \"P30D\""
        );
    }
    Ok(())
}

fn verifier(keys: &[TokenKey]) -> Result<Option<TokenVerifier>> {
    if keys.is_empty() {
        return Ok(None);
    }
    let keys: Result<Vec<_>> = keys
        .iter()
        .map(|key| {
            let bytes = <[u8; 32]>::from_hex(&key.public_key).ok();
            let public = bytes.and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok());
            Ok((
                key.id,
                public.with_context(|| format!("token key {}: public-key is not an Ed25519 key in hex", key.id))?,
            ))
        })
        .collect();
    Ok(Some(TokenVerifier::new(keys?)))
}

/// Reads the seed of the audit log's key.
fn read_seed(file: &Path) -> Result<[u8; 32]> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the log key {}", file.display()))?;
    <[u8; 32]>::from_hex(text.trim())
        .ok()
        .with_context(|| format!("{} does not hold 64 hexadecimal digits", file.display()))
}

/// The key that makes operators' tags in the log: derived from the log's own secret, so that there is one to keep.
fn operator_key(seed: &[u8; 32]) -> AuditKey {
    AuditKey::new(Sha256::new().chain_update(seed).chain_update(b"sayso/operator-tags/v1").finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_told_to_delete_in_one_place() {
        let at =
            |url: &str| Deletion { id: "cloud".parse().unwrap(), url: url.into(), api_key_env: None, ca_file: None };
        let mut processors = Processors::none();
        add_forgetter(&at("https://one.example"), &mut processors).unwrap();
        let error = add_forgetter(&at("https://two.example"), &mut processors).unwrap_err().to_string();
        assert!(error.contains("deletion at processor cloud") && error.contains("twice"), "{error}");
    }
}
