//! What can be wrong with a configuration, said so that a person can mend it.

use std::fmt;

use figment::error::Kind;
use figment::value::Value;
use figment::{Figment, Metadata};

use super::{ENV_NESTING, ENV_PREFIX, ENVIRONMENT, keys_at};

/// A name less alike than this (0 to 1, Jaro-Winkler) is not what the person meant.
const LIKENESS_MIN: f64 = 0.7;

/// Why a configuration was refused. Values are not shown: some are secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Keys that nothing reads.
    #[error("{}", lines(.0))]
    Unknown(Vec<Problem>),
    /// A value that is not what its key needs.
    #[error("{0}")]
    Value(Problem),
    /// A source cannot be read at all: a file is missing or is not TOML.
    #[error("{from}: {reason}")]
    Source {
        /// The file, or whatever it is.
        from: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What is wrong with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key's dotted path.
    pub key: String,
    /// Where it was set: a file, the environment, a flag.
    pub from: String,
    /// What is wrong, and what to write instead where that is known.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.key, self.from, self.what)
    }
}

impl Problem {
    pub(super) fn unknown(path: &str, sources: &Figment, known: &Value) -> Self {
        let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
        let table: Vec<_> = table.split('.').filter(|part| !part.is_empty()).collect();
        let from = origin(sources.find_metadata(path), path);
        Self { key: path.to_owned(), from, what: no_such_key(key, &keys_at(known, &table)) }
    }
}

impl Error {
    pub(super) fn unknown(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| a.key.cmp(&b.key));
        Self::Unknown(problems)
    }

    pub(super) fn value(error: figment::Error) -> Self {
        let mut path = error.path;
        if let Kind::UnknownField(key, _) = &error.kind {
            // figment's path ends with the key itself or with its table, as the source had it
            if path.last() != Some(key) {
                path.push(key.clone());
            }
        }
        let key = path.join(".");
        let from = origin(error.metadata.as_ref(), &key);
        let what = match error.kind {
            Kind::Message(reason) if key.is_empty() => return Self::Source { from, reason },
            Kind::UnknownField(name, known) => {
                return Self::Unknown(vec![Problem { key, from, what: no_such_key(&name, known) }]);
            }
            Kind::UnknownVariant(_, known) => format!("write one of {}", known.join(", ")),
            Kind::InvalidType(actual, expected) => {
                format!("found {}, expected {expected}", type_of(&actual))
            }
            Kind::InvalidValue(actual, expected) => {
                format!("found another {}, expected {expected}", type_of(&actual))
            }
            other => other.to_string(),
        };
        Self::Value(Problem { key, from, what })
    }
}

fn no_such_key<S: AsRef<str>>(key: &str, known: &[S]) -> String {
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known.as_ref()), known.as_ref()))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, nearest)) => format!("no such key; did you mean {nearest}?"),
        None => "no such key; remove it".to_owned(),
    }
}

/// Where the value at the dotted path `key` came from.
fn origin(metadata: Option<&Metadata>, key: &str) -> String {
    let Some(metadata) = metadata else {
        return "the defaults".to_owned();
    };
    if let Some(path) = metadata.source.as_ref().and_then(figment::Source::file_path) {
        return path.display().to_string();
    }
    if metadata.name != ENVIRONMENT {
        return metadata.name.clone().into_owned();
    }
    format!("{ENV_PREFIX}{}", key.to_ascii_uppercase().replace('.', ENV_NESTING).replace('-', "_"))
}

/// The type without the value: a password in the wrong place must not reach a log.
fn type_of(actual: &figment::error::Actual) -> &'static str {
    use figment::error::Actual;
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "whole number",
        Actual::Float(_) => "number",
        Actual::Char(_) | Actual::Str(_) => "text",
        Actual::Seq => "list",
        Actual::Map => "table",
        Actual::Unit | Actual::Option => "nothing",
        Actual::Bytes(_)
        | Actual::NewtypeStruct
        | Actual::Enum
        | Actual::UnitVariant
        | Actual::NewtypeVariant
        | Actual::TupleVariant
        | Actual::StructVariant
        | Actual::Other(_) => "something else",
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
