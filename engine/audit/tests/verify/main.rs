//! What an auditor finds in logs: in sound ones nothing, in damaged ones the damage, in bad ones the deed.

mod deeds;
mod log;
mod tampering;
