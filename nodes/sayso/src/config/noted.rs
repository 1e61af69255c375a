//! What the audit log knows of a configuration: the names of its settings, and hashes.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sayso_audit::Hash;
use sayso_consent::Configured;
use sayso_types::Name;
use toml::{Table, Value};

use super::Config;

impl Config {
    /// Which node's it is, among those that share a store.
    pub(crate) fn node(&self) -> u64 {
        self.store.raft.as_ref().map_or(0, |raft| raft.node)
    }

    /// What the audit log knows of it.
    pub(crate) fn noted(&self) -> Result<Configured> {
        let mut texts = BTreeMap::<Name, String>::new();
        for (section, value) in Table::try_from(self).context("the configuration has no text")? {
            match value {
                Value::Table(settings) => {
                    for (setting, value) in settings {
                        let name = named(&format!("{section}.{setting}")).or_else(|| named(&section));
                        add(&mut texts, name, &setting, &value);
                    }
                }
                value => add(&mut texts, named(&section), &section, &value),
            }
        }
        let whole = texts.iter().map(|(name, text)| format!("{name}\n{text}")).collect::<String>();
        let settings = texts.into_iter().map(|(name, text)| (name, Hash::of(text.as_bytes()).to_string()));
        Ok(Configured { whole: Hash::of(whole.as_bytes()).0, settings: settings.collect() })
    }
}

/// What the log calls a setting; [`None`] for one whose name is too long for it.
fn named(setting: &str) -> Option<Name> {
    setting.parse().ok()
}

/// Adds a setting, together with others where the log knows only their section.
fn add(texts: &mut BTreeMap<Name, String>, name: Option<Name>, setting: &str, value: &Value) {
    let text = texts.entry(name.unwrap_or(Name::constant("other"))).or_default();
    text.push_str(&format!("{setting} = {value}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(change: fn(&mut Config)) -> Vec<String> {
        let mut config = Config::default();
        let before = config.noted().unwrap();
        change(&mut config);
        let after = config.noted().unwrap();
        assert_eq!(before.whole == after.whole, before == after);
        let changed = after.settings.iter().filter(|(name, hash)| before.settings.get(*name) != Some(*hash));
        changed.map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn a_setting_that_is_changed_is_named() {
        assert_eq!(differing(|_| ()), [""; 0]);
        assert_eq!(differing(|config| config.sessions.max = 1), ["sessions.max"]);
        assert_eq!(differing(|config| config.timezone = "Asia/Shanghai".to_owned()), ["timezone"]);
        let pages =
            |config: &mut Config| config.pages = Some(super::super::Pages { listen: ([127, 0, 0, 1], 80).into() });
        assert_eq!(differing(pages), ["pages.listen"]);
    }
}
