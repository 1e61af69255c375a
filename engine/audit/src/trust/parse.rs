//! Reading a trust policy.

use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};

use super::{NAMED_MAX, Quorum, TrustPolicy, Witness};
use crate::key::{KeyError, VerifierKey, WitnessKey};

/// What is wrong with a trust policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TrustError {
    /// The line, from 1; the one after the last when something is missing.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a trust policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A control character.
    #[error("holds a control character; only tabs and line ends may be there")]
    Control,
    /// It begins with another word.
    #[error("{0:?} is not a keyword; a line begins with log, witness, group, quorum or #")]
    Keyword(String),
    /// It has other parts than its keyword asks for.
    #[error("reads `{0}`")]
    Form(&'static str),
    /// A key that is not one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key that another line has, under whatever name.
    #[error("the same public key is on an earlier line; each counts once")]
    KeyTwice,
    /// A name that another line has, or `none`.
    #[error("the name {0:?} is taken")]
    NameTwice(String),
    /// A name that no line above defines.
    #[error("{0:?} is not defined above")]
    Unknown(String),
    /// A member that is in a group already.
    #[error("{0:?} is a member of a group already; each may be in one")]
    MemberTwice(String),
    /// A threshold that is not one.
    #[error("the threshold {0:?} is not all, any, or a number from 1 to the number of members")]
    Threshold(String),
    /// More than anybody needs.
    #[error("more than {NAMED_MAX} of {0}")]
    TooMany(&'static str),
    /// No quorum, or a second one.
    #[error("there must be one quorum line, such as `quorum none` or `quorum NAME`")]
    Quorum,
}

/// What the lines so far have defined.
#[derive(Default)]
struct Reading {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    groups: usize,
    names: BTreeMap<String, Quorum>,
    members: BTreeSet<String>,
    quorum: Option<Quorum>,
}

impl FromStr for TrustPolicy {
    type Err = TrustError;

    fn from_str(text: &str) -> Result<Self, TrustError> {
        let mut reading = Reading::default();
        let mut lines = 0;
        for line in text.split('\n') {
            lines += 1;
            reading.line(line).map_err(|problem| TrustError { line: lines, problem })?;
        }
        let Reading { logs, witnesses, quorum, .. } = reading;
        let quorum = quorum.ok_or(TrustError { line: lines, problem: Problem::Quorum })?;
        Ok(Self { logs, witnesses, quorum })
    }
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<(), Problem> {
        if line.chars().any(|c| c.is_ascii_control() && c != '\t') {
            return Err(Problem::Control);
        }
        let words: Vec<_> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => self.log(key.parse()?),
            ["log", ..] => Err(Problem::Form("log VKEY [URL]")),
            ["witness", name, key] => self.witness(name, key.parse()?, None),
            ["witness", name, key, url] => self.witness(name, key.parse()?, Some((*url).to_owned())),
            ["witness", ..] => Err(Problem::Form("witness NAME VKEY [URL]")),
            ["group", name, threshold, members @ ..] if !members.is_empty() => self.group(name, threshold, members),
            ["group", ..] => Err(Problem::Form("group NAME all|any|NUMBER MEMBER…")),
            ["quorum", name] => self.quorum(name),
            ["quorum", ..] => Err(Problem::Form("quorum NAME|none")),
            [other, ..] => Err(Problem::Keyword((*other).to_owned())),
        }
    }

    fn log(&mut self, key: VerifierKey) -> Result<(), Problem> {
        if self.logs.iter().any(|other| other.public() == key.public()) {
            return Err(Problem::KeyTwice);
        }
        self.logs.push(key);
        at_most(self.logs.len(), "the logs")
    }

    fn witness(&mut self, name: &str, key: WitnessKey, url: Option<String>) -> Result<(), Problem> {
        if self.witnesses.iter().any(|other| other.key.public() == key.public()) {
            return Err(Problem::KeyTwice);
        }
        self.define(name, Quorum::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url });
        at_most(self.witnesses.len(), "the witnesses")
    }

    fn group(&mut self, name: &str, threshold: &str, names: &[&str]) -> Result<(), Problem> {
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            members.push(self.defined(member)?);
            if !self.members.insert((*member).to_owned()) {
                return Err(Problem::MemberTwice((*member).to_owned()));
            }
        }
        let needed = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => number
                .parse()
                .ok()
                .filter(|needed| (1..=members.len()).contains(needed) && number.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| Problem::Threshold(number.to_owned()))?,
        };
        self.define(name, Quorum::Group { needed, members })?;
        self.groups += 1;
        at_most(self.groups, "the groups")
    }

    fn quorum(&mut self, name: &str) -> Result<(), Problem> {
        let quorum = if name == "none" { Quorum::None } else { self.defined(name)? };
        if self.quorum.replace(quorum).is_some() { Err(Problem::Quorum) } else { Ok(()) }
    }

    fn define(&mut self, name: &str, is: Quorum) -> Result<(), Problem> {
        if name == "none" || self.names.insert(name.to_owned(), is).is_some() {
            return Err(Problem::NameTwice(name.to_owned()));
        }
        Ok(())
    }

    fn defined(&self, name: &str) -> Result<Quorum, Problem> {
        self.names.get(name).cloned().ok_or_else(|| Problem::Unknown(name.to_owned()))
    }
}

fn at_most(count: usize, of: &'static str) -> Result<(), Problem> {
    if count > NAMED_MAX { Err(Problem::TooMany(of)) } else { Ok(()) }
}
