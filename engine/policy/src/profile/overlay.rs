//! A profile may extend another: `extends = "home.toml"` and then only what differs. Tables are laid over one another
//! key by key, lists of entries with an id entry by entry, and every other value takes the place of the one below.
//! `remove = ["processor.openai-asr"]` takes out what must not stay. One file below another is the limit, so that a
//! reader has to look in two places at most.

use toml::{Table, Value};

use super::places::Places;
use crate::error::{Error, Part, Place, Problem};

const EXTENDS: &str = "extends";
const REMOVE: &str = "remove";

/// What an entry of a list is known by.
const IDS: [&str; 3] = ["id", "code", "lang"];

/// What an entry of a list is known by, if by anything; `get` gives its texts by key.
pub(super) fn id_of<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    IDS.iter().find_map(|key| get(key))
}

/// The file that `text` extends, if it does.
pub(super) fn extends(text: &str) -> Result<Option<String>, Error> {
    let table = table(Part::Itself, text, &mut Places::default())?;
    match table.get(EXTENDS) {
        None => Ok(None),
        Some(Value::String(file)) => Ok(Some(file.clone())),
        Some(_) => Err(Error::at(Places::default().find(EXTENDS), Problem::Extends)),
    }
}

/// `text` as one table, laid over `base` if it extends one, and where each key stands.
pub(super) fn merged(text: &str, base: Option<&str>) -> Result<(Table, Places), Error> {
    let mut places = Places::default();
    let below = base.map(|base| table(Part::Base, base, &mut places)).transpose()?;
    let mut own = table(Part::Itself, text, &mut places)?;
    let extends = own.remove(EXTENDS);
    let removed = own.remove(REMOVE);
    if below.as_ref().is_some_and(|below| below.contains_key(EXTENDS) || below.contains_key(REMOVE)) {
        return Err(Error::at(places.find(EXTENDS), Problem::ExtendsTwice));
    }
    let merged = match (extends, below) {
        (None, _) if removed.is_some() => return Err(Error::at(places.find(REMOVE), Problem::NothingToRemove)),
        (None, _) => own,
        (Some(_), None) => return Err(Error::at(places.find(EXTENDS), Problem::NoBase)),
        (Some(_), Some(mut below)) => {
            for key in paths(removed).ok_or_else(|| Error::at(places.find(REMOVE), Problem::NothingToRemove))? {
                if !remove(&mut below, &key) {
                    return Err(Error::at(places.find(REMOVE), Problem::Removed(key)));
                }
            }
            lay(&mut below, own);
            below
        }
    };
    Ok((merged, places))
}

/// `path` as serde counts it (`processor[3].region`), with the entries of lists by their id where they have one.
pub(super) fn named(path: &str, table: &Table) -> String {
    let mut at = Some(Value::Table(table.clone()));
    let mut named = Vec::new();
    for step in path.replace('[', ".").replace(']', "").split('.').filter(|step| !matches!(*step, "" | "?")) {
        at = match at {
            Some(Value::Table(mut inner)) => inner.remove(step),
            Some(Value::Array(mut entries)) => {
                let entry = step.parse().ok().filter(|i| *i < entries.len()).map(|i: usize| entries.swap_remove(i));
                if let Some(id) = entry.as_ref().and_then(id) {
                    named.push(id.to_owned());
                    at = entry;
                    continue;
                }
                entry
            }
            _ => None,
        };
        named.push(step.to_owned());
    }
    named.join(".")
}

pub(super) fn table(part: Part, text: &str, places: &mut Places) -> Result<Table, Error> {
    let spanned = toml::de::DeTable::parse(text).map_err(|e| {
        let error = Error::from_toml(text, &e);
        Error::at(Place { part, ..error.place }, error.problem)
    })?;
    places.add(part, text, spanned.get_ref());
    // Both parsers are the same; what one reads the other reads.
    text.parse().map_err(|e| Error::from_toml(text, &e))
}

fn lay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay(below, above),
            (Some(Value::Array(below)), Value::Array(above)) if above.iter().any(|v| id(v).is_some()) => {
                for entry in above {
                    match below.iter_mut().find(|other| id(other).is_some() && id(other) == id(&entry)) {
                        Some(Value::Table(below)) => {
                            let Value::Table(entry) = entry else { continue };
                            lay(below, entry);
                        }
                        _ => below.push(entry),
                    }
                }
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn id(entry: &Value) -> Option<&str> {
    let table = entry.as_table()?;
    id_of(|key| table.get(key)?.as_str())
}

fn paths(removed: Option<Value>) -> Option<Vec<String>> {
    match removed {
        None => Some(Vec::new()),
        Some(Value::Array(paths)) => paths.into_iter().map(|p| p.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

/// Takes the entry at the dotted `path` out of `table`; whether there was one. Names may hold dots themselves.
fn remove(table: &mut Table, path: &str) -> bool {
    if table.remove(path).is_some() {
        return true;
    }
    path.match_indices('.').any(|(dot, _)| {
        let (name, rest) = (&path[..dot], &path[dot + 1..]);
        match table.get_mut(name) {
            Some(Value::Table(inner)) => remove(inner, rest),
            Some(Value::Array(entries)) => remove_entry(entries, rest),
            _ => false,
        }
    })
}

fn remove_entry(entries: &mut Vec<Value>, path: &str) -> bool {
    let before = entries.len();
    entries.retain(|entry| id(entry) != Some(path));
    let inner = |entry: &mut Value| {
        let rest = path.strip_prefix(&format!("{}.", id(entry)?))?.to_owned();
        Some(remove(entry.as_table_mut()?, &rest))
    };
    entries.len() < before || entries.iter_mut().any(|entry| inner(entry) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(base: &str, text: &str) -> Result<Table, String> {
        merged(text, Some(base)).map(|(table, _)| table).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_above_takes_the_place_of_what_is_below() {
        let base =
            "a = 1\nb = [1, 2]\n[t]\nx = 1\ny = 2\n[[p]]\nid = \"one\"\nv = 1\n[[p]]\nid = \"two.x\"\nv = 2\nw = 3\n";
        let merged = over(
            base,
            "extends = \"f\"\nremove = [\"t.y\", \"p.one\", \"p.two.x.w\"]\nb = [3]\n[t]\nz = 3\n[[p]]\nid = \"two.x\"\nv = 4\n[[p]]\nid = \"three\"\n",
        );
        let expected: Table =
            "a = 1\nb = [3]\np = [{ id = \"two.x\", v = 4 }, { id = \"three\" }]\n[t]\nx = 1\nz = 3\n".parse().unwrap();
        assert_eq!(merged, Ok(expected));
    }

    #[test]
    fn says_what_is_wrong_with_the_files() {
        assert!(
            over("a = 1", "extends = \"f\"\nremove = [\"b\"]").unwrap_err().contains("`b` is not in the file below")
        );
        assert!(over("extends = \"g\"", "extends = \"f\"").unwrap_err().contains("extends another"));
        assert!(over("a = ", "extends = \"f\"").unwrap_err().contains("line 1 of the file below"));
        assert!(merged("extends = \"f\"", None).unwrap_err().to_string().contains("the file below is not there"));
        assert!(extends("extends = 1").unwrap_err().to_string().contains("name of a file"));
        assert_eq!(extends("a = 1"), Ok(None));
        assert_eq!(extends("extends = \"f.toml\""), Ok(Some("f.toml".into())));
    }
}
