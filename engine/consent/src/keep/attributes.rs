//! What of an item may be kept: the attributes that its category declares, and no password in clear.

use core::fmt;
use std::collections::BTreeSet;

use sayso_policy::profile::CategoryRule;
use sayso_types::Category;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::item::JSON;
use super::{NewItem, NotKept, Source};
use crate::register::TakesOut;

/// Attributes that are secrets: what opens an account.
const SECRETS: [&str; 5] = ["password", "passwd", "passphrase", "credential", "secret"];

/// What checks a password and is none: the first part of a PHC string.
const HASHES: [&str; 9] =
    ["argon2id", "argon2i", "argon2d", "scrypt", "2a", "2b", "2y", "pbkdf2-sha256", "pbkdf2-sha512"];

/// An object whose members are each there once, in order.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let (mut members, mut names) = (Vec::new(), BTreeSet::new());
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // megabytes of names are looked through before anybody's consent is asked
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom("an attribute twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Each)
    }
}

/// Leaves in `item` what its category, whose rule is `rule`, declares: what a device reports beyond that is taken out, from
/// anybody else it is refused. What the policy takes out of texts `takes_out`.
///
/// # Errors
/// [`NotKept`] says what is wrong.
pub fn leave(item: &mut NewItem, rule: &CategoryRule, takes_out: &TakesOut) -> Result<(), NotKept> {
    let category = item.category;
    if rule.attrs.is_empty() {
        if item.attribute.is_some() {
            return Err(NotKept::Attribute(category));
        }
        return take_out(item, takes_out);
    }
    if let Some(attribute) = &item.attribute {
        if !rule.attrs.contains(attribute) {
            return Err(NotKept::Attribute(category));
        }
        if is_secret(attribute) && !checks_a_password(core::str::from_utf8(&item.content).unwrap_or_default()) {
            return Err(NotKept::InClear);
        }
        return take_out(item, takes_out);
    }
    if item.media_type != JSON {
        return Err(NotKept::NoAttributes(category));
    }
    let Members(mut members) = serde_json::from_slice(&item.content).map_err(|_| NotKept::NoAttributes(category))?;
    let declared = members.len();
    members.retain_mut(|(name, value)| {
        rule.attrs.contains(name.as_str()) || {
            wipe(value);
            false
        }
    });
    let taken = (declared - members.len()) as u64;
    if taken > 0 {
        if item.source != Source::Device {
            return Err(NotKept::Attribute(category));
        }
        metrics::counter!("sayso_kept_attributes_taken_out_total", "category" => category.to_string()).increment(taken);
    }
    if members.is_empty() {
        return Err(NotKept::NoAttributes(category));
    }
    for (name, value) in &mut members {
        if is_secret(name) && !value.as_str().is_some_and(checks_a_password) {
            return Err(NotKept::InClear);
        }
        // a device says what it is and runs; what else it has in memory is no value of any attribute
        if item.source == Source::Device && rule.content_free && !is_plain(value) {
            return Err(NotKept::Attribute(category));
        }
        texts(value, &mut |text| takes_out.of(text));
    }
    item.content = written(category, &members)?;
    members.iter_mut().for_each(|(_, value)| wipe(value));
    Ok(())
}

/// The object with `members`.
fn written(category: Category, members: &[(String, Value)]) -> Result<Zeroizing<Vec<u8>>, NotKept> {
    let mut written = Zeroizing::new(vec![b'{']);
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            written.push(b',');
        }
        let broken = |_| NotKept::NoAttributes(category);
        serde_json::to_writer(&mut *written, name).map_err(broken)?;
        written.push(b':');
        serde_json::to_writer(&mut *written, value).map_err(broken)?;
    }
    written.push(b'}');
    Ok(written)
}

/// Takes out of a text, or of the texts in JSON, what the policy says; other bytes have no numbers that could be found.
fn take_out(item: &mut NewItem, takes_out: &TakesOut) -> Result<(), NotKept> {
    if takes_out.is_nothing() {
        return Ok(());
    }
    let media_type = item.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == JSON || media_type.ends_with("+json") {
        let mut value: Value = serde_json::from_slice(&item.content).map_err(|_| NotKept::NotJson)?;
        texts(&mut value, &mut |text| takes_out.of(text));
        // also where nothing was found: of a name that is there twice this has one value, which was looked at
        item.content = Zeroizing::new(serde_json::to_vec(&value).map_err(|_| NotKept::NotJson)?);
        wipe(&mut value);
    } else if media_type.starts_with("text/")
        && let Ok(text) = core::str::from_utf8(&item.content)
    {
        let mut text = text.to_owned();
        takes_out.of(&mut text);
        item.content = Zeroizing::new(text.into_bytes());
    }
    Ok(())
}

fn is_secret(attribute: &str) -> bool {
    SECRETS.contains(&attribute)
}

/// Whether `text` is a hash that a password can be checked by: `$id$...$salt$hash`.
fn checks_a_password(text: &str) -> bool {
    let mut fields = text.strip_prefix('$').into_iter().flat_map(|rest| rest.split('$'));
    let is_known = fields.next().is_some_and(|id| HASHES.contains(&id));
    let rest: Vec<_> = fields.collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '+' | '-' | '=' | ',');
    let has_hash = rest.last().is_some_and(|hash| hash.len() >= 22 && hash.chars().all(is_word));
    is_known && rest.len() >= 2 && has_hash
}

/// Bytes of one value that a device reports: what it is called, not what it was doing.
const REPORTED_MAX: usize = 256;

/// Whether it is one short line, a number, or a list of such.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= REPORTED_MAX && !text.chars().any(char::is_control),
        Value::Array(values) => values.len() <= 64 && values.iter().all(|value| !value.is_array() && is_plain(value)),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Does `what` to each text in `value`.
fn texts(value: &mut Value, what: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => what(text),
        Value::Array(values) => values.iter_mut().for_each(|value| texts(value, what)),
        Value::Object(members) => members.values_mut().for_each(|value| texts(value, what)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn wipe(value: &mut Value) {
    texts(value, &mut Zeroize::zeroize);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_known_from_a_password() {
        for hash in [
            "$argon2id$v=19$m=65536,t=2,p=1$gZiV/M1gPc22ElAH/Jh1Hw$CWOrkoo7oJBQ/iyh7uJ0LO2aLEfrHwTWllSAxT0zRno",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
            "$pbkdf2-sha256$i=600000,l=32$c2FsdHNhbHQ$3xC1kVZ1rO3y2Kq5bQwqfNwVq0cE5k5Y",
        ] {
            assert!(checks_a_password(hash), "{hash}");
        }
        for clear in ["hunter2", "", "$argon2id$hunter2", "$5$hunter2$hunter2", "argon2id$a$bbbbbbbbbbbbbbbbbbbbbbbb"] {
            assert!(!checks_a_password(clear), "{clear}");
        }
    }

    #[test]
    fn an_attribute_is_there_once() {
        assert!(serde_json::from_str::<Members>(r#"{"a":1,"a":2}"#).is_err());
        let Members(members) = serde_json::from_str(r#"{"b":1,"a":[2]}"#).unwrap();
        let text = written(Category::TRANSCRIPT, &members).unwrap();
        assert_eq!(text.as_slice(), br#"{"b":1,"a":[2]}"#);
    }

    /// Among each other they would be compared for hours.
    #[test]
    fn many_names_are_looked_through_as_fast_as_they_are_read() {
        let object = |last: u32| {
            let names: Vec<_> = (0..400_000).chain([last]).map(|name| format!("\"{name}\":0")).collect();
            format!("{{{}}}", names.join(","))
        };
        assert_eq!(serde_json::from_str::<Members>(&object(400_000)).map(|members| members.0.len()).unwrap(), 400_001);
        assert!(serde_json::from_str::<Members>(&object(7)).is_err());
    }

    #[test]
    fn what_a_device_reports_is_short() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(is_plain(&value("\"ESP32-S3\"")) && is_plain(&value("[1, \"arm64\"]")) && is_plain(&value("true")));
        assert!(!is_plain(&value("{\"heap\": 1}")) && !is_plain(&value("[[1]]")) && !is_plain(&value("\"a\\nb\"")));
        assert!(!is_plain(&value(&format!("\"{}\"", "x".repeat(REPORTED_MAX + 1)))));
    }
}
