//! Fields of requests: checked, with refusals that name them.

use core::fmt::Display;
use core::str::FromStr;

use sayso_audit::Hash;
use sayso_consent::record::part;
use sayso_proto::consent::v1 as consent;
use sayso_types::{Part, Purpose};

use crate::refusal::Refusal;

/// Most purposes of one call; a profile has a handful.
const PURPOSES_MAX: usize = 32;

/// Most parts of one call.
const PARTS_MAX: usize = 32;

/// Longest language tag: what RFC 5646 (section 4.4.1) asks everybody to have room for.
const LANGUAGE_LEN_MAX: usize = 35;

/// An identifier.
pub(crate) fn id<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|e| Refusal::invalid(field, e))
}

/// An identifier, or nothing.
pub(crate) fn optional_id<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<Option<T>, Refusal> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// How many to return: `usual` when nothing is said.
pub(crate) fn page_size(asked: u32, usual: usize, max: usize) -> Result<usize, Refusal> {
    match asked as usize {
        0 => Ok(usual),
        size if size <= max => Ok(size),
        size => {
            Err(Refusal::invalid("page_size", format_args!("{size} is more than {max}; ask for pages of at most that")))
        }
    }
}

/// Where to go on, as an earlier answer said; [`None`] is at the beginning.
pub(crate) fn page_token<T: FromStr>(token: &str) -> Result<Option<T>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let malformed = |_| Refusal::invalid("page_token", "give the next_page_token of the answer before, unchanged");
    token.parse().map(Some).map_err(malformed)
}

/// Purposes, each once.
pub(crate) fn purposes(names: &[String]) -> Result<Vec<Purpose>, Refusal> {
    let refuse = |problem: String| Err(Refusal::Invalid { field: "purposes", problem });
    if names.len() > PURPOSES_MAX {
        return refuse(format!("{} are more than {PURPOSES_MAX}; split the call", names.len()));
    }
    let mut purposes = Vec::with_capacity(names.len());
    for name in names {
        let purpose = id("purposes", name)?;
        if purposes.contains(&purpose) {
            return refuse(format!("{purpose} is there twice; name each once"));
        }
        purposes.push(purpose);
    }
    Ok(purposes)
}

/// Parts of what somebody agreed to, each once.
pub(crate) fn parts(said: &[consent::Part]) -> Result<Vec<Part>, Refusal> {
    let refuse = |problem: String| Err(Refusal::Invalid { field: "parts", problem });
    if said.len() > PARTS_MAX {
        return refuse(format!("{} are more than {PARTS_MAX}; split the call", said.len()));
    }
    let mut parts = Vec::with_capacity(said.len());
    for part in said {
        let read =
            |field| Refusal::Invalid { field: "parts", problem: format!("its {field} is none; check its spelling") };
        let part = part::read(part).map_err(read)?;
        if parts.contains(&part) {
            return refuse(format!("{part} is there twice; name each once"));
        }
        parts.push(part);
    }
    Ok(parts)
}

/// A SHA-256.
pub(crate) fn sha256(field: &'static str, bytes: &[u8]) -> Result<[u8; 32], Refusal> {
    let sha256 = bytes
        .try_into()
        .map_err(|_| Refusal::invalid(field, format_args!("a SHA-256 has 32 bytes, this has {}", bytes.len())))?;
    // what everybody has who mistook a file shows nothing, and would be another's as well
    if sha256 == Hash::of(&[]).0 {
        return Err(Refusal::invalid(field, "this is the SHA-256 of nothing; give that of what there is"));
    }
    Ok(sha256)
}

/// A language tag: the characters and lengths of BCP 47.
pub(crate) fn language(field: &'static str, tag: &str) -> Result<String, Refusal> {
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if tag.len() <= LANGUAGE_LEN_MAX && tag.split('-').all(subtag) {
        return Ok(tag.to_owned());
    }
    Err(Refusal::invalid(field, "not a BCP 47 language tag; give one such as en or zh-CN"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sayso_types::SessionId;

    use super::*;

    fn text<T>(result: Result<T, Refusal>) -> String {
        result.map_or_else(|refusal| refusal.to_string(), |_| "taken".to_owned())
    }

    #[test]
    fn refusals_name_the_field() {
        assert_eq!(text(id::<SessionId>("session_id", "x")), "session_id: must be 32 hexadecimal digits");
        assert_eq!(text(optional_id::<SessionId>("session_id", "")), "taken");
        assert_eq!(
            text(page_size(1_001, 100, 1_000)),
            "page_size: 1001 is more than 1000; ask for pages of at most that"
        );
        assert_eq!(
            text(page_token::<SessionId>("x")),
            "page_token: give the next_page_token of the answer before, unchanged"
        );
        assert_eq!(text(sha256("evidence_sha256", &[0; 31])), "evidence_sha256: a SHA-256 has 32 bytes, this has 31");
    }

    #[test]
    fn purposes_are_names_and_come_once() {
        let names = |names: &[&str]| purposes(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["memory"]).unwrap(), [Purpose::MEMORY]);
        assert_eq!(text(names(&["memory", "memory"])), "purposes: memory is there twice; name each once");
        assert!(text(names(&["Memory"])).starts_with("purposes: a name is made of"));
        assert_eq!(text(names(&["memory"; 33])), "purposes: 33 are more than 32; split the call");
    }

    #[test]
    fn parts_are_read_and_come_once() {
        let groq = || consent::Part { processor_id: "groq".into(), ..consent::Part::default() };
        assert_eq!(parts(&[groq()]).unwrap(), [Part { processor: Some("groq".parse().unwrap()), ..Part::default() }]);
        assert_eq!(text(parts(&[groq(), groq()])), "parts: */*/groq/*/* is there twice; name each once");
        let odd = consent::Part { category: "Voice".into(), ..groq() };
        assert_eq!(text(parts(&[odd])), "parts: its category is none; check its spelling");
        assert_eq!(text(parts(&vec![groq(); 33])), "parts: 33 are more than 32; split the call");
    }

    #[test]
    fn languages_are_tags() {
        for tag in ["en", "zh-CN", "sr-Latn-RS", "x"] {
            assert_eq!(language("notice_language", tag).unwrap(), tag);
        }
        for tag in ["", "-", "en-", "englishenglish", "en US", "é", &"en-".repeat(20)] {
            assert!(language("notice_language", tag).is_err(), "{tag}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text: String) {
            let _ = language("f", &text);
            let _ = page_token::<SessionId>(&text);
            let _ = purposes(&[text]);
        }
    }
}
