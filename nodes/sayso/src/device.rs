//! `sayso device`: a device with recordings for a microphone and files for a loudspeaker.

mod conversation;
mod floor;
mod utterance;
pub(crate) mod view;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_device::{Device, DeviceOptions};
use sayso_runtime::Tasks;
use sayso_runtime::shutdown::Signals;
use sayso_runtime::telemetry::{self, TelemetryOptions};
use sayso_types::Redacted;
use sayso_wire::{AudioFormat, Capabilities, ConsentDecision, ListenMode};

use self::conversation::Conversation;
use self::utterance::Utterance;
use self::view::View;
use crate::certs::{Identity, read_roots};
use crate::cli::{Button, DeviceArgs, Mode, Switch};
use crate::serve::runtime;

pub(crate) fn run(args: DeviceArgs) -> Result<ExitCode> {
    let utterances = Utterance::all(&args.wav, &args.text, &args.picture)?;
    let options = options(&args)?;
    runtime()?.block_on(talk(&args, options, utterances))?;
    Ok(ExitCode::SUCCESS)
}

async fn talk(args: &DeviceArgs, options: DeviceOptions, utterances: Vec<Utterance>) -> Result<()> {
    let tasks = Tasks::new();
    // What happens goes to standard output; the log is for what should not.
    telemetry::init(&TelemetryOptions { log_filter: "warn".to_owned(), ..TelemetryOptions::default() }, &tasks)?;
    let mut signals = Signals::catch()?;
    let (device, events) = tokio::select! {
        connected = Device::connect(options, &tasks) => connected?,
        _ = signals.next() => return Ok(()),
    };
    let view = if args.json { View::Json } else { View::Lines };
    view.connected(args.server, device.welcome())?;
    let mut conversation = Conversation::new(device.clone(), events, view, listen_mode(args.mode));
    conversation.button = args.consent.map(decision);
    conversation.saves = args.save.is_some();
    conversation.guest = args.guest.map(|guest| guest == Switch::On);
    let held = tokio::select! {
        held = conversation.hold(&utterances) => held,
        // Whoever interrupts it has had enough: that is no failure.
        _ = signals.next() => Ok(()),
    };
    device.goodbye().await;
    view.goodbye(held.is_ok())?;
    held
}

fn options(args: &DeviceArgs) -> Result<DeviceOptions> {
    let file = |name: &str| args.certs.join(name);
    let identity = match &args.token {
        Some(token) => sayso_device::Identity::Token(read_token(token)?),
        None => Identity::read(&file("cert.pem"), &file("key.pem"))?.device(),
    };
    if let Some(dir) = &args.save {
        fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    }
    Ok(DeviceOptions {
        server: args.server,
        server_name: args.server_name.clone(),
        roots: read_roots(&file("ca.pem"))?,
        identity,
        device_id: args.device_id.clone(),
        firmware: concat!("sayso-device ", env!("CARGO_PKG_VERSION")).to_owned(),
        capabilities: Capabilities {
            datagram: !args.no_datagrams,
            // A recording hears no echo of the answer.
            barge_in: true,
            screen: false,
        },
        uplink: AudioFormat::MONO_16K,
        downlink: AudioFormat::MONO_24K,
        resume_token: None,
        language: args.language.clone(),
        save: args.save.clone(),
    })
}

/// The token itself, or what the file behind an `@` holds.
fn read_token(token: &str) -> Result<Redacted<String>> {
    let Some(file) = token.strip_prefix('@') else { return Ok(Redacted::new(token.to_owned())) };
    let token = fs::read_to_string(file).with_context(|| format!("cannot read a device token from {file}"))?;
    Ok(Redacted::new(token.trim().to_owned()))
}

const fn listen_mode(mode: Mode) -> ListenMode {
    match mode {
        Mode::Auto => ListenMode::Auto,
        Mode::Manual => ListenMode::Manual,
        Mode::Realtime => ListenMode::Realtime,
    }
}

const fn decision(button: Button) -> ConsentDecision {
    match button {
        Button::Agree => ConsentDecision::Agree,
        Button::Refuse => ConsentDecision::Refuse,
    }
}
