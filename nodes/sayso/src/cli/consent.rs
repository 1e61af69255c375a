//! `sayso consent ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sayso_types::{Category, Name, Part, ProcessorId, ProcessorKind, Purpose, RegionClass};

use super::PersonArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Consent ends on one path, whoever ends it: when `ok` is printed, no byte of it goes anywhere any more.

Examples:
  sayso consent give --purpose memory --notice notice.txt --evidence form.pdf --kind signed --admin ADDR --certs DIR
  sayso consent withdraw --purpose memory ...
  sayso consent withdraw --category voice_audio --processor groq ...
  sayso consent give --purpose voice_interaction --again '*/voice_audio/groq/*/*' ...
  sayso consent revoke --purpose memory --reason given_up ...
  sayso consent invalidate --reason wrong_person ...   then   sayso incident assess ... --consent RECORD

What went by a consent that was not valid is what an incident with its record in the scope finds.")]
pub(crate) struct ConsentArgs {
    #[command(subcommand)]
    pub(crate) command: ConsentCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Record consent that a person gave elsewhere, with what shows it.
    Give(GiveArgs),
    /// Take consent back for the person: all of it, or what of it --category, --processor, --kind and --region say together.
    Withdraw {
        #[command(flatten)]
        of: ConsentOfArgs,
        #[command(flatten)]
        part: PartArgs,
    },
    /// End consent because data is not used for that any more, or for another reason of whoever answers for it.
    Revoke {
        #[command(flatten)]
        of: ConsentOfArgs,
        /// Why: a word for the audit log, such as given_up; nothing about a person.
        #[arg(long, value_name = "WORD")]
        reason: Name,
    },
    /// End consent that turned out not to have been valid, and erase what was kept by it.
    Invalidate {
        #[command(flatten)]
        of: ConsentOfArgs,
        /// Why: a word for the audit log, such as wrong_person, false_evidence or child; nothing about a person.
        #[arg(long, value_name = "WORD")]
        reason: Name,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConsentOfArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// To what (repeatable). Default: everything that the person agreed to.
    #[arg(long, value_name = "NAME")]
    pub(crate) purpose: Vec<Purpose>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Less than a purpose. It stays taken back, whatever is agreed to later, until it is given again by name.
#[derive(Debug, Args)]
pub(crate) struct PartArgs {
    /// Only this data, such as voice_audio.
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<Category>,
    /// Only what goes to this receiver.
    #[arg(long, value_name = "NAME")]
    pub(crate) processor: Option<ProcessorId>,
    /// Only what goes to receivers of this kind, such as asr, llm or database.
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<ProcessorKind>,
    /// Only what goes this far: local, domestic or overseas.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<RegionClass>,
}

impl PartArgs {
    /// The parts that are meant of `purposes`, or of whatever was agreed to; none where all of it is.
    pub(crate) fn of(&self, purposes: &[Purpose]) -> Vec<Part> {
        let Self { category, processor, kind, region } = *self;
        let part = Part { purpose: None, category, processor, kind, region };
        if !part.is_partial() {
            return Vec::new();
        }
        let of = |purpose: &Purpose| Part { purpose: Some(*purpose), ..part };
        if purposes.is_empty() { vec![part] } else { purposes.iter().map(of).collect() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct GiveArgs {
    #[command(flatten)]
    pub(crate) person: PersonArgs,
    /// To what (repeatable). Who is asked for one thing alone agrees to it separately.
    #[arg(long, value_name = "NAME", required = true)]
    pub(crate) purpose: Vec<Purpose>,
    /// What they had taken back and give again with it (repeatable): purpose/category/processor/kind/region, with * for every one.
    #[arg(long, value_name = "PART")]
    pub(crate) again: Vec<Part>,
    /// The text that the person was given; its SHA-256 is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) notice: PathBuf,
    /// Its language, BCP 47.
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub(crate) language: String,
    /// Whether it was read out rather than shown.
    #[arg(long)]
    pub(crate) oral: bool,
    /// What shows that they agreed; its SHA-256 is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: PathBuf,
    /// What that is.
    #[arg(long, value_name = "KIND", default_value = "told")]
    pub(crate) kind: EvidenceArg,
    /// With --kind implied: what the person did that implies it, a word such as went_on.
    #[arg(long, value_name = "WORD", required_if_eq("kind", "implied"))]
    pub(crate) act: Option<Name>,
    /// Their verified guardian agreed in their place.
    #[arg(long)]
    pub(crate) by_guardian: bool,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EvidenceArg {
    /// They told you in some way that is none of the others.
    Told,
    /// A document that they signed. It is theirs alone.
    Signed,
    /// A document in writing that they did not sign. It is theirs alone.
    Written,
    /// A permission in the settings of the device.
    Permission,
    /// Nothing was said; something that they did implies it.
    Implied,
}
