//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A witness of audit logs: cosigns what has grown from what it cosigned before (c2sp.org/tlog-witness).
///
/// Run it where the node's operator has no access: another machine, another account, another company. Then nobody can
/// rewrite the log or cut off its end without it showing, not even with the log's key.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
1. Make a key:      witness key witness.example/w1 --out witness.key
                    prints the public part: put it, with the witness's URL, into the trust
                    file of the node and of its auditors:
                      log <what is in the node's log.pub>
                      witness w1 <what was printed> https://witness.example/
                      quorum w1
2. Configure:       witness.toml
                      listen = \"127.0.0.1:7080\"
                      name = \"witness.example/w1\"
                      key = \"witness.key\"
                      dir = \"ledger\"
                      logs = [\"<what is in the node's log.pub>\"]
3. Run:             witness serve --config witness.toml

Nothing that it is sent or says is secret, and everything is signed. For https, put a proxy in front of it.
Keep its directory: a witness that forgot could vouch for another past. Evidence of a fork is in DIR/evidence.

Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key, and print its public part.
    Key(KeyArgs),
    /// Run the witness.
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The name of the witness in its cosignatures: a URL without its scheme, such as witness.example/w1.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Where to write the private part; must not be there.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration, a TOML file. Relative paths in it are relative to it. The environment comes after it: SAYSO_ and
    /// the key, such as SAYSO_LISTEN.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Where logs connect (listen).
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
