//! [`Error`]: why a text is not a profile that may be put in force.

use core::fmt;

/// What is wrong with a profile, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Error {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: Problem,
}

impl Error {
    pub(crate) const fn at(place: Place, problem: Problem) -> Self {
        Self { place, problem }
    }

    /// Reads a TOML error, of which the line is known, and the key as far as the text before it shows.
    pub(crate) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let (line, message) = (line_of(text, start), error.message().trim_end());
        let is_twice = message.contains("duplicate key");
        let key = key_at(text, start, is_twice);
        let problem = match () {
            () if is_twice => Problem::Twice(key.rsplit('.').next().unwrap_or_default().to_owned()),
            () if message.contains("date") || message.contains("time") => Problem::NoDate(message.to_owned()),
            () => Problem::from_serde(message),
        };
        Self { place: Place { part: Part::Itself, line, key }, problem }
    }
}

/// A place in a profile's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which of its texts.
    pub part: Part,
    /// The line, from 1.
    pub line: usize,
    /// The key as a dotted path, entries of lists by their id; empty when the text could not be read that far.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self.part {
            Part::Itself => "",
            Part::Base => " of the file below",
        };
        write!(f, "line {}{of}", self.line)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, ": {}", self.key) }
    }
}

/// The line, from 1, of the byte at `start`.
pub(crate) fn line_of(text: &str, start: usize) -> usize {
    1 + text.as_bytes().iter().take(start).filter(|b| **b == b'\n').count()
}

/// The key whose value the byte at `start` stands in, or the one that begins there, below the last header before it; empty where
/// the text does not show it.
fn key_at(text: &str, start: usize, begins_there: bool) -> String {
    let is_key = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let Some((before, after)) = text.split_at_checked(start) else { return String::new() };
    let line = before.rsplit('\n').next().unwrap_or_default();
    let key = match line.rsplit_once('=') {
        _ if begins_there => after.trim_start_matches('"').split(|c| !is_key(c)).next(),
        Some((name, _)) => name.trim_end().rsplit(|c: char| !is_key(c) && c != '.').next(),
        None => None,
    };
    let Some(key) = key.filter(|key| !key.is_empty()) else { return String::new() };
    // of a header that is there twice, what stands before it on its line is the way to it
    if let Some(way) = line.trim_start().strip_prefix('[') {
        return format!("{}{key}", way.trim_start_matches('['));
    }
    let headers = before.lines().filter_map(|line| line.trim().strip_prefix('[')?.split_once(']'));
    let headers = headers.map(|(name, _)| name.trim_start_matches('[').trim());
    let header = headers.rev().find(|name| !name.contains(['{', ',', '"']));
    header.map_or_else(|| key.to_owned(), |header| format!("{header}.{key}"))
}

/// Which text of a profile that may extend another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The one that was given.
    Itself,
    /// The one that it extends.
    Base,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A date that is none.
    #[error("{0}; write a date as 2026-02-27, and words that say less than that in quotes")]
    NoDate(String),
    /// A key, or the id of an entry of a list, that is there twice.
    #[error("`{0}` is declared twice; rename or remove one")]
    Twice(String),
    /// Something mandatory is not there.
    #[error("`{0}` is not there; add it")]
    Missing(String),
    /// A value of another type than is read in its place.
    #[error("is {found}; write {expected}")]
    Type {
        /// What it is.
        found: String,
        /// What is read there.
        expected: String,
    },
    /// A key or a value that is none of those allowed in its place.
    #[error("`{found}` is not known here{instead}")]
    Unknown {
        /// The key or value.
        found: String,
        /// What to write instead, as it is told: the known one that looks most like it, or all that are known where none does.
        instead: Box<str>,
    },
    /// Something is named that the profile does not declare.
    #[error("{sort} `{name}` is not declared in this profile; declare it or remove it here{nearest}")]
    Reference {
        /// `purpose`, `category`, `clause`, ...
        sort: &'static str,
        /// The name.
        name: String,
        /// The declared one that looks most like it.
        nearest: Nearest,
    },
    /// A mandatory text is empty.
    #[error("is empty: {0}")]
    Empty(&'static str),
    /// Categories that are derived from one another in a circle, or purposes that require one another.
    #[error("leads back to {name}: {why}")]
    Cycle {
        /// Where it leads back to.
        name: String,
        /// Why that cannot be.
        why: &'static str,
    },
    /// More entries than are compared with one another.
    #[error("has {found} entries; at most {max} are read: split the profile")]
    Items {
        /// How many.
        found: usize,
        /// How many may be.
        max: usize,
    },
    /// More to decide than a table holds.
    #[error("has {found} cells (uses of categories times processors); at most {max} can be decided: split the profile")]
    Cells {
        /// How many.
        found: usize,
        /// How many may be.
        max: usize,
    },
    /// Permits that would live too long or too short.
    #[error("is {found_ms} ms; it must be between {min_ms} and {max_ms} ms")]
    PermitTtl {
        /// What the profile says.
        found_ms: u128,
        /// The shortest.
        min_ms: u128,
        /// The longest.
        max_ms: u128,
    },
    /// Visits that would never be, or never end.
    #[error("is {found_s} s; it must be more than 0 and at most {max_s} s")]
    VisitLasts {
        /// What the profile says.
        found_s: u64,
        /// The longest.
        max_s: u64,
    },
    /// The answer to a consent question would go somewhere else than to what finds and recognises speech here.
    #[error(
        "`consent_answer` is for what hears it here only (kind = \"vad\" or \"asr\", region_class = \"local\"); remove the purpose"
    )]
    ConsentAnswerLeaves,
    /// The answer to a consent question could be stored.
    #[error("it is used for `consent_answer`, so at_rest must be \"forbidden\"")]
    ConsentAnswerStored,
    /// The spoken question asks for a purpose that does not rest on consent, or another purpose requires consent to it.
    #[error("purpose `{0}` has another basis than Consent, so there is nothing to ask; remove it")]
    NothingToAsk(String),
    /// A language without texts, or texts in a language that is not offered.
    #[error("has no entry for language `{0}`; add it or remove the language")]
    Language(String),
    /// Texts that are read out in one go and together take too long to listen to.
    #[error("{with} take about {seconds} s to say; keep them within {max} s and put the rest into `more` or `screen`")]
    SpokenTogetherTooLong {
        /// Which those are.
        with: &'static str,
        /// Estimated length.
        seconds: u64,
        /// The longest allowed.
        max: u64,
    },
    /// A spoken question that takes too long to listen to.
    #[error("takes about {seconds} s to say; keep it within {max} s and put the rest into `more` or `screen`")]
    SpokenTooLong {
        /// Estimated length.
        seconds: u64,
        /// The longest allowed.
        max: u64,
    },
    /// Fields that a processor would get and the category does not have.
    #[error("field `{0}` is none of the category's `attrs`; add it there or remove it here")]
    Field(String),
    /// `extends` is not a text.
    #[error("must be the name of a file, relative to this one")]
    Extends,
    /// The file that this one extends extends another.
    #[error("the file below extends another; one below another is the limit")]
    ExtendsTwice,
    /// The file that this one extends was not given.
    #[error("the file below is not there")]
    NoBase,
    /// `remove` where nothing is extended, or not a list of texts.
    #[error("must be a list of keys of the file that `extends` names")]
    NothingToRemove,
    /// `remove` names what is not there.
    #[error("`{0}` is not in the file below")]
    Removed(String),
    /// The linter has found something that nobody has waived.
    #[error("{rule}: {message}{}", besides(*more))]
    Lint {
        /// The first rule that is broken.
        rule: &'static str,
        /// What it says.
        message: String,
        /// How many findings there are besides.
        more: usize,
    },
}

/// How many findings there are beside the one that is told.
fn besides(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" ({more} more)") }
}

/// What to write instead of `found`: the name that was meant, or all that are `known` where none looks like it.
fn instead(found: &str, known: &[&str]) -> Box<str> {
    match Nearest::to(found, known.iter().copied()) {
        Nearest(None) if !known.is_empty() => format!("; known are {}", known.join(", ")).into(),
        nearest => nearest.to_string().into(),
    }
}

/// The known name that looks most like a wrong one, if any does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest(Option<String>);

impl Nearest {
    /// How alike two names must be to be suggested, from 0 to 1 (normalised Damerau-Levenshtein): two letters wrong
    /// in five is a typing error, more is another word.
    const SIMILARITY_MIN: f64 = 0.6;

    /// The one of `known` that looks most like `found`.
    pub fn to<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let alike = |name: &str| strsim::normalized_damerau_levenshtein(found, name);
        let best = known.into_iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
        Self(best.filter(|name| alike(name) >= Self::SIMILARITY_MIN).map(str::to_owned))
    }

    /// Its text.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().map_or(Ok(()), |name| write!(f, "; did you mean `{name}`?"))
    }
}

/// How a message ends about a name that is there twice; before it stands the name between backticks.
pub(crate) const TWICE: &str = "is declared twice";

impl Problem {
    /// Reads what serde says: it names an unknown key and the known ones only in its message, between backticks.
    pub(crate) fn from_serde(message: &str) -> Self {
        let mut names = message.split('`').skip(1).step_by(2);
        match names.next() {
            Some(found) if message.starts_with("unknown field") || message.starts_with("unknown variant") => {
                let known: Vec<_> = names.collect();
                Self::Unknown { found: found.to_owned(), instead: instead(found, &known) }
            }
            Some(found) if message.starts_with("missing field") => Self::Missing(found.to_owned()),
            Some(found) if message.ends_with(TWICE) => Self::Twice(found.to_owned()),
            _ => Self::of_type(message).unwrap_or_else(|| Self::Syntax(message.trim_end().to_owned())),
        }
    }

    /// Reads what serde says of a value of the wrong type, of which it names the types as Rust calls them.
    fn of_type(message: &str) -> Option<Self> {
        let said = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
        let (found, expected) = said.trim_end().rsplit_once(", expected ")?;
        let expected = match expected {
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on, without quotes",
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number, without quotes",
            "a nonzero u32" | "a nonzero u64" => "a whole number from 1 on, without quotes",
            "a string" | "a borrowed string" | "string or table" => "a text in quotes",
            "a boolean" => "true or false, without quotes",
            "a sequence" => "a list in [ ]",
            "a map" => "a table",
            other if other.starts_with("struct ") => "a table",
            other => other,
        };
        Some(Self::Type { found: found.to_owned(), expected: expected.to_owned() })
    }
}
