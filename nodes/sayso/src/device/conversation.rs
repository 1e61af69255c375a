//! [`Conversation`]: speaks when the node listens, and listens when it speaks.

use core::time::Duration;

use anyhow::{Context, Result, bail};
use sayso_device::{Device, DeviceEvent, Ended, Events, Played};
use sayso_types::Pcm;
use sayso_wire::{ConsentDecision, ConsentStatus, ListenMode, ToDevice};
use tokio::time::timeout;

use super::floor::{Consent, Floor};
use super::utterance::Utterance;
use super::view::View;

/// How long the node may be silent where something must come. Four times what it takes at most to begin an answer by
/// default, so that its own word of a failure comes first.
const PATIENCE: Duration = Duration::from_secs(60);

/// The two sides of a conversation, from the device's side.
pub(super) struct Conversation {
    device: Device,
    events: Events,
    view: View,
    floor: Floor,
    mode: ListenMode,
    /// How the consent question is answered, if not by the next utterance.
    pub(super) button: Option<ConsentDecision>,
    /// Whether an answer that was not saved is a failure.
    pub(super) saves: bool,
}

impl Conversation {
    pub(super) fn new(device: Device, events: Events, view: View, mode: ListenMode) -> Self {
        Self { device, events, view, floor: Floor::default(), mode, button: None, saves: false }
    }

    /// Says one utterance after the other, each when the answer to the one before was heard.
    pub(super) async fn hold(&mut self, utterances: &[Utterance]) -> Result<()> {
        if utterances.is_empty() && self.button.is_some() {
            self.open().await?;
        }
        for utterance in utterances {
            match utterance {
                Utterance::Recording { title, sound } => {
                    self.open().await?;
                    self.play(title, sound).await?;
                }
                Utterance::Text(text) => self.write(text).await?,
            }
        }
        if matches!(self.floor.consent(), Consent::Asked { .. }) {
            bail!("the consent question is still open: answer it with a recorded yes or no, or with --consent");
        }
        Ok(())
    }

    /// Gets the node to listen. At first contact it reads out the consent question before.
    async fn open(&mut self) -> Result<()> {
        self.check_consent()?;
        if !self.floor.listens() {
            self.device.listen_start(self.mode)?;
            self.until(|floor| floor.listens() || floor.was_asked()).await?;
        }
        self.press_button().await?;
        // With push to talk, whoever heard the question out pushes once more.
        if !self.floor.listens() && self.may_speak() {
            self.device.listen_start(self.mode)?;
            self.until(Floor::listens).await?;
        }
        Ok(())
    }

    /// Speaks `sound` in real time and hears the answer.
    async fn play(&mut self, title: &str, sound: &Pcm) -> Result<()> {
        self.check_consent()?;
        self.view.says(title, sound.ms())?;
        let before = self.floor.answers();
        let device = self.device.clone();
        let said = device.say(sound);
        tokio::pin!(said);
        loop {
            tokio::select! {
                said = &mut said => break said?,
                event = self.events.next() => self.take(event)?,
            }
        }
        if self.mode == ListenMode::Manual {
            self.device.listen_stop()?;
        }
        self.answered(before).await
    }

    /// Types `text` and hears the answer. A node that may not take it yet asks for consent instead.
    async fn write(&mut self, text: &str) -> Result<()> {
        let asked = self.floor.was_asked();
        self.send(text).await?;
        if !asked && self.floor.was_asked() {
            self.press_button().await?;
            self.send(text).await?;
        }
        Ok(())
    }

    async fn send(&mut self, text: &str) -> Result<()> {
        self.check_consent()?;
        let before = self.floor.answers();
        self.view.types(text)?;
        self.device.say_text(text)?;
        self.answered(before).await
    }

    /// Answers the consent question, if it is open and a button was given for it.
    async fn press_button(&mut self) -> Result<()> {
        let (Some(decision), Consent::Asked { prompt_id, .. }) = (self.button, self.floor.consent()) else {
            return Ok(());
        };
        let before = self.floor.answers();
        self.device.answer_consent(prompt_id, decision)?;
        self.answered(before).await
    }
