use std::fs;
use std::path::Path;

use super::super::contents::Portion;
use super::*;

/// Bytes of a part here: a hundred entries are in several.
const PART_BYTES: usize = 1_000;

pub(super) async fn add(writer: &mut Writer<'_>, entries: core::ops::Range<u8>) {
    for n in entries {
        writer.add(&[n], &[n; 50]).await.unwrap();
    }
}

pub(super) fn all() -> Summary {
    let mut sum = Sum::default();
    (0..100u8).for_each(|n| sum.add(&[n], &[n; 50]));
    sum.summary()
}

pub(super) async fn begin(place: &Place) -> Result<Writer<'_>> {
    Writer::with_parts_of(PART_BYTES, place, all()).await
}

/// Writes all of it, and gives the manifest.
pub(super) async fn dump(place: Place) -> Dump {
    let mut writer = begin(&place).await.unwrap();
    add(&mut writer, 0..100).await;
    writer.finish(7).await.unwrap();
    Dump::open(place).await.unwrap()
}

fn dir(path: &Path) -> Place {
    Place::Dir(path.to_owned())
}

async fn problem(path: &Path) -> String {
    Dump::open(dir(path))
        .await
        .unwrap()
        .check(|_| {})
        .await
        .err()
        .map_or_else(String::new, |error| format!("{error:#}"))
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let place = tempfile::tempdir().unwrap();
    let dump = dump(dir(place.path())).await;
    assert!(dump.manifest.files.len() > 2);
    assert_eq!((dump.manifest.all.entries, dump.manifest.all.bytes), (100, 5_100));
    dump.check(|_| {}).await.unwrap();
    let mut entries = dump.entries();
    for n in 0..100u8 {
        assert_eq!(entries.next().await.unwrap(), Some((vec![n], vec![n; 50])));
    }
    assert_eq!(entries.next().await.unwrap(), None);
    assert!(!place.path().join(BEGUN).exists());
    assert!(begin(&dir(place.path())).await.is_err(), "a dump is never written over");
}

#[tokio::test]
async fn every_changed_byte_is_found_and_its_file_named() {
    let place = tempfile::tempdir().unwrap();
    dump(dir(place.path())).await;
    let file = place.path().join("000001.entries");
    let good = fs::read(&file).unwrap();
    for at in (0..good.len()).step_by(37) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&file, bad).unwrap();
        let problem = problem(place.path()).await;
        assert!(problem.contains("000001.entries is damaged"), "{at}: {problem}");
    }
    for bad in [&good[..good.len() - 1], &[&good[..], &[0]].concat()] {
        fs::write(&file, bad).unwrap();
        let problem = problem(place.path()).await;
        assert!(problem.contains("000001.entries is damaged"), "{problem}");
    }
    fs::remove_file(&file).unwrap();
    assert!(problem(place.path()).await.contains("there is no 000001.entries"));
}

#[tokio::test]
async fn a_manifest_that_names_other_files_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    dump(dir(place.path())).await;
    let file = place.path().join(MANIFEST);
    let manifest = fs::read_to_string(&file).unwrap().replace("000002.entries", "../../etc/passwd");
    fs::write(&file, manifest).unwrap();
    assert!(problem(place.path()).await.contains("none of a dump's"));
}

#[tokio::test]
async fn half_a_dump_is_none() {
    let path = tempfile::tempdir().unwrap();
    let place = dir(path.path());
    add(&mut begin(&place).await.unwrap(), 0..1).await;
    let error = Dump::open(place).await.err().unwrap().to_string();
    assert!(error.contains("not a whole one"), "{error}");
}

#[tokio::test]
async fn what_was_broken_off_goes_on_and_keeps_what_is_whole() {
    let path = tempfile::tempdir().unwrap();
    let place = dir(path.path());
    let mut writer = begin(&place).await.unwrap();
    assert!(!writer.is_resumed());
    add(&mut writer, 0..60).await;
    // as if the process had been killed; and one part got damaged since
    drop(writer);
    let part = |n| path.path().join(name_of(n));
    assert!(part(2).exists() && !part(3).exists());
    fs::write(part(1), [7; 20]).unwrap();
    let written = || fs::metadata(part(0)).unwrap().modified().unwrap();
    let before = written();

    let mut writer = begin(&place).await.unwrap();
    assert!(writer.is_resumed());
    add(&mut writer, 0..100).await;
    writer.finish(7).await.unwrap();
    assert_eq!(written(), before, "what is there is not written again");
    let resumed = Dump::open(place).await.unwrap();
    resumed.check(|_| {}).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    assert_eq!(resumed.manifest, dump(dir(other.path())).await.manifest, "as if it had not been broken off");
}

#[tokio::test]
async fn a_data_set_that_has_changed_is_not_gone_on_with() {
    let path = tempfile::tempdir().unwrap();
    let place = dir(path.path());
    add(&mut begin(&place).await.unwrap(), 0..50).await;
    let changed = Summary { entries: 101, ..all() };
    let error = Writer::with_parts_of(PART_BYTES, &place, changed).await.err().unwrap().to_string();
    assert!(error.contains("has changed"), "{error}");

    let mut writer = begin(&place).await.unwrap();
    add(&mut writer, 0..99).await;
    let error = writer.finish(7).await.unwrap_err().to_string();
    assert!(error.contains("has changed"), "{error}");
    assert!(Dump::open(place).await.is_err());
}

#[tokio::test]
async fn what_lies_elsewhere_is_left_alone() {
    let path = tempfile::tempdir().unwrap();
    fs::write(path.path().join("mine"), "mine").unwrap();
    assert!(begin(&dir(path.path())).await.err().unwrap().to_string().contains("not empty"));
    begin(&dir(&path.path().join("new"))).await.unwrap();
}

/// The files at `path`: their names, and what is in them, a line of text a line.
fn shown(path: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let shown = files.iter().map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        format!(
            "{name}\n{}\n",
            fs::read(file).unwrap().escape_ascii().to_string().replace("\\n", "\n").replace("\\\"", "\"")
        )
    });
    shown.collect()
}

/// Backups are kept for years: what is written has to be what later programs are known to read. Whoever changes these files
/// changes the format's version.
#[tokio::test]
async fn a_dump_is_written_as_it_was() {
    let mut found = String::new();
    for portion in [Portion::All, Portion::Keys] {
        let path = tempfile::tempdir().unwrap();
        let place = dir(path.path());
        let entries: [(&[u8], &[u8]); 3] =
            [(b"\x02a\0", b"\0\x01first"), (b"\x02b\0\x15\x07", b""), (b"\x02c\0", &[9; 9])];
        let mut sum = Sum::of(portion);
        entries.iter().for_each(|(key, value)| sum.add(key, value));
        let mut writer = Writer::with_parts_of(16, &place, sum.summary()).await.unwrap();
        writer.add(entries[0].0, entries[0].1).await.unwrap();
        found += &format!("-- {portion:?}, begun\n{}", shown(path.path()));
        for (key, value) in &entries[1..] {
            writer.add(key, value).await.unwrap();
        }
        writer.finish(1_767_225_600_000).await.unwrap();
        found += &format!("-- {portion:?}, complete\n{}", shown(path.path()));
        Dump::open(place).await.unwrap().check(|_| {}).await.unwrap();
    }
    assert_eq!(found, include_str!("golden.txt"));
}
