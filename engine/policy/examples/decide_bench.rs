//! What a check costs by the compiled table and by [`decide()`], and how long a table takes to compile, under the profile
//! of a home and under that of a written policy.
//!
//! `cargo run --release -p sayso-policy --example decide_bench`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sayso_policy::profile::Draft;
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, Error, Gate, InForce, Profile, PurposeConsent, Question, Tables,
    compile, decide,
};
use sayso_types::{ConsentVersion, Label, SubjectId, TurnId, WallTime};

/// 28 May 2026.
const NOW: WallTime = WallTime(1_780_000_000_000);
/// How long each figure is measured: long enough for moments in which the machine does nothing else.
const LONG: Duration = Duration::from_millis(500);

#[expect(clippy::print_stdout, reason = "it is a command")]
fn main() -> Result<(), Error> {
    let home = include_str!("../../../deploy/profiles/home.toml");
    let lawful = include_str!("../../../deploy/profiles/xiaozhi-lawful.toml");
    let written = include_str!("../../../deploy/profiles/xiaozhi.toml");
    println!("{:<16}{:>10}{:>12}{:>12}{:>10}{:>14}", "profile", "checks", "table", "decide()", "ratio", "compile");
    measure("home", Draft::parse(home, None)?.accept()?);
    measure("xiaozhi-lawful", Draft::parse(lawful, Some(written))?.accept()?);
    Ok(())
}

/// Asks about every use of every category by every processor, for somebody who agreed to everything.
#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it is a command, and its numbers are small")]
fn measure(name: &str, profile: Profile) {
    let state = agreed(&profile);
    let questions = questions(&profile);
    let in_force = Arc::new(InForce::new(Arc::new(profile)));
    let tables = Tables::new(Arc::clone(&in_force));
    let compiled = tables.compiled(&state);

    let checks = questions.len();
    let all = |check: &dyn Fn(&Question) -> bool| questions.iter().filter(|q| check(black_box(q))).count();
    let by_table = each(|| all(&|q| compiled.permits(q))) / checks as f64;
    let by_rules = each(|| all(&|q| decide(q, &state, &in_force).is_permit())) / checks as f64;
    let to_compile = each(|| compile(&in_force, &state));
    println!(
        "{name:<16}{checks:>10}{by_table:>9.1} ns{by_rules:>9.1} ns{:>10.1}{:>11.1} us",
        by_rules / by_table,
        to_compile / 1e3
    );
}

/// Nanoseconds that `work` takes: the least of all times, which is what it takes when nothing else runs.
#[expect(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "it measures, to three digits")]
fn each<T>(work: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    let mut least = LONG;
    while start.elapsed() < LONG {
        let begun = Instant::now();
        black_box(work());
        least = least.min(begun.elapsed());
    }
    least.as_nanos() as f64
}

fn agreed(profile: &Profile) -> ConsentState {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type: ConsentType::ExplicitlyExpressed,
        separate: true,
        written: true,
        given_at: ConsentVersion(1),
        profile_rev: profile.rev(),
        expires_at: None,
    };
    let consents = profile.purposes().map(|purpose| (purpose.id, consent.clone())).collect();
    ConsentState { cv: ConsentVersion(1), consents, age: AgeBand::Adult, ..ConsentState::new() }
}

fn questions(profile: &Profile) -> Vec<Question> {
    let uses = profile.categories().flat_map(|(id, rule)| rule.purposes.iter().map(move |purpose| (*purpose, id)));
    let labels = uses.map(|(purpose, category)| Label {
        subject: SubjectId([1; 16]),
        category,
        purpose,
        turn: TurnId(1),
        cv: ConsentVersion(1),
    });
    let asked = labels.flat_map(|label| {
        profile.processors().map(move |r| Question { label, gate: Gate::of(r.kind), processor: r.id, now: NOW })
    });
    asked.collect()
}
