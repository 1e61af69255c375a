//! What somebody else's programs make of a log of ours, and ours of a note of theirs: the published `signed_note` and
//! `tlog_tiles`, which share no code with this crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use sayso_audit::export::Export;
use sayso_audit::note;
use sayso_audit::{Checkpoint, Signer, VerifierKey};
use signed_note::{Note, Signer as _, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, Tile, TileHashReader, TileReader};

const ORIGIN: &str = "sayso.example/log";
const SEED: [u8; 32] = [7; 32];

/// The files of a log, by their paths.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<u8>>);

impl TileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // their paths name the height, of which C2SP's `tlog-tiles` has one only
        let path = |tile: &Tile| tile.path().replacen("tile/8/", "tile/", 1);
        Ok(tiles.iter().map(|tile| self.0[&path(tile)].clone()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

/// A log of `size` entries as it lies on a disk, and its checkpoint.
fn log(size: u64) -> (Files, String) {
    let (mut export, mut files) = (Export::new(), Vec::new());
    (0..size).for_each(|n| files.extend(export.append(&entry(n)).unwrap()));
    files.extend(export.partial());
    let files = files.into_iter().map(|file| (file.tile.to_string(), file.bytes));
    let checkpoint = Checkpoint::sign(size, export.root(), &Signer::new(ORIGIN, &SEED).unwrap());
    (Files(files.collect()), checkpoint)
}

/// Opens a checkpoint as somebody does who has nothing but the log's public key.
fn open(checkpoint: &str) -> tlog_tiles::Checkpoint {
    let key = Signer::new(ORIGIN, &SEED).unwrap().verifier().to_string();
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(&key).unwrap())]);
    let note = Note::from_bytes(checkpoint.as_bytes()).unwrap();
    assert_eq!(note.verify(&known).unwrap().0.len(), 1);
    tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap()
}

#[test]
fn others_read_our_log_and_prove_what_is_in_it() {
    let mut before: Option<tlog_tiles::Checkpoint> = None;
    // one tile, its ends, and a third row of them
    for size in [1, 255, 256, 257, 66_000] {
        let (files, checkpoint) = log(size);
        let checkpoint = open(&checkpoint);
        assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, size));
        let root = *checkpoint.hash();
        let tiles = TileHashReader::new(size, root, &files);
        assert_eq!(tlog_tiles::tree_hash(size, &tiles).unwrap(), root);
        for n in [0, 1, 254, 255, 256, 65_535, 65_536, size - 1].into_iter().filter(|n| *n < size) {
            let proof = tlog_tiles::prove_record(size, n, &tiles).unwrap();
            tlog_tiles::check_record(&proof, size, root, n, tlog_tiles::record_hash(&entry(n))).unwrap();
            let other = tlog_tiles::record_hash(&entry(n + 1));
            assert!(tlog_tiles::check_record(&proof, size, root, n, other).is_err(), "another entry is not there");
        }
        if let Some(older) = before.replace(checkpoint) {
            let proof = tlog_tiles::prove_tree(size, older.size(), &tiles).unwrap();
            tlog_tiles::check_tree(&proof, size, root, older.size(), *older.hash()).unwrap();
            assert!(tlog_tiles::check_tree(&proof, size, root, older.size(), Hash([0; 32])).is_err());
        }
    }
}

#[test]
fn we_open_what_others_signed() {
    let key = SigningKey::from_bytes(&SEED);
    let typed = |bytes: &[u8; 32]| [&[1], &bytes[..]].concat();
    let id = signed_note::key_id(ORIGIN, &typed(key.verifying_key().as_bytes()));
    let private = format!("PRIVATE+KEY+{ORIGIN}+{id:08x}+{}", BASE64.encode(typed(&SEED)));
    let theirs = StandardSigner::new(&private).unwrap();
    assert_eq!(theirs.name(), ORIGIN);
    let mut signed = Note::new(b"what they say\n", &[]).unwrap();
    signed.add_sigs(&[&theirs]).unwrap();
    let text = String::from_utf8(signed.to_bytes()).unwrap();
    let public: VerifierKey = Signer::new(ORIGIN, &SEED).unwrap().verifier().to_string().parse().unwrap();
    let keys = [public];
    assert_eq!(note::open(&text, ORIGIN, &keys).unwrap(), "what they say\n");
    assert!(note::open(&text.replace("they", "we"), ORIGIN, &keys).is_err());
}
