//! `sayso referral ...`.

use clap::{Args, Subcommand, ValueEnum};
use sayso_types::TenantId;

use super::{NodeArgs, PersonArgs};

#[derive(Debug, Args)]
#[command(after_help = "\
Where the policy says tenant_first of a right, a request is the tenant's to answer first. Whoever answers shows the certificate
or the token of one of the tenant's. What the tenant cannot do, or says nothing to until its time is over, goes back to the
operator of the node by itself; by when the person is answered does not change.")]
pub(crate) struct ReferralArgs {
    #[command(subcommand)]
    pub(crate) command: ReferralCommand,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReferralCommand {
    /// Print the requests that wait for a tenant, oldest first.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// The tenant.
        #[arg(long, value_name = "ID", default_value = "home")]
        tenant: TenantId,
    },
    /// Answer a request, as the tenant whose person asked.
    Answer {
        #[command(flatten)]
        person: PersonArgs,
        /// The request, as `list` prints it.
        #[arg(value_name = "CASE")]
        case: String,
        /// What became of it.
        #[arg(value_name = "ANSWER")]
        answer: AnswerArg,
        /// With refused: one of the policy's rights.refusals.
        #[arg(long, value_name = "WORD", default_value = "")]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AnswerArg {
    /// The tenant has proved who the person is, and has done its part; what the node carries out itself begins with this.
    Done,
    /// It will not be done, for a reason.
    Refused,
    /// The tenant cannot do it; the operator of the node is to.
    Cannot,
}
