//! [`TomlText`]: a TOML text and where each of its keys stands, so that whoever is told of an error finds it.

use serde::de::DeserializeOwned;

use super::overlay;
use super::places::Places;
use crate::error::{Error, Part, Place, Problem};

/// A TOML text that stands beside a profile: the state of a person, a calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct TomlText {
    table: toml::Table,
    places: Places,
}

impl TomlText {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// When it is not TOML; [`Error`] names the line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut places = Places::default();
        let table = overlay::table(Part::Itself, text, &mut places)?;
        Ok(Self { table, places })
    }

    /// What it says.
    ///
    /// # Errors
    /// [`Error`] names the line and key that is wrong and what to do about it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read(self.table.clone(), &self.places)
    }

    /// Where `key`, a dotted path with entries of lists by their id, stands; where what is around it does, if it stands nowhere.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        self.places.find(key)
    }
}

/// What `table` says, of which the keys stand at `places`.
pub(super) fn read<T: DeserializeOwned>(table: toml::Table, places: &Places) -> Result<T, Error> {
    let lists = table.clone();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(toml::Value::Table(table), &mut track);
    T::deserialize(deserializer).map_err(|e| {
        let problem = Problem::from_serde(e.message());
        let mut key = overlay::named(&track.path().to_string(), &lists);
        if let Problem::Unknown { found, .. } | Problem::Twice(found) = &problem {
            let inner = if key.is_empty() { found.clone() } else { format!("{key}.{found}") };
            // an unknown key has a place of its own, an unknown value that of its key; of two entries of one id the second has
            if places.has(&inner) {
                key = inner;
            }
        }
        Error::at(places.find(&key), problem)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn refused(text: &str) -> String {
        let read = |text: TomlText| text.read::<BTreeMap<String, BTreeMap<String, u8>>>();
        TomlText::parse(text).and_then(read).unwrap_err().to_string()
    }

    #[test]
    fn says_where_what_is_wrong_stands() {
        let wrong = refused("[a]\nb = 1\n\n[c]\nd = \"two\"\n");
        assert!(wrong.starts_with("line 5: c.d: ") && wrong.contains("\"two\""), "{wrong}");
        assert!(refused("\n[a\n").starts_with("line 2: "));
        let text = TomlText::parse("[a]\nb = 1\n").unwrap();
        assert_eq!(text.read::<BTreeMap<String, BTreeMap<String, u8>>>().unwrap()["a"]["b"], 1);
        let line = |key: &str| text.place(key).line;
        assert_eq!((line("a"), line("a.b"), line("a.c"), line("z")), (1, 2, 1, 1));
    }
}
