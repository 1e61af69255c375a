//! [`Conversation`]: speaks when the node listens, and listens when it speaks.

use core::time::Duration;

use anyhow::{Context, Result, bail};
use sayso_device::{Device, DeviceEvent, Ended, Events, Played};
use sayso_types::{Pcm, Picture};
use sayso_wire::{ConsentDecision, ConsentStatus, ListenMode, ToDevice};
use tokio::time::timeout;

use super::floor::{Consent, Floor};
use super::utterance::Utterance;
use super::view::{self, View};

/// How long the node may say nothing where something must come. By default it gives up a turn after a quarter of it
/// and says so, which tells more than our giving up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A conversation with a node, from the device's side.
pub(super) struct Conversation {
    device: Device,
    events: Events,
    view: View,
    floor: Floor,
    mode: ListenMode,
    /// How the consent question is answered, if not by the next utterance.
    pub(super) button: Option<ConsentDecision>,
    /// Whether a guest speaks, if that is to be switched first.
    pub(super) guest: Option<bool>,
    /// Whether an answer that could not be saved is a failure.
    pub(super) saves: bool,
}

impl Conversation {
    pub(super) fn new(device: Device, events: Events, view: View, mode: ListenMode) -> Self {
        Self { device, events, view, floor: Floor::default(), mode, button: None, guest: None, saves: false }
    }

    /// Says one utterance after the other, each when the answer to the one before was heard.
    pub(super) async fn hold(&mut self, utterances: &[Utterance]) -> Result<()> {
        if let Some(on) = self.guest {
            let before = self.floor.answers();
            self.device.guest_mode(on)?;
            self.answered(before).await?;
        }
        if utterances.is_empty() && self.button.is_some() {
            self.approach().await?;
        }
        for utterance in utterances {
            match utterance {
                Utterance::Recording { title, sound } => self.speak(title, sound).await?,
                Utterance::Text(text) => self.write(text).await?,
                Utterance::Picture { title, picture, question } => self.show(title, picture, question).await?,
            }
        }
        if matches!(self.floor.consent(), Consent::Asked { .. }) {
            bail!("the consent question is still open: answer it with a recorded yes or no, or with --consent");
        }
        Ok(())
    }

    /// Speaks `sound` in real time and hears the answer.
    async fn speak(&mut self, title: &str, sound: &Pcm) -> Result<()> {
        self.approach().await?;
        // With push to talk, whoever heard the question out pushes once more.
        self.listen(Floor::listens).await?;
        let before = self.floor.answers();
        self.view.says(title, sound.ms())?;
        let device = self.device.clone();
        let said = device.say(sound);
        tokio::pin!(said);
        loop {
            tokio::select! {
                said = &mut said => break said?,
                event = self.events.next() => self.happened(event)?,
            }
        }
        if self.mode == ListenMode::Manual {
            self.device.listen_stop()?;
        }
        self.answered(before).await
    }

    /// Types `text` and hears the answer. At first contact that is the consent question, and the text is typed again.
    async fn write(&mut self, text: &str) -> Result<()> {
        let asked = self.floor.was_asked();
        self.send(text).await?;
        if !asked && self.floor.was_asked() {
            self.press_button().await?;
            self.send(text).await?;
        }
        Ok(())
    }

    /// Shows `picture` and hears what is said about it. At first contact that is the consent question, and it is shown again.
    async fn show(&mut self, title: &str, picture: &Picture, question: &str) -> Result<()> {
        let asked = self.floor.was_asked();
        self.offer(title, picture, question).await?;
        if !asked && self.floor.was_asked() {
            self.press_button().await?;
            self.offer(title, picture, question).await?;
        }
        Ok(())
    }

    async fn offer(&mut self, title: &str, picture: &Picture, question: &str) -> Result<()> {
        self.check_consent()?;
        let before = self.floor.answers();
        self.view.shows(title, question)?;
        self.device.show(picture, question)?;
        self.answered(before).await
    }

    async fn send(&mut self, text: &str) -> Result<()> {
        self.check_consent()?;
        let before = self.floor.answers();
        self.view.types(text)?;
        self.device.say_text(text)?;
        self.answered(before).await
    }

    /// Opens the microphone. At first contact the node reads out the consent question before it listens.
    async fn approach(&mut self) -> Result<()> {
        self.listen(|floor| floor.listens() || floor.was_asked()).await?;
        self.press_button().await
    }

    async fn listen(&mut self, until: impl Fn(&Floor) -> bool) -> Result<()> {
        if !until(&self.floor) {
            self.check_consent()?;
            self.device.listen_start(self.mode)?;
            self.until(until).await?;
        }
        Ok(())
    }

    /// Answers the consent question, if it is open and a button was given for it.
    async fn press_button(&mut self) -> Result<()> {
        if let (Some(decision), Consent::Asked { prompt_id, .. }) = (self.button, self.floor.consent()) {
            let before = self.floor.answers();
            self.device.answer_consent(prompt_id, decision)?;
            self.answered(before).await?;
        }
        Ok(())
    }

    /// A node that was told no would only ask again.
    fn check_consent(&self) -> Result<()> {
        match self.floor.consent() {
            Consent::Unasked | Consent::Asked { .. } | Consent::Decided(ConsentStatus::Given) => Ok(()),
            Consent::Decided(status) => bail!("consent is {}, so the node listens to nothing more", view::word(status)),
        }
    }

    /// Waits until the node has said something more than `before`, and is quiet again.
    async fn answered(&mut self, before: u32) -> Result<()> {
        let Ok(begun) = timeout(PATIENCE, self.until(|floor| floor.plays() || floor.answers() > before)).await else {
            bail!("no answer came within {} seconds", PATIENCE.as_secs());
        };
        begun?;
        self.until(|floor| floor.answers() > before && floor.is_quiet()).await
    }

    async fn until(&mut self, reached: impl Fn(&Floor) -> bool) -> Result<()> {
        while !reached(&self.floor) {
            let Ok(event) = timeout(PATIENCE, self.events.next()).await else {
                bail!("the node was silent for {} seconds", PATIENCE.as_secs());
            };
            self.happened(event)?;
        }
        Ok(())
    }

    /// Shows what happened; fails when the conversation cannot go on.
    fn happened(&mut self, event: Option<DeviceEvent>) -> Result<()> {
        let event = event.context("the device is gone")?;
        self.view.show(&event)?;
        self.floor.take(&event);
        match event {
            DeviceEvent::Node(ToDevice::Error { code, text, remedy, .. }) => bail!("{code}: {text}; {remedy}"),
            DeviceEvent::Played(Played { file: None, .. }) if self.saves => bail!("an answer could not be saved"),
            DeviceEvent::Ended(ended) => bail!(why(ended)),
            DeviceEvent::Node(_) | DeviceEvent::Played(_) | DeviceEvent::AudioStarted { .. } => Ok(()),
        }
    }
}

/// Why a conversation ended that the device did not end.
fn why(ended: Ended) -> String {
    match ended {
        Ended::Goodbye(goodbye) if goodbye.text.is_empty() => format!("the node left: {}", view::word(goodbye.reason)),
        Ended::Goodbye(goodbye) => format!("the node left: {}", goodbye.text),
        Ended::Left(_) => "the device left".to_owned(),
        Ended::Lost => "the connection with the node was lost".to_owned(),
        Ended::Protocol(error) => format!("the node does not keep to the protocol: {error}"),
        Ended::Failed(reason) => format!("the answer could not be played: {reason}"),
        Ended::Unread => "the device fell behind with its events".to_owned(),
    }
}

#[cfg(test)]
mod tests;
