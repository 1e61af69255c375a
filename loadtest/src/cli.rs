//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{all, consent, frame_path, idle_memory, store, turn_latency, withdraw_latency, withdraw_wire};

/// What Sayso costs, in figures and as ratios to the bare parts, measured in the same run.
#[derive(Debug, Parser)]
#[command(
    name = "sayso-loadtest",
    version,
    after_help = "\
Everything, in about a minute:   sayso-loadtest all --out figures.json
One promise, more thoroughly:    sayso-loadtest frame-path --rounds 1000

A figure says what was measured; its floor is what the bare parts cost in the same run, its ratio the two together,
its aim what the project wants to stay below. Figures of a build without --release say nothing.

Exit codes: 0 measured, whether or not the aims are met; 1 something could not be measured; 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON instead of a table.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What all randomness (sound, pauses) follows from.
    #[arg(long, global = true, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where stores are kept while they are measured: choose the disk. Default: the system's temporary directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// CPU time of a frame: datagram, Opus, voice detection, session, gate; without and with the network.
    FramePath(frame_path::Args),
    /// Memory of a node for a device that is connected and silent.
    IdleMemory(idle_memory::Args),
    /// What the engine adds between the end of an utterance and the first sound of the answer.
    TurnLatency(turn_latency::Args),
    /// How long a withdrawal takes, and what still reaches the recogniser after its OK.
    WithdrawLatency(withdraw_latency::Args),
    /// Withdrawals in the midst of uploads over HTTP/1.1, HTTP/2 and WebSockets: what comes after the OK, and when the last byte comes.
    WithdrawWire(withdraw_wire::Args),
    /// Answers on record, withdrawals idle and while many talk, the gate, and the verification of the log.
    Consent(consent::Args),
    /// Durable commits of one node and of three, against a bare append with fdatasync and beside etcd and PostgreSQL; how
    /// long a leader that is killed is missed; what memory a snapshot takes.
    Store(store::Args),
    /// All of them but the store and consent, briefly.
    All(all::Args),
    /// A server that is measured: started by the other commands, driven through its standard input.
    #[command(hide = true)]
    Server,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
