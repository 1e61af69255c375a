//! What people are shown whenever they begin to use the service: which policy holds, and where to read it.

use sayso_types::Name;

use super::{NoticeForm, NoticeOccasion, Profile};

impl Profile {
    /// What a device that speaks `language` shows whenever somebody begins to use the service, if the policy promises that
    /// (`[notify.session]`): its title, its revision, and where it is read.
    #[must_use]
    pub fn shown_at_opening(&self, language: Name) -> Option<String> {
        let duty = self.document.notify.get(&NoticeOccasion::Session)?;
        let header = self.header();
        let url = header.url.as_deref().filter(|_| duty.form.contains(&NoticeForm::Screen))?;
        let title = header.title.get(&language).map_or(header.id.as_str(), String::as_str);
        Some(match language.as_str().split('-').next() {
            Some("zh") => format!("《{title}》第 {} 版。请阅读：{url}", header.rev),
            _ => format!("{title}, revision {}. Please read it: {url}", header.rev),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The profile of a home, with `more` in its header and `after` its end.
    fn home(more: &str, after: &str) -> Profile {
        let home = include_str!("../../../../deploy/profiles/home.toml");
        Profile::in_force_before(&format!(
            "{}\n{after}",
            home.replacen("[profile]\n", &format!("[profile]\n{more}\n"), 1)
        ))
        .unwrap()
    }

    #[test]
    fn title_revision_and_page_are_shown_where_that_is_promised_and_nothing_elsewhere() {
        let url = "url = \"https://home.example/privacy\"";
        let profile = home(url, "[notify.session]\nform = [\"screen\"]");
        let shown = |language| profile.shown_at_opening(Name::constant(language)).unwrap();
        assert_eq!(shown("en"), "Privacy at home, revision 1. Please read it: https://home.example/privacy");
        assert_eq!(shown("zh"), "《居家隐私》第 1 版。请阅读：https://home.example/privacy");
        assert_eq!(home(url, "").shown_at_opening(Name::constant("en")), None);
    }
}
