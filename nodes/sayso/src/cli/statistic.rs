//! `sayso statistic ...`.

use clap::{Args, Subcommand};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Where a policy has data anonymised when its time is over (action = \"anonymise\", by = \"monthly_counts@1\"), each person is
counted once, and their data and its keys are destroyed. When the month is over, the numbers of those are released who are
alike with at least k people; the rest is erased.

Numbers:      sayso statistic show --admin ADDR --certs DIR
Their tests:  sayso statistic report --admin ADDR --certs DIR --json")]
pub(crate) struct StatisticArgs {
    #[command(subcommand)]
    pub(crate) command: StatisticCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StatisticCommand {
    /// Print what was released, month by month.
    Show(ListStatisticsArgs),
    /// Print what came of trying to find people again in what was released.
    Report(ListStatisticsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListStatisticsArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
