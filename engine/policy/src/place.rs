//! [`Place`]: where something stands, as whoever runs it says.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::country::{is_country, is_like_a_country, no_country};

/// A country by its code (ISO 3166, or `EU`), or the word that a profile has for a place of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place(String);

/// Why something is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// Nothing was said.
    #[error("no place is named; write the code of a country (ISO 3166), such as CN")]
    Empty,
    /// It is written like the code of a country, and there is none of that code.
    #[error("{}", no_country(.0))]
    NoCountry(String),
}

impl Place {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Place {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Self, NoPlace> {
        match text.trim() {
            "" => Err(NoPlace::Empty),
            place if is_like_a_country(place) && !is_country(place) => Err(NoPlace::NoCountry(place.to_owned())),
            place => Ok(Self(place.to_owned())),
        }
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        text.to_owned().try_into()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_country_or_a_word_that_looks_like_none() {
        for place in ["CN", "EU", "home", "the operator's servers"] {
            let read = place.parse::<Place>().unwrap();
            assert_eq!((read.as_str(), read.to_string().as_str()), (place, place));
            assert_eq!(String::from(read), place, "it is written as it was read");
        }
        let wrong = |text: &str| text.parse::<Place>().unwrap_err().to_string();
        assert!(wrong("cn").ends_with("did you mean `CN`?"));
        assert!(wrong("ZZ").contains("such as CN") && wrong(" ").contains("no place"));
    }
}
