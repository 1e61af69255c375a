//! Who talks to a device that is somebody else's.

use sayso_store::{Schema, key};

key! {
    /// A guest's visit to a device.
    pub(crate) struct VisitKey in "visit" {
        /// The integrator.
        pub(crate) tenant: String,
        /// The device.
        pub(crate) device: String,
    }
}

pub(crate) const VISIT: Schema = Schema::new("visit", 1, 1);
