//! Programs outside of the node run for as long as a permit holds: a campaign of text messages that an opt-out stops.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use sayso_proto::consent::v1::{HolderOutcome, HolderState, WithdrawalState};
use sayso_tests::{Finished, Installation, Node, Process, TENANT, within};
use serde_json::Value;

use crate::place::stands_in;
use crate::reload::PROFILE;
use crate::sayso;

pub(crate) const DEVICE: &str = "speaker-1";
const WRITTEN: &str = include_str!("../../../../deploy/profiles/aiwellflow.toml");
const LAWFUL: &str = include_str!("../../../../deploy/profiles/aiwellflow-lawful.toml");

/// A campaign: sends to the file until somebody stops it. How long it waits between two messages is its own business.
pub(crate) const CAMPAIGN: &str =
    "echo $$ > \"$0.pid\"; while :; do echo \"an offer to $SAYSO_SUBJECT, $SAYSO_FIELDS\" >> \"$0\"; sleep 0.01; done";
/// One that does not stop when it is asked to.
const STUBBORN: &str = "trap '' TERM; echo $$ > \"$0.pid\"; while :; do echo more >> \"$0\"; sleep 0.01; done";

/// A node under the policy of AiWellFlow in an operator's copy, in which the sender of text messages has been examined, and a
/// service that is this sender.
struct Story {
    installation: Installation,
    node: Node,
}

/// Gives `installation` the policy, of which each node of a cluster has a copy.
pub(crate) fn examine(installation: &Installation) {
    fs::write(installation.path("aiwellflow.toml"), WRITTEN).unwrap();
    installation.set_profile(LAWFUL);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let examined = format!(
        r#"processor = [{{ id = "partner-sms", party = "An SMS company", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-7", instructions_ref = "2026-7, annex 1", trains_on_data = false, declared_retention = "PT24H", deletion_api = true, state = "active", due_diligence = {{ at = {today}, by = "privacy officer", valid = "P1Y" }} }}]"#
    );
    stands_in(installation, "CN");
    installation.edit(PROFILE, |profile| profile.extend(examined.parse::<toml::Table>().unwrap()));
}

/// Gives the service its certificate.
pub(crate) async fn certify(installation: &Installation) {
    let add = ["operator", "add", "campaign", "--processor", "partner-sms", "--tenant", TENANT];
    let places = ["--node", &installation.file(""), "--out", &installation.file("campaign")];
    let _ = sayso().run(add.into_iter().chain(places)).await.success();
}

/// What the service, certified by `installation`, says to `node`.
fn call(installation: &Installation, node: &Node, processor: &str, (command, purpose): (&str, &str)) -> Command {
    let (at, certs) = (node.admin.to_string(), installation.file("campaign"));
    let node = ["permit", command, "--admin", &at, "--certs", &certs, "--tenant", TENANT, "--device-id", DEVICE];
    let what = ["--processor", processor, "--category", "contact_phone", "--purpose", purpose];
    sayso().command(node.iter().chain(&what))
}

/// Runs `script` for as long as `node` says that offers may be sent; it finds `outbox` in $0.
pub(crate) fn campaign(installation: &Installation, node: &Node, script: &str, outbox: &Path) -> Process {
    let mut hold = call(installation, node, "partner-sms", ("hold", "marketing"));
    hold.args(["--", "sh", "-c", script, outbox.to_str().unwrap()]);
    Process::start(hold)
}

impl Story {
    async fn begin() -> Self {
        let installation = Installation::new(&sayso()).await;
        examine(&installation);
        certify(&installation).await;
        let node = installation.start().await;
        // somebody has a device, and speaks to it now and then
        drop(installation.first_device(&node).await);
        Self { installation, node }
    }

    fn call(&self, command: &str, processor: &str, purpose: &str, more: &[&str]) -> Command {
        let mut call = call(&self.installation, &self.node, processor, (command, purpose));
        call.args(more);
        call
    }

    async fn ask_as(&self, processor: &str) -> Finished {
        Process::start(self.call("ask", processor, "marketing", &[])).finished().await
    }

    async fn asks(&self, purpose: &str) -> (Option<i32>, Value) {
        let Finished { status, stdout, .. } =
            Process::start(self.call("ask", "partner-sms", purpose, &["--json"])).finished().await;
        (status.code(), serde_json::from_str(&stdout).unwrap())
    }

    /// Runs `script` for as long as offers may be sent; it finds `outbox` in $0.
    fn holds(&self, script: &str, outbox: &Path) -> Process {
        campaign(&self.installation, &self.node, script, outbox)
    }

    fn runs_under_a_permit(&self, command: &[&str]) -> Process {
        Process::start(self.call("hold", "partner-sms", "marketing", &[&["--"], command].concat()))
    }
}

/// How many messages were sent.
pub(crate) fn sent(outbox: &Path) -> usize {
    fs::read_to_string(outbox).map_or(0, |messages| messages.lines().count())
}

pub(crate) async fn until_sent(outbox: &Path, messages: usize) {
    let wait = async {
        while sent(outbox) < messages {
            tokio::task::yield_now().await;
        }
    };
    within("messages that are sent", wait).await;
}

/// Whether the campaign runs. One that has ended and that nobody has waited for does not.
pub(crate) fn runs(outbox: &Path) -> bool {
    let id = fs::read_to_string(outbox.with_extension("pid")).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[tokio::test]
async fn after_an_opt_out_is_answered_ok_a_campaign_sends_nothing_more() {
    let story = Story::begin().await;
    let operator = story.installation.operator(&story.node).await;
    let (code, answer) = story.asks("marketing").await;
    assert_eq!((code, &answer["reason"], &answer["basis"]), (Some(3), &"no_basis".into(), &"Consent".into()));
    let outbox = story.installation.path("outbox");
    let denied = story.holds(CAMPAIGN, &outbox).finished().await;
    assert_eq!((denied.status.code(), outbox.exists()), (Some(125), false), "{}", denied.stderr);

    operator.give(DEVICE, "marketing").await;
    let (code, answer) = story.asks("marketing").await;
    assert_eq!((code, &answer["obligations"]["only_fields"][0]), (Some(0), &"phone".into()));
    for (round, script) in [CAMPAIGN, STUBBORN].into_iter().enumerate() {
        let outbox = story.installation.path(&format!("outbox-{round}"));
        let campaign = story.holds(script, &outbox);
        until_sent(&outbox, 20).await;
        let withdrawn = operator.withdraw(DEVICE).await;
        let at_ok = sent(&outbox);
        assert_eq!(withdrawn.state(), WithdrawalState::Ok, "{withdrawn:?}");
        assert!(!runs(&outbox), "it has ended before OK was said");
        let let_go = |holder: &HolderOutcome| holder.state() == HolderState::Acknowledged && holder.uncounted;
        assert!(withdrawn.holders.iter().all(let_go), "{withdrawn:?}");
        let stopped = campaign.finished().await;
        assert_eq!(stopped.status.code(), Some(124), "{}", stopped.stderr);
        assert!(stopped.stderr.contains("withdrawn"), "{}", stopped.stderr);
        assert_eq!(sent(&outbox), at_ok, "not one more");
        operator.give(DEVICE, "marketing").await;
    }

    // whoever ends by themselves tells how
    let ended = story.runs_under_a_permit(&["sh", "-c", "exit 7"]).finished().await;
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    // a code may be sent all the time
    assert_eq!(story.asks("identity_check").await.0, Some(0));
    story.ask_as("store-local").await.failure(&["your certificate is not for store-local"]);

    let (at, certs) = (story.node.admin.to_string(), story.installation.file("admin"));
    let (log, key) = (story.installation.file("log"), story.installation.file("log.pub"));
    let _ = sayso().run(["audit", "export", "--admin", &at, "--certs", &certs, &log]).await.success();
    let profile = story.installation.file(PROFILE);
    let _ = sayso().run(["verify", &log, "--trust", &key, "--profile", &profile]).await.success();
}

#[tokio::test]
async fn a_campaign_whose_holder_is_killed_dies_with_it_and_ok_waits_until_the_permit_has_run_out() {
    let story = Story::begin().await;
    let operator = story.installation.operator(&story.node).await;
    operator.give(DEVICE, "marketing").await;
    let outbox = story.installation.path("outbox");
    let campaign = story.holds(CAMPAIGN, &outbox);
    until_sent(&outbox, 20).await;
    campaign.kill().await;
    let gone = async {
        while runs(&outbox) {
            tokio::task::yield_now().await;
        }
    };
    within("the end of the campaign", gone).await;
    let left = sent(&outbox);
    let mut withdrawn = operator.withdraw(DEVICE).await;
    while withdrawn.state() != WithdrawalState::Ok {
        withdrawn = operator.withdraw(DEVICE).await;
    }
    assert_eq!(sent(&outbox), left);
    let closed = |leaf: &sayso_audit::Leaf| match &leaf.fact.event {
        sayso_audit::Event::SegmentClosed { reason, .. } => reason.as_str() == "ran_out",
        _ => false,
    };
    assert!(operator.leaves().await.iter().any(closed), "the log says that nothing was heard of it");
}

/// W7, of a holder outside of the node.
#[tokio::test]
async fn a_campaign_whose_holder_is_stopped_is_ended_before_ok_is_said() {
    let story = Story::begin().await;
    let operator = story.installation.operator(&story.node).await;
    operator.give(DEVICE, "marketing").await;
    let outbox = story.installation.path("outbox");
    let campaign = story.holds(STUBBORN, &outbox);
    until_sent(&outbox, 20).await;
    let holder = Pid::from_raw(i32::try_from(campaign.id()).unwrap()).unwrap();
    kill_process(holder, Signal::STOP).unwrap();
    let mut withdrawn = operator.withdraw(DEVICE).await;
    while withdrawn.state() != WithdrawalState::Ok {
        withdrawn = operator.withdraw(DEVICE).await;
    }
    let at_ok = sent(&outbox);
    assert!(!runs(&outbox), "the watchdog has ended it, and the holder is still stopped");
    kill_process(holder, Signal::CONT).unwrap();
    let stopped = campaign.finished().await;
    assert_eq!(stopped.status.code(), Some(124), "{}", stopped.stderr);
    assert_eq!(sent(&outbox), at_ok, "not one more after OK");
}

/// What a shell has started outlives the shell.
#[tokio::test]
async fn all_that_a_campaign_has_started_ends_with_its_holder() {
    let story = Story::begin().await;
    let operator = story.installation.operator(&story.node).await;
    operator.give(DEVICE, "marketing").await;
    let outbox = story.installation.path("outbox");
    let campaign = story.holds(&format!("sh -c '{CAMPAIGN}' \"$0\" & wait"), &outbox);
    until_sent(&outbox, 20).await;
    campaign.kill().await;
    let gone = async {
        while runs(&outbox) {
            tokio::task::yield_now().await;
        }
    };
    within("the end of what it had started", gone).await;
}

#[tokio::test]
async fn a_command_line_that_stops_when_its_node_is_gone() {
    let story = Story::begin().await;
    let operator = story.installation.operator(&story.node).await;
    operator.give(DEVICE, "marketing").await;
    let outbox = story.installation.path("outbox");
    let campaign = story.holds(CAMPAIGN, &outbox);
    until_sent(&outbox, 20).await;
    let Story { node, .. } = story;
    node.kill().await;
    let stopped = campaign.finished().await;
    assert_eq!(stopped.status.code(), Some(124), "{}", stopped.stderr);
    assert!(!runs(&outbox));
}
