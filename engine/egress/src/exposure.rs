//! [`Exposure`]: a picture that is still coming in.

use core::fmt;
use core::pin::Pin;

use futures::{Stream, StreamExt};
use sayso_types::{Picture, PictureError, PictureFormat};
use zeroize::Zeroizing;

/// A picture as it comes in, in front of the gate: what it was announced to be, and its parts. A withdrawal destroys what
/// there is of it.
pub struct Exposure {
    /// Its format, as announced.
    pub format: PictureFormat,
    /// Its bytes, as announced.
    pub bytes: usize,
    /// Its parts, in order.
    pub parts: Pin<Box<dyn Stream<Item = Zeroizing<Vec<u8>>> + Send>>,
}

impl Exposure {
    /// Waits for the picture.
    ///
    /// # Errors
    /// [`PictureError`] when what comes is not what was announced.
    pub async fn develop(self) -> Result<Picture, PictureError> {
        let Self { format, bytes: announced, mut parts } = self;
        Picture::check_len(announced)?;
        // of its size from the beginning: what grows leaves copies behind
        let mut bytes = Zeroizing::new(Vec::with_capacity(announced));
        while bytes.len() < announced {
            let Some(part) = parts.next().await else { break };
            if bytes.len() + part.len() > announced {
                return Err(PictureError::Incomplete { announced, came: bytes.len() + part.len() });
            }
            bytes.extend_from_slice(&part);
        }
        if bytes.len() < announced {
            return Err(PictureError::Incomplete { announced, came: bytes.len() });
        }
        Picture::new(format, bytes)
    }
}

impl fmt::Debug for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, bytes, .. } = self;
        f.debug_struct("Exposure").field("format", format).field("bytes", bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    async fn develop(format: PictureFormat, bytes: usize, parts: &[&[u8]]) -> Result<Vec<u8>, PictureError> {
        let parts: Vec<_> = parts.iter().map(|part| Zeroizing::new(part.to_vec())).collect();
        let exposure = Exposure { format, bytes, parts: Box::pin(stream::iter(parts)) };
        exposure.develop().await.map(|picture| picture.bytes().to_vec())
    }

    #[tokio::test]
    async fn parts_join_to_what_was_announced_or_to_nothing() {
        const JPEG: PictureFormat = PictureFormat::Jpeg;
        assert_eq!(develop(JPEG, 5, &[&[0xff, 0xd8], &[0xff, 1, 2]]).await, Ok(vec![0xff, 0xd8, 0xff, 1, 2]));
        let incomplete = |came| Err(PictureError::Incomplete { announced: 5, came });
        assert_eq!(develop(JPEG, 5, &[&[0xff, 0xd8]]).await, incomplete(2));
        assert_eq!(develop(JPEG, 5, &[&[0xff, 0xd8], &[0xff, 1, 2, 3]]).await, incomplete(6));
        assert_eq!(
            develop(PictureFormat::Png, 3, &[&[0xff, 0xd8, 0xff]]).await,
            Err(PictureError::Format(PictureFormat::Png))
        );
        let large = Picture::BYTES_MAX + 1;
        assert_eq!(develop(JPEG, large, &[]).await, Err(PictureError::Length { bytes: large }));
    }
}
