//! [`Picture`]: a picture that a device took, well formed as far as its first bytes can tell.

use core::fmt;

use zeroize::Zeroizing;

/// How a picture lies in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl PictureFormat {
    /// Every format that is taken.
    pub const ALL: [Self; 2] = [Self::Jpeg, Self::Png];

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// With what every picture of this format begins.
    const fn begins(self) -> &'static [u8] {
        match self {
            Self::Jpeg => &[0xff, 0xd8, 0xff],
            Self::Png => b"\x89PNG\r\n\x1a\n",
        }
    }

    /// The format of what begins like `bytes`, if it is one that is taken.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| bytes.starts_with(format.begins()))
    }
}

/// Why bytes are not a picture that was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// It is larger than is taken.
    #[error("a picture of {bytes} bytes was announced, 1 to {max} are taken", max = Picture::BYTES_MAX)]
    Length {
        /// Bytes announced.
        bytes: usize,
    },
    /// What came is not what was announced.
    #[error("{announced} bytes of a picture were announced, {came} came")]
    Incomplete {
        /// Bytes announced.
        announced: usize,
        /// Bytes that came.
        came: usize,
    },
    /// It does not begin as a picture of its format does.
    #[error("what came is not of the type {} that was announced", .0.media_type())]
    Format(PictureFormat),
}

impl PictureError {
    /// A short, fixed word for metrics, reason codes and the device.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "picture_too_large",
            Self::Incomplete { .. } => "picture_incomplete",
            Self::Format(_) => "picture_format",
        }
    }
}

/// A picture. Its bytes are wiped when it is dropped, and shown by no formatting.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    format: PictureFormat,
    bytes: Zeroizing<Vec<u8>>,
}

impl Picture {
    /// Bytes that a picture may have: a photograph of 1080 lines in JPEG of fair quality. More would tell a model nothing
    /// more, and ten thousand devices that show one at the same moment would take what a node has.
    pub const BYTES_MAX: usize = 512 * 1024;

    /// Whether a picture of so many bytes is taken.
    ///
    /// # Errors
    /// [`PictureError::Length`].
    pub const fn check_len(bytes: usize) -> Result<(), PictureError> {
        if bytes == 0 || bytes > Self::BYTES_MAX { Err(PictureError::Length { bytes }) } else { Ok(()) }
    }

    /// A picture of `format`.
    ///
    /// # Errors
    /// [`PictureError::Length`], or [`PictureError::Format`] when the bytes begin otherwise.
    pub fn new(format: PictureFormat, bytes: Zeroizing<Vec<u8>>) -> Result<Self, PictureError> {
        Self::check_len(bytes.len())?;
        if PictureFormat::of(&bytes) != Some(format) {
            return Err(PictureError::Format(format));
        }
        Ok(Self { format, bytes })
    }

    /// How it lies in bytes.
    #[must_use]
    pub const fn format(&self) -> PictureFormat {
        self.format
    }

    /// Its bytes, for code whose job it is to hand them on.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture").field("format", &self.format).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(of: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(of.to_vec())
    }

    #[test]
    fn a_picture_is_what_its_first_bytes_say() {
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];
        assert_eq!(Picture::new(PictureFormat::Jpeg, bytes(&jpeg)).unwrap().bytes(), jpeg);
        let png = b"\x89PNG\r\n\x1a\n....";
        assert_eq!(Picture::new(PictureFormat::Png, bytes(png)).unwrap().format(), PictureFormat::Png);
        for (format, other) in
            [(PictureFormat::Png, &jpeg[..]), (PictureFormat::Jpeg, png), (PictureFormat::Jpeg, b"GIF89a")]
        {
            assert_eq!(Picture::new(format, bytes(other)), Err(PictureError::Format(format)));
        }
    }

    #[test]
    fn none_is_empty_or_larger_than_is_taken() {
        for wrong in [0, Picture::BYTES_MAX + 1] {
            let large = Zeroizing::new(vec![0xff; wrong]);
            assert_eq!(Picture::new(PictureFormat::Jpeg, large), Err(PictureError::Length { bytes: wrong }));
        }
        assert_eq!(Picture::check_len(Picture::BYTES_MAX), Ok(()));
    }

    #[test]
    fn nothing_of_it_shows() {
        let picture = Picture::new(PictureFormat::Jpeg, bytes(b"\xff\xd8\xffsecret")).unwrap();
        assert_eq!(format!("{picture:?}"), "Picture { format: Jpeg, .. }");
    }
}
