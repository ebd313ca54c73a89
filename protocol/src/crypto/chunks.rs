//! Long content sealed in chunks, so that it is opened piece by piece and every piece is
//! authenticated where it stands.
//!
//! Each chunk is XChaCha20-Poly1305 under a key that is used for this content alone. The nonce is
//! the number of the chunk and whether it is the last: chunks cannot be swapped, left out, repeated
//! or cut off.

use super::{CryptoError, Secret};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of content in every chunk but the last.
const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

/// Seals `text` under a key made for it.
///
/// # Errors
/// [`CryptoError::Sealed`] never, in practice: chunks are far below the cipher's limit.
pub fn seal_chunks(key: &Secret<32>, text: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let count = text.len().div_ceil(CHUNK_BYTES).max(1);
    let mut sealed = Vec::with_capacity(text.len() + count * TAG_BYTES);
    for number in 0..count {
        let start = number * CHUNK_BYTES;
        let end = text.len().min(start + CHUNK_BYTES);
        let chunk = text.get(start..end).unwrap_or_default();
        let nonce = nonce(number, number + 1 == count);
        sealed.extend(cipher.encrypt(&nonce, chunk).map_err(|_| CryptoError::Sealed)?);
    }
    Ok(sealed)
}

/// Opens what [`seal_chunks`] sealed under this key.
///
/// # Errors
/// [`CryptoError::Sealed`] when anything of it was changed or is missing.
pub fn open_chunks(key: &Secret<32>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let count = sealed.len().div_ceil(CHUNK_BYTES + TAG_BYTES);
    // As long as it can become: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(sealed.len()));
    for (number, chunk) in sealed.chunks(CHUNK_BYTES + TAG_BYTES).enumerate() {
        let nonce = nonce(number, number + 1 == count);
        let opened = cipher.decrypt(&nonce, chunk).map_err(|_| CryptoError::Sealed)?;
        text.extend_from_slice(&Zeroizing::new(opened));
    }
    if count == 0 { Err(CryptoError::Sealed) } else { Ok(text) }
}

fn nonce(number: usize, is_last: bool) -> XNonce {
    let mut nonce = [0; 24];
    for (to, from) in nonce.iter_mut().zip((number as u64).to_be_bytes()) {
        *to = from;
    }
    if let Some(last) = nonce.last_mut() {
        *last = u8::from(is_last);
    }
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret<32> {
        Secret::from_bytes([7; 32])
    }

    #[test]
    fn content_of_any_length_comes_back() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let text = vec![5; length];
            let sealed = seal_chunks(&key(), &text).unwrap();
            assert_eq!(*open_chunks(&key(), &sealed).unwrap(), text, "{length} bytes");
        }
    }

    #[test]
    fn chunks_are_neither_cut_off_nor_swapped_nor_repeated() {
        let sealed = seal_chunks(&key(), &vec![5; 3 * CHUNK_BYTES]).unwrap();
        let chunks: Vec<&[u8]> = sealed.chunks(CHUNK_BYTES + TAG_BYTES).collect();
        for wrong in [
            vec![chunks[0], chunks[1]],
            vec![chunks[1], chunks[0], chunks[2]],
            vec![chunks[0], chunks[0], chunks[2]],
            vec![chunks[0], chunks[1], chunks[2], chunks[2]],
        ] {
            assert!(open_chunks(&key(), &wrong.concat()).is_err());
        }
        assert!(open_chunks(&key(), &[]).is_err());
        assert!(open_chunks(&Secret::from_bytes([8; 32]), &sealed).is_err());
    }
}
