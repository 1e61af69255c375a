//! [`Services`]: what every session of a node shares.

use std::sync::Arc;

use sayso_consent::Register;
use sayso_egress::Egress;
use sayso_runtime::Tasks;
use sayso_session::Prompts;
use sayso_types::{Clock, Name, SessionId};
use tokio::sync::broadcast;

use crate::{Change, Options};

pub(crate) struct Services {
    pub(crate) register: Arc<Register>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) changes: broadcast::Sender<(SessionId, Change)>,
}

impl Services {
    /// What sessions say in the language that a device asks for, as far as the profile has it.
    pub(crate) fn prompts(&self, language: Option<&str>) -> (Name, Prompts) {
        let profile = self.register.profile();
        let primary = language.and_then(|l| l.split('-').next()).map(str::to_ascii_lowercase);
        let wanted = primary.and_then(|l| Name::parse(&l).ok()).filter(|l| profile.header().languages.contains(l));
        let language = wanted.unwrap_or(self.options.language);
        let notice = profile.notice(language).clone();
        let failed = match language.as_str() {
            "zh" => "抱歉，我现在回答不了。",
            _ => "Sorry, I could not answer that.",
        };
        let prompts = Prompts {
            consent: notice.spoken,
            thanks: notice.thanks,
            refused: notice.refused,
            deferred: notice.deferred,
            withdrawn: notice.withdrawn,
            not_understood: notice.not_understood,
            failed: failed.to_owned(),
        };
        (language, prompts)
    }
}
