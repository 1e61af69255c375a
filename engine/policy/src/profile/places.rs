//! [`Places`]: where each key of a profile stands in its text, so that whoever is told of an error finds it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::overlay::id_of;
use crate::error::{Part, Place};

/// The lines of the keys of one profile: its own text and the one that it extends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(BTreeMap<String, (Part, usize)>);

impl Places {
    /// Notes the keys of `text`. What was noted before stays where the text says nothing.
    pub(super) fn add(&mut self, part: Part, text: &str, table: &DeTable<'_>) {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let mut walk = Walk { part, ends, places: self };
        walk.table("", table);
    }

    /// Whether `key` stands in a text itself.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The place of `key`, a dotted path; of the nearest thing around it when it stands nowhere itself.
    pub(super) fn find(&self, key: &str) -> Place {
        let mut path = key;
        loop {
            if let Some((part, line)) = self.0.get(path) {
                return Place { key: key.to_owned(), part: *part, line: *line };
            }
            match path.rfind('.') {
                Some(end) => path = &path[..end],
                None => return Place { key: key.to_owned(), part: Part::Itself, line: 1 },
            }
        }
    }
}

struct Walk<'a> {
    part: Part,
    /// Where each line ends: a long text has many keys, and each is asked for its line.
    ends: Vec<usize>,
    places: &'a mut Places,
}

impl Walk<'_> {
    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = join(path, name.get_ref());
            self.note(&path, name.span().start);
            self.value(&path, value);
        }
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(entries) => {
                for (i, entry) in entries.iter().enumerate() {
                    let id = entry.get_ref().as_table().and_then(|t| id_of(|key| t.get(key)?.get_ref().as_str()));
                    let path = join(path, id.unwrap_or(&i.to_string()));
                    self.note(&path, entry.span().start);
                    self.value(&path, entry);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, path: &str, start: usize) {
        let line = 1 + self.ends.partition_point(|end| *end < start);
        self.places.0.insert(path.to_owned(), (self.part, line));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
