//! Which version of the protocol two sides speak.

use crate::Error;

/// Protocol versions spoken here, best first.
pub const VERSIONS: [u32; 1] = [1];

/// The version to speak with a device that offers these, best first: its best that is spoken here.
///
/// # Errors
/// [`Error::NoCommonVersion`] lists both sides' versions.
pub fn negotiate(offered: &[u32]) -> Result<u32, Error> {
    offered
        .iter()
        .copied()
        .find(|version| VERSIONS.contains(version))
        .ok_or_else(|| Error::NoCommonVersion { offered: offered.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_devices_best_common_version_is_spoken() {
        assert_eq!(negotiate(&[1]), Ok(1));
        assert_eq!(negotiate(&[7, 1, 0]), Ok(1));
        let error = negotiate(&[9, 2]).unwrap_err();
        assert_eq!(error.to_string(), "no common protocol version: offered [9, 2], spoken here [1]");
        assert!(negotiate(&[]).is_err());
    }
}
