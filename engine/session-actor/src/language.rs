//! [`Languages`]: what sessions say, in the languages of the profile.

use std::sync::{Arc, Mutex, PoisonError};

use sayso_policy::{Profile, ProfileHash};
use sayso_session::{Options as SessionOptions, Prompts};
use sayso_types::Name;
use sha2::{Digest, Sha256};

use crate::Options;

/// What the sessions of one language share.
pub(crate) struct Language {
    pub(crate) name: Name,
    pub(crate) session: Arc<SessionOptions>,
    /// Of what is shown of the policy whenever somebody begins.
    pub(crate) policy_sha256: [u8; 32],
    /// Of the consent question as it is read out.
    pub(crate) notice_sha256: [u8; 32],
    /// The same as it is read out to whoever agreed to an earlier revision.
    pub(crate) again_sha256: [u8; 32],
    /// Whose texts these are.
    pub(crate) revision: u32,
}

/// The languages of the newest revision of the policy. Sessions that began under an older one keep its texts.
pub(crate) struct CurrentLanguages(Mutex<(ProfileHash, Arc<Languages>)>);

impl CurrentLanguages {
    pub(crate) fn new(profile: &Profile, options: &Options) -> Self {
        Self(Mutex::new((profile.hash(), Arc::new(Languages::new(profile, options)))))
    }

    /// The languages of `profile`, worked out again when it is not the one of the last time.
    pub(crate) fn under(&self, profile: &Profile, options: &Options) -> Arc<Languages> {
        // nothing panics while it is held
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != profile.hash() {
            *current = (profile.hash(), Arc::new(Languages::new(profile, options)));
        }
        Arc::clone(&current.1)
    }
}

/// Every language that the profile has its notice in.
pub(crate) struct Languages {
    all: Vec<Arc<Language>>,
    /// The one of devices that name none of them.
    usual: Arc<Language>,
}

impl Languages {
    pub(crate) fn new(profile: &Profile, options: &Options) -> Self {
        let language = |name: &Name| Arc::new(Language::new(*name, profile, options));
        let names = &profile.header().languages;
        let all: Vec<_> = names.iter().map(language).collect();
        let usual = all.iter().find(|language| language.name == options.language).or_else(|| all.first());
        let usual = usual.map_or_else(|| language(&options.language), Arc::clone);
        Self { all, usual }
    }

    /// The language for a device that asks for this BCP 47 tag: as it says, or without the region.
    pub(crate) fn choose(&self, tag: Option<&str>) -> &Arc<Language> {
        let tag = tag.unwrap_or_default().to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        let named = |name: &str| self.all.iter().find(|language| language.name.as_str() == name);
        named(&tag).or_else(|| named(primary)).unwrap_or(&self.usual)
    }
}

impl Language {
    fn new(name: Name, profile: &Profile, options: &Options) -> Self {
        let notice = profile.notice(name).clone();
        let prompts = Prompts {
            consent_again: notice.spoken_again(name),
            consent: notice.spoken,
            more: notice.more,
            thanks: notice.thanks,
            refused: notice.refused,
            deferred: notice.deferred,
            withdrawn: notice.withdrawn,
            taken_back: taken_back(name).to_owned(),
            not_understood: notice.not_understood,
            kept: kept(name).to_owned(),
            guest_mode: guest_mode(name, true).to_owned(),
            guest_mode_off: guest_mode(name, false).to_owned(),
            failed: failed(name).to_owned(),
        };
        let sha256 = |text: &str| Sha256::digest(text.as_bytes()).into();
        let (notice_sha256, again_sha256) = (sha256(&prompts.consent), sha256(&prompts.consent_again));
        let asked_purposes = profile.asks().spoken.iter().copied().collect();
        let policy = profile.shown_at_opening(name).unwrap_or_default();
        let policy_sha256 = sha256(&policy);
        let session = Arc::new(SessionOptions { prompts, asked_purposes, policy, ..options.session.clone() });
        Self { name, session, policy_sha256, notice_sha256, again_sha256, revision: profile.rev() }
    }
}

/// What is said to whoever does not agree to what has changed. It is the same whatever that is.
fn kept(language: Name) -> &'static str {
    match language.as_str().split('-').next() {
        Some("zh") => "好的，一切仍按你之前同意的来。",
        _ => "All right. It stays as you agreed before.",
    }
}

/// What is said to whoever has taken something back aloud, and not all of it. Gates are closed then; erasure goes on.
fn taken_back(language: Name) -> &'static str {
    match language.as_str().split('-').next() {
        Some("zh") => "好的，我不再保存，已保存的正在删除。",
        _ => "All right. I keep no more of it, and what I have kept is being erased.",
    }
}

/// What is said to a guest, and to an owner who is back. What they agree to is asked with the words of the profile.
fn guest_mode(language: Name, is_on: bool) -> &'static str {
    match (language.as_str().split('-').next(), is_on) {
        (Some("zh"), true) => "访客模式已打开。访客模式结束时，为你保存的内容会被删除。",
        (Some("zh"), false) => "访客模式已关闭。",
        (_, true) => "Guest mode is on. When it ends, what is kept of you is erased.",
        (_, false) => "Guest mode is off.",
    }
}

/// What is said when an answer could not be made: no matter of privacy, so not one of the profile.
fn failed(language: Name) -> &'static str {
    match language.as_str().split('-').next() {
        Some("zh") => "抱歉，我现在回答不了。",
        _ => "Sorry, I could not answer that.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_spoken_to_in_its_language_where_the_profile_has_it() {
        let profile = Profile::parse(include_str!("../../../deploy/profiles/home.toml")).unwrap();
        let languages = Languages::new(&profile, &Options::default());
        for (tag, name) in [("zh-CN", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("de", "en"), ("", "en")] {
            assert_eq!(languages.choose(Some(tag)).name.as_str(), name, "{tag}");
        }
        let options = Options { language: Name::constant("zh"), ..Options::default() };
        assert_eq!(Languages::new(&profile, &options).choose(None).name.as_str(), "zh");
        let options = Options { language: Name::constant("fr"), ..Options::default() };
        assert_eq!(Languages::new(&profile, &options).choose(None).name.as_str(), "en", "it is not in the profile");

        let chinese = languages.choose(Some("zh"));
        assert!(chinese.session.prompts.consent.starts_with("你好"));
        assert_eq!(chinese.notice_sha256, <[u8; 32]>::from(Sha256::digest(&chinese.session.prompts.consent)));
        assert_eq!(chinese.session.asked_purposes.len(), 2);
        assert!(chinese.session.prompts.guest_mode.starts_with("访客模式已打开"));
        assert_eq!(languages.choose(None).session.prompts.guest_mode_off, "Guest mode is off.");
    }
}
