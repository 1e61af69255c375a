//! [`Draft`]: a profile file whose parts fit together, before anybody has asked whether its promises can be kept.

use super::places::Places;
use super::toml_text::read;
use super::{Document, Profile, ProfileHash, check, overlay};
use crate::error::{Error, Place, Problem};
use crate::lint::{self, Finding};
use crate::{LawFloor, WorkingCalendar};

/// A profile file that could be read: every key is known, every name in it resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    document: Document,
    places: Places,
    text: String,
}

impl Draft {
    /// The file that `text` extends, relative to its own, if it does.
    ///
    /// # Errors
    /// When `text` is not TOML.
    pub fn extends(text: &str) -> Result<Option<String>, Error> {
        overlay::extends(text)
    }

    /// Reads a profile written in TOML; `base` is the text of the file that it extends.
    ///
    /// # Errors
    /// [`Error`] names the line and key that is wrong and what to do about it.
    pub fn parse(text: &str, base: Option<&str>) -> Result<Self, Error> {
        let (table, places) = overlay::merged(text, base)?;
        let text = table.to_string();
        let document: Document = read(table, &places)?;
        check::check(&document).map_err(|(key, problem)| Error::at(places.find(&key), problem))?;
        Ok(Self { document, places, text })
    }

    /// This with a calendar of the operator's own, which `text` is the file of. It stands in for the one that comes with
    /// Sayso, if there is one of that name, and is part of the profile from then on.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), of the key `calendar`; a calendar that the profile does not name is one.
    pub fn with_calendar(&self, text: &str) -> Result<Self, Error> {
        let calendar = text.parse::<toml::Table>().map_err(|e| Error::from_toml(text, &e))?;
        let mut table = self.text.parse::<toml::Table>().map_err(|e| Error::from_toml(&self.text, &e))?;
        table.insert("calendar".to_owned(), calendar.into());
        let profile = Self::parse(&table.to_string(), None)?;
        Ok(Self { places: self.places.clone(), ..profile })
    }

    /// The calendar that the profile names; [`None`] when it names none, or nobody knows it.
    pub(crate) fn calendar(&self) -> Option<&WorkingCalendar> {
        self.document.calendar()
    }

    /// Everything that it says.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Where `key`, a dotted path with entries of lists by their id, stands in the text.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        self.places.find(key)
    }

    /// Where `key` itself stands in the text; [`None`] when nobody has written it, so that its default holds.
    #[must_use]
    pub fn stated(&self, key: &str) -> Option<Place> {
        self.places.has(key).then(|| self.places.find(key))
    }

    /// What the linter finds, waived or not, in the order of the text.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        lint::lint(self)
    }

    /// The profile, if the linter finds nothing that nobody has waived.
    ///
    /// # Errors
    /// [`Problem::Lint`] with the first finding.
    pub fn accept(self) -> Result<Profile, Error> {
        let mut open = self.lint().into_iter().filter(|finding| finding.waived.is_none());
        if let Some(Finding { rule, place, message, .. }) = open.next() {
            return Err(Error::at(place, Problem::Lint { rule: rule.id(), message, more: open.count() }));
        }
        Ok(self.unlinted())
    }

    /// The profile, whatever the linter would say.
    pub(crate) fn unlinted(self) -> Profile {
        let hash = ProfileHash::of(&self.document);
        // the linter has found that every name has one
        let law = LawFloor::of(self.document.profile.law_floor.iter().map(String::as_str));
        Profile { document: self.document, hash, text: self.text, law }
    }
}
