//! What to do with what was written: said so that it can be copied into a terminal.

use std::env;

use sayso_store_raft::NodeId;

use crate::cli::{InitArgs, PeerAddress};
use crate::config;
use crate::join::Token;
use crate::shell::{quote, quote_path};

/// What there is more in a node that founds a cluster.
const PEERS: &str = "  \
  peer/            the node's certificate for its peers
  peer-ca/         the authority that signed it; `sayso store invite` needs its key, and no other command does
";

/// What is said of a node that is served at once.
const SERVES: &str = "it serves from now on in this terminal; later, start it with";

/// What was written, and the next two commands.
pub(super) fn steps(args: &InitArgs) -> String {
    let dir = args.dir.display();
    let program = env::args().next().unwrap_or_else(|| "sayso".to_owned());
    let program = quote(&program);
    let [config, profile] = ["sayso.toml", "profile.toml"].map(|name| quote_path(&args.dir.join(name)));
    let device = device_command(args);
    format!(
        "\
wrote {dir}
  sayso.toml       the node's configuration
  profile.toml     the privacy profile: who receives what, and what people are told
  node/            the node's certificate
  device/          certificate and token of device {id} of {tenant}
  admin/           certificate of the first operator, for the admin API
  ca/, admin-ca/   the authorities that signed them; who has their keys can be any device or operator
{peers}  token.key        signs device tokens
  log.key          signs the audit log
  log.pub          its public part, for auditors: `sayso verify --trust log.pub`
  policy.key       signs the profile, which the node takes in no other way; when you have changed it:
                     {program} policy sign {profile}
  kek.key          wraps the keys of what is kept about people; keep a copy, apart from all backups

{run}
  {program} serve --config {config}
and a device in another
  {program} {device}",
        run = if args.serve { SERVES } else { "run the node in one terminal" },
        id = args.device_id,
        tenant = args.tenant,
        peers = if args.peer.is_empty() { "" } else { PEERS },
    )
}

/// Where in the directory that of a node is that founds a cluster with others.
pub(super) fn place_of(node: NodeId) -> String {
    format!("node-{node}")
}

/// The same for nodes that found a cluster together.
pub(super) fn steps_of_founders(args: &InitArgs) -> String {
    let program = quote(&env::args().next().unwrap_or_else(|| "sayso".to_owned()));
    let nodes: Vec<_> = (1..).map(NodeId).zip(&args.peer).collect();
    let line = |(node, address): &(NodeId, &PeerAddress)| {
        format!("  {}/          of node {node}, which the others reach at {address}", place_of(*node))
    };
    let run = |(node, _): &(NodeId, &PeerAddress)| {
        format!("  {program} serve --config {}", quote_path(&args.dir.join(place_of(*node)).join("sayso.toml")))
    };
    let (lines, runs): (Vec<_>, Vec<_>) = nodes.iter().map(|one| (line(one), run(one))).unzip();
    let profile = quote_path(&args.dir.join(place_of(NodeId(1))).join("profile.toml"));
    format!(
        "\
wrote {dir}
{lines}
  {first}/ also has what there is once: device/ and admin/, the certificates of the first device and the first operator, and
  ca/, admin-ca/ and peer-ca/, the authorities that signed all of them, and policy.key, which signs the profile; keep a copy of
  it, and of kek.key, apart from all backups. Who changes the profile signs it with
    {program} policy sign {profile}
  and takes profile.toml and profile.toml.sig to every node

take each to its machine, so that no other one has it, and run all of them, in any order
{runs}
one serves, and the others stand by",
        dir = args.dir.display(),
        lines = lines.join("\n"),
        first = place_of(NodeId(1)),
        runs = runs.join("\n"),
    )
}

/// The same for a node that joins.
pub(super) fn steps_of_one_more(args: &InitArgs, token: &Token) -> String {
    let program = quote(&env::args().next().unwrap_or_else(|| "sayso".to_owned()));
    format!(
        "\
wrote {dir}
  node {node} of cluster {cluster}: its certificates, and profile, keys and settings as the others have them

{run}
  {program} serve --config {config}",
        run = if args.serve { SERVES } else { "run it, which makes it one of them" },
        dir = args.dir.display(),
        node = token.node,
        cluster = token.cluster,
        config = quote_path(&args.dir.join("sayso.toml")),
    )
}

/// A conversation that needs no recording.
fn device_command(args: &InitArgs) -> String {
    let mut words = vec![
        "device".to_owned(),
        format!("--server {}", config::Gateway::default().listen),
        format!("--certs {}", quote_path(&args.dir.join("device"))),
    ];
    if let Some(name) = args.name.first().filter(|_| !args.name.iter().any(|name| name == "localhost")) {
        words.push(format!("--server-name {}", quote(name)));
    }
    if args.device_id.as_str() != "speaker-1" {
        words.push(format!("--device-id {}", args.device_id));
    }
    words.push("--consent agree --text 'What time is it?'".to_owned());
    words.join(" ")
}
