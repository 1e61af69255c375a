//! [`Found`]: what a path leads to.

use sayso_policy::Tongue;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    /// The privacy notice.
    Privacy,
    /// Who receives data.
    Processors,
    /// What everybody is told.
    Announcements,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A page in a language.
    Page(Page, Tongue),
    /// The way there, in the language that the reader prefers.
    Front,
    /// How the pages look.
    Style,
    /// Nothing.
    Nothing,
}

impl Page {
    /// All of them, in the order of their links.
    pub const ALL: [Self; 3] = [Self::Privacy, Self::Processors, Self::Announcements];

    /// The last part of its path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Privacy => "privacy",
            Self::Processors => "processors",
            Self::Announcements => "announcements",
        }
    }

    /// Its path in the language `tongue`.
    #[must_use]
    pub fn path(self, tongue: Tongue) -> String {
        format!("/{}/{}", tongue.tag(), self.name())
    }

    /// What links to it say.
    #[must_use]
    pub const fn title(self, tongue: Tongue) -> &'static str {
        match (self, tongue) {
            (Self::Privacy, Tongue::English) => "Privacy notice",
            (Self::Privacy, Tongue::Chinese) => "隐私政策",
            (Self::Processors, Tongue::English) => "Who receives data",
            (Self::Processors, Tongue::Chinese) => "数据接收方",
            (Self::Announcements, Tongue::English) => "Announcements",
            (Self::Announcements, Tongue::Chinese) => "公告",
        }
    }
}

impl Found {
    /// What `path` leads to.
    #[must_use]
    pub fn at(path: &str) -> Self {
        let page = |tongue: Tongue| Page::ALL.into_iter().find(|page| page.path(tongue) == path).zip(Some(tongue));
        match path {
            "/" => Self::Front,
            "/style.css" => Self::Style,
            _ => {
                Tongue::ALL.into_iter().find_map(page).map_or(Self::Nothing, |(page, tongue)| Self::Page(page, tongue))
            }
        }
    }
}

/// The language that a reader prefers, by the header `Accept-Language` (RFC 9110, 12.5.4): the first that the engine has,
/// whatever its weight, for browsers list them in that order.
#[must_use]
pub(crate) fn preferred(accept: Option<&str>) -> Tongue {
    let tags = accept.unwrap_or_default().split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    tags.filter_map(|tag| tag.parse().ok()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_page_and_any_other_to_nothing() {
        for page in Page::ALL {
            for tongue in Tongue::ALL {
                assert_eq!(Found::at(&page.path(tongue)), Found::Page(page, tongue));
            }
        }
        assert_eq!((Found::at("/"), Found::at("/style.css")), (Found::Front, Found::Style));
        for path in ["", "/en", "/en/", "/fr/privacy", "/en/privacy/", "/en/../zh/privacy", "/en/privacy?x"] {
            assert_eq!(Found::at(path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn readers_are_shown_their_language() {
        for (accept, tongue) in [
            (None, Tongue::English),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), Tongue::Chinese),
            (Some("fr, en;q=0.5"), Tongue::English),
            (Some("fr"), Tongue::English),
            (Some(";;,=,"), Tongue::English),
        ] {
            assert_eq!(preferred(accept), tongue, "{accept:?}");
        }
    }
}
