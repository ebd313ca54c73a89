//! The content of a bundle: frames, each preceded by its length, as on a stream.

use super::BundleError;
use crate::limits;

const LENGTH_BYTES: usize = 4;

/// Frames on their way into a bundle.
pub struct Writer {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Writer {
    /// For so many bytes, as far as a bundle may hold them.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), bytes_max: bytes_max.min(limits::BUNDLE_CONTENT_BYTES_MAX) }
    }

    /// Adds a frame; false when there is no room for it.
    pub fn push(&mut self, frame: &[u8]) -> bool {
        let Ok(length) = u32::try_from(frame.len()) else { return false };
        let grown = self.bytes.len() + LENGTH_BYTES + frame.len();
        if frame.len() > limits::FRAME_BYTES_MAX || grown > self.bytes_max {
            return false;
        }
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(frame);
        true
    }

    /// All frames, with this one before them.
    #[must_use]
    pub fn after(&self, first: &[u8]) -> Vec<u8> {
        let length = u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes();
        [length.as_slice(), first, &self.bytes].concat()
    }

    /// All frames.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Takes the first frame off; the rest is `content` then. Nothing when there is none.
///
/// # Errors
/// [`BundleError::Damaged`] when a frame is longer than its content or than a frame may be.
pub fn next_frame<'a>(content: &mut &'a [u8]) -> Result<Option<&'a [u8]>, BundleError> {
    if content.is_empty() {
        return Ok(None);
    }
    let split = content.split_first_chunk::<LENGTH_BYTES>();
    let (length, rest) = split.ok_or(BundleError::Damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limits::FRAME_BYTES_MAX {
        return Err(BundleError::Damaged);
    }
    let (frame, rest) = rest.split_at_checked(length).ok_or(BundleError::Damaged)?;
    *content = rest;
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(mut content: &[u8]) -> Result<Vec<Vec<u8>>, BundleError> {
        let mut frames = Vec::new();
        while let Some(frame) = next_frame(&mut content)? {
            frames.push(frame.to_vec());
        }
        Ok(frames)
    }

    #[test]
    fn frames_come_back_in_order_with_the_first_before_them() {
        let mut writer = Writer::new(20);
        assert!(writer.push(b"one") && writer.push(b""));
        assert!(!writer.push(b"there is no room"), "and nothing of it is written");
        assert!(writer.push(b"two"));
        let expected = [b"manifest".to_vec(), b"one".to_vec(), Vec::new(), b"two".to_vec()];
        assert_eq!(frames(&writer.after(b"manifest")), Ok(expected.to_vec()));
    }

    #[test]
    fn a_frame_that_is_longer_than_what_is_there_is_refused() {
        for content in [&[0, 0, 0][..], &[0, 0, 0, 1], &[0xff; 4], &[0, 0x20, 0, 0, 1]] {
            assert_eq!(frames(content), Err(BundleError::Damaged), "{content:?}");
        }
    }
}
