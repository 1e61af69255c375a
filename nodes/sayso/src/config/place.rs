//! Where a store, a replica or a backup of it may stand: what the gate `replica` asks, of all that is in it.

use sayso_policy::{Place, Profile};

/// Why nothing is stored somewhere.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misplaced {
    /// Nobody said where it is.
    #[error(
        "{key} is not given, and the profile lets data be stored only in {allowed} (transfers.storage): give it, with where that \
         stands"
    )]
    Unsaid {
        /// What says it.
        key: &'static str,
        /// Where it may be.
        allowed: String,
    },
    /// It is elsewhere.
    #[error(
        "{key} is {place:?}, and the profile lets data be stored only in {allowed} (transfers.storage): choose a place there, or \
         put a profile in force that people were told of"
    )]
    Elsewhere {
        /// What says it.
        key: &'static str,
        /// Where it is.
        place: String,
        /// Where it may be.
        allowed: String,
    },
}

/// Requires that data may be stored where `key` says, under a profile that says something of that.
pub(crate) fn require(profile: &Profile, place: Option<&Place>, key: &'static str) -> Result<(), Misplaced> {
    let transfers = &profile.document().transfers;
    let allowed = || transfers.storage.iter().cloned().collect::<Vec<_>>().join(", ");
    match place {
        None if transfers.storage.is_empty() => Ok(()),
        None => Err(Misplaced::Unsaid { key, allowed: allowed() }),
        Some(place) if transfers.lets_store_in(place.as_str()) => Ok(()),
        Some(place) => Err(Misplaced::Elsewhere { key, place: place.to_string(), allowed: allowed() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HOME_PROFILE;

    fn profile(storage: &str) -> Profile {
        let home = HOME_PROFILE.replacen("[transfers]\n", &format!("[transfers]\nstorage = [{storage}]\n"), 1);
        let database = |region: &str| format!(r#"kind = "database", party = "operator", region = "{region}""#);
        let home = home.replacen(&database("home"), &database("CN"), 1);
        Profile::parse(&home).unwrap()
    }

    #[test]
    fn where_the_profile_says_so_a_store_stands_there_and_nowhere_else() {
        const KEY: &str = "store.region";
        let place = |text: &str| text.parse::<Place>().unwrap();
        let (limited, free) = (profile(r#""CN", "HK""#), profile(""));
        for allowed in ["CN", "HK"] {
            assert_eq!(require(&limited, Some(&place(allowed)), KEY), Ok(()));
        }
        let elsewhere = require(&limited, Some(&place("DE")), KEY).unwrap_err();
        assert_eq!(elsewhere, Misplaced::Elsewhere { key: KEY, place: "DE".to_owned(), allowed: "CN, HK".to_owned() });
        assert!(elsewhere.to_string().contains("transfers.storage"));
        let unsaid = require(&limited, None, KEY).unwrap_err();
        assert_eq!(unsaid, Misplaced::Unsaid { key: KEY, allowed: "CN, HK".to_owned() });
        assert!(unsaid.to_string().starts_with("store.region is not given"));
        assert_eq!((require(&free, None, KEY), require(&free, Some(&place("DE")), KEY)), (Ok(()), Ok(())));
    }
}
