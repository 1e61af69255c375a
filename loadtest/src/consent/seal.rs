//! What it costs to seal a record and to open it, against the bare cipher over the same bytes.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, anyhow};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use sayso_store::Key;
use sayso_types::{Category, Purpose, SubjectId};
use sayso_vault::{Binding, Vault};

use crate::figure::Figure;
use crate::lab::usage;

/// Bytes of a record: some facts that a person asked to have remembered.
const RECORD_BYTES: usize = 256;
/// Records of a round.
const RECORDS: u32 = 10_000;
/// Rounds: the least of them is what it takes when nothing disturbs.
const ROUNDS: usize = 10;

pub(super) async fn measure(vault: &Vault) -> Result<[Figure; 2]> {
    let row = Key::from_bytes(b"record".to_vec());
    let at = Binding {
        table: "records",
        row: &row,
        schema: 1,
        subject: SubjectId([1; 16]),
        category: Category::MEMORY_SUMMARY,
        purpose: Purpose::MEMORY,
    };
    let record = [0x5a; RECORD_BYTES];
    let (cipher, nonce) = (XChaCha20Poly1305::new(&[1; 32].into()), [2; 24].into());
    let failed = |_| anyhow!("the bare cipher failed");
    let (bare, sealed) = (cipher.encrypt(&nonce, &record[..]).map_err(failed)?, vault.seal(&at, &record).await?);

    let (mut seal, mut open) = (Duration::MAX, Duration::MAX);
    let (mut bare_seal, mut bare_open) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let before = usage::thread_cpu();
        for _ in 0..RECORDS {
            black_box(vault.seal(&at, black_box(&record)).await?);
        }
        seal = seal.min(since(before));
        let before = usage::thread_cpu();
        for _ in 0..RECORDS {
            black_box(vault.open(&at, black_box(&sealed)).await?);
        }
        open = open.min(since(before));
        let before = usage::thread_cpu();
        for _ in 0..RECORDS {
            black_box(cipher.encrypt(&nonce, black_box(&record[..])).map_err(failed)?);
        }
        bare_seal = bare_seal.min(since(before));
        let before = usage::thread_cpu();
        for _ in 0..RECORDS {
            black_box(cipher.decrypt(&nonce, black_box(&bare[..])).map_err(failed)?);
        }
        bare_open = bare_open.min(since(before));
    }
    Ok([
        Figure::new("a record sealed", "ns", each(seal)).above(each(bare_seal)),
        Figure::new("a record opened", "ns", each(open)).above(each(bare_open)),
    ])
}

fn since(before: Duration) -> Duration {
    usage::thread_cpu().saturating_sub(before)
}

fn each(round: Duration) -> f64 {
    round.as_nanos() as f64 / f64::from(RECORDS)
}
