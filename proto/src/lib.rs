//! Protocol buffers of the device protocol, the consent and audit records and the admin API.
//!
//! The code in `src/gen` is generated from `sayso/**/*.proto` by `cargo run -p sayso-proto --example generate`,
//! checked in, and proved fresh by a test, so that building needs neither `protoc` nor a build script. These are the
//! bytes' shapes; the crates that use them convert to their own types at their edge and check every field there.

macro_rules! package {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub mod $name {
            /// Version 1.
            #[allow(
                missing_docs,
                missing_debug_implementations,
                unused_qualifications,
                clippy::allow_attributes_without_reason,
                clippy::all,
                reason = "generated code: what it is documented with is the comments of the .proto file"
            )]
            pub mod v1 {
                include!(concat!("gen/", $file));
            }
        }
    };
}

package! {
    /// How a device talks with a node.
    device, "sayso.device.v1.rs"
}
package! {
    /// Consent, as it is recorded.
    consent, "sayso.consent.v1.rs"
}
package! {
    /// The leaves of the audit log.
    audit, "sayso.audit.v1.rs"
}
package! {
    /// What the nodes of a cluster say to each other.
    peer, "sayso.peer.v1.rs"
}
package! {
    /// What integrators and operators do.
    admin, "sayso.admin.v1.rs"
}

mod debug;

/// Every message and service as an encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptors.bin");
