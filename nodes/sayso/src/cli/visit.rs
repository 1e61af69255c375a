//! `sayso visit ...`.

use clap::{Args, Subcommand};
use sayso_types::{DeviceId, TenantId};

use super::NodeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Somebody who is not the owner of a device may talk to it as a guest: asked for their own consent, told nothing of the
owner's, and forgotten when they leave. People say \"guest mode\" and \"guest mode off\" to the device, which may also have a
switch for it; these commands do the same.

Who is there:  sayso visit list --admin ADDR --certs DIR
A guest:       sayso visit begin --admin ADDR --certs DIR --device-id ID
has left:      sayso visit end --admin ADDR --certs DIR --device-id ID
               sayso rights certificate --admin ADDR --certs DIR --subject SUBJECT VISIT")]
pub(crate) struct VisitArgs {
    #[command(subcommand)]
    pub(crate) command: VisitCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VisitCommand {
    /// Print who visits which device now.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Whose devices. Without it: all that you may see.
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        /// Print JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Have a guest speak through a device from here on; prints the visit, also one that is open already.
    Begin(OneVisitArgs),
    /// End the visit to a device; prints it. Everything of the guest's is erased.
    End(OneVisitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OneVisitArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The device.
    #[arg(long, value_name = "ID", default_value = "speaker-1")]
    pub(crate) device_id: DeviceId,
    /// Whose device it is.
    #[arg(long, value_name = "ID", default_value = "home")]
    pub(crate) tenant: TenantId,
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}
