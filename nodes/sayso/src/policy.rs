//! `sayso policy`: what a profile says, whether it may be put in force, and what it does.

mod explain;
mod file;
mod lint;
mod show;
mod sign;
mod situation;
mod state;

use std::process::ExitCode;

use anyhow::Result;
use sayso_policy::export::{dpv::Dpv, odrl::Odrl, ropa::Ropa};
use sayso_policy::pages::{PrivacyNotice, SpokenPart, processor_page, spoken_parts};
use sayso_policy::{Coverage, Registry, Tongue, diff, rev_to_exceed};
use serde_json::json;

pub(crate) use self::file::{ProfileFile, own_calendar};
pub(crate) use self::sign::{KEY, SigningKey, check as check_signature, signature_of, signed};
use crate::cli::{DiffArgs, ExportArgs, ExportFormat, FilesArgs, NoticeArgs, PolicyArgs, PolicyCommand};
use crate::output;

pub(crate) fn run(args: &PolicyArgs) -> Result<ExitCode> {
    match carried_out(args) {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        // a program that asked for JSON reads in JSON why there is none
        Err(error) if args.json => {
            file::refuse(None, &error, true)?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error),
    }
}

/// Whether what was asked for is so.
fn carried_out(args: &PolicyArgs) -> Result<bool> {
    let json = args.json;
    match &args.command {
        PolicyCommand::Lint(lint) => lint::run(lint, json),
        PolicyCommand::Compile(files) => compiled(files, json),
        PolicyCommand::Show(file) => show::run(&ProfileFile::open(&file.file)?, json),
        PolicyCommand::Diff(files) => difference(files, json),
        PolicyCommand::Explain(explain) => explain::run(explain, json),
        PolicyCommand::Notice(notice) => notices(notice, json),
        PolicyCommand::Coverage(files) => coverage(files, json),
        PolicyCommand::Export(export) => exported(export, json),
        PolicyCommand::Key(key) => sign::key(key, json),
        PolicyCommand::Sign(sign) => sign::sign(sign, json),
        PolicyCommand::Verify(verify) => sign::verify(verify, json),
    }
}

/// `compile`: a line a file. Says why not of one that may not be put in force, and goes on with the next.
fn compiled(args: &FilesArgs, json: bool) -> Result<bool> {
    let mut fine = true;
    for path in &args.files {
        let profile = match ProfileFile::open(path).and_then(|file| file.profile()) {
            Ok(profile) => profile,
            Err(error) => {
                fine = false;
                file::refuse(Some(path), &error, json)?;
                continue;
            }
        };
        let (id, rev, hash) = (profile.header().id, profile.rev(), profile.hash().to_string());
        let uses: usize = profile.categories().map(|(_, category)| category.purposes.len()).sum();
        let receivers = profile.processors().count();
        let (file, cells) = (path.display().to_string(), uses * receivers);
        let (signature, told) = sign::state(&profile, path);
        if json {
            output::line(json!({
                "file": file, "profile": id, "rev": rev, "hash": hash, "cells": cells, "signature": signature
            }))?;
        } else {
            output::line(format_args!(
                "{file}: {id} revision {rev}\n  hash       {hash}\n  table      {cells} cells: {uses} uses of categories, \
                 {receivers} processors\n  signature  {told}"
            ))?;
        }
    }
    Ok(fine)
}

/// `diff`: every change. It is no failure that there are some, nor that neither text may be put in force yet.
fn difference(args: &DiffArgs, json: bool) -> Result<bool> {
    let (old, new) = (ProfileFile::open(&args.old)?, ProfileFile::open(&args.new)?);
    let (was, is) = (old.draft.document(), new.draft.document());
    let (expected, found) = (was.profile.id, is.profile.id);
    if expected != found {
        let message = format!("is `{found}`, but {} is of `{expected}`; compare two texts of one policy", old.name());
        return Err(new.wrong("profile.id", message).into());
    }
    let diff = diff(was, is);
    let exceed = rev_to_exceed(was, is);
    if json {
        output::json(&json!({ "material": diff.is_material(), "raise_rev_above": exceed, "changes": diff.changes }))?;
        return Ok(true);
    }
    for change in &diff.changes {
        // of what does not rest on consent nobody can be asked: people are told before it holds, where that is promised
        let sort = match (change.kind.is_material(), change.cells.is_empty()) {
            (true, false) => "asks again",
            (true, true) => "announces",
            (false, _) => "tells",
        };
        output::line(format_args!("{sort:<10}  {change}"))?;
        for cell in &change.cells {
            output::line(format_args!("            {cell}"))?;
        }
    }
    if diff.changes.is_empty() {
        output::line("nothing changes")?;
    }
    if let Some(newest) = exceed {
        output::line(format_args!("refused by a node: profile.rev must be raised above {newest}"))?;
    }
    Ok(true)
}

/// `notice`: a page, or what is read out.
fn notices(args: &NoticeArgs, json: bool) -> Result<bool> {
    let file = ProfileFile::open(&args.file)?;
    let document = file.draft.document();
    if args.spoken {
        let is_asked_for =
            |part: &SpokenPart<'_>| args.lang.is_none_or(|lang| Tongue::of(part.language.as_str()) == lang);
        let parts: Vec<_> = spoken_parts(document).into_iter().filter(is_asked_for).collect();
        if json {
            output::json(&parts)?;
        } else {
            for part in &parts {
                let seconds = part.about_ms.div_ceil(1000);
                let long = if part.fits { "" } else { ", too long to be listened to" };
                output::line(format_args!(
                    "[{} {}, about {seconds} s{long}]\n{}\n",
                    part.language, part.key, part.text
                ))?;
            }
        }
        return Ok(parts.iter().all(|part| part.fits));
    }
    let lang = args.lang.unwrap_or(Tongue::English);
    let page = if args.processors {
        processor_page(document, &Registry::default(), lang)
    } else {
        PrivacyNotice::of(document, lang).markdown()
    };
    if json {
        output::json(&json!({ "lang": lang.tag(), "markdown": page }))?;
    } else {
        output::line(page.trim_end())?;
    }
    Ok(true)
}

/// `coverage`: a table a file. Fails when a clause is open.
fn coverage(args: &FilesArgs, json: bool) -> Result<bool> {
    let mut fine = true;
    for (index, path) in args.files.iter().enumerate() {
        let file = match ProfileFile::open(path) {
            Ok(file) => file,
            Err(error) => {
                fine = false;
                file::refuse(Some(path), &error, json)?;
                continue;
            }
        };
        let coverage = Coverage::of(file.draft.document());
        fine &= coverage.totals.open == 0;
        if json {
            output::line(serde_json::to_string(&coverage)?)?;
        } else {
            let gap = if index == 0 { "" } else { "\n" };
            output::line(format_args!("{gap}{coverage}"))?;
        }
    }
    Ok(fine)
}

/// `export`: one document.
fn exported(args: &ExportArgs, json: bool) -> Result<bool> {
    let file = ProfileFile::open(&args.file)?;
    let document = file.draft.document();
    let record = || Ropa::of(document).with_tenants(args.tenant.iter().cloned());
    match args.format {
        ExportFormat::Ropa if json => output::json(&record()),
        ExportFormat::Ropa => output::line(record().markdown(args.lang).trim_end()),
        ExportFormat::Odrl => output::json(&Odrl::of(document)),
        ExportFormat::Dpv => output::json(&Dpv::of(document)),
    }?;
    Ok(true)
}
