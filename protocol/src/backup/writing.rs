//! Making a backup, a chunk at a time.

use super::{BackupHeader, checksum, header_hash, key_context, nonce, prelude};
use crate::codec;
use crate::crypto::{CryptoError, Domain, NodeKey, SealingPublic, Secret};
use crate::ids::OrganisationId;
use crate::limits::BACKUP_CHUNK_BYTES;
use crate::time::Timestamp;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Turns content into the bytes of a file. It holds one chunk, whatever the size of the file.
pub struct BackupWriter {
    cipher: XChaCha20Poly1305,
    header: [u8; 32],
    hasher: blake3::Hasher,
    node_key: NodeKey,
    number: u64,
    waiting: Zeroizing<Vec<u8>>,
    chunk_bytes: usize,
}

impl BackupWriter {
    /// Begins the backup of a node for the holder of `recipient`; the first bytes of the file.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when `recipient` is not a sealing key.
    pub fn begin<R: CryptoRng + ?Sized>(
        organisation: OrganisationId,
        node_key: &NodeKey,
        made_at: Timestamp,
        recipient: &SealingPublic,
        random: &mut R,
    ) -> Result<(Self, Vec<u8>), CryptoError> {
        let key = Secret::<32>::random(random);
        let node = node_key.id();
        let context = key_context(&organisation, &node, made_at);
        let sealed = recipient.seal(&context, key.expose(), random)?;
        let header = codec::encode(&BackupHeader { organisation, node, made_at, sealed });
        let prelude = prelude(&header);
        let hash = header_hash(&prelude, &header);
        let mut begun = prelude;
        begun.extend(&header);
        begun.extend(checksum(&hash, &[], 0, &[]));
        let mut writer = Self {
            cipher: XChaCha20Poly1305::new(key.expose().into()),
            header: hash,
            hasher: blake3::Hasher::new_derive_key(Domain::BACKUP_SIGNATURE.text()),
            node_key: node_key.clone(),
            number: 0,
            waiting: Zeroizing::new(Vec::with_capacity(2 * BACKUP_CHUNK_BYTES)),
            chunk_bytes: BACKUP_CHUNK_BYTES,
        };
        writer.hasher.update(&begun);
        Ok((writer, begun))
    }

    /// Smaller chunks, so that a small file has several.
    #[cfg(test)]
    pub(super) const fn in_chunks_of(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes;
        self
    }

    /// Takes content; what of the file is ready.
    ///
    /// # Errors
    /// [`CryptoError::Sealed`], which does not happen: chunks are far below the cipher's limit.
    pub fn write(&mut self, content: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut ready = Vec::new();
        for part in content.chunks(self.chunk_bytes.max(1)) {
            self.waiting.extend_from_slice(part);
            // One chunk stays behind: whether it is the last is not known yet.
            if self.waiting.len() > self.chunk_bytes {
                let rest = Zeroizing::new(self.waiting.split_off(self.chunk_bytes));
                ready.extend(self.chunk(false)?);
                self.waiting.clear();
                self.waiting.extend_from_slice(&rest);
            }
        }
        Ok(ready)
    }

    /// The last bytes of the file.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn finish(mut self) -> Result<Vec<u8>, CryptoError> {
        let mut ready = self.chunk(true)?;
        let hash = self.hasher.finalize();
        let signature = self.node_key.sign(Domain::BACKUP_SIGNATURE, hash.as_bytes());
        ready.extend(signature.as_bytes());
        Ok(ready)
    }

    fn chunk(&mut self, is_last: bool) -> Result<Vec<u8>, CryptoError> {
        let nonce = XNonce::from(nonce(self.number, is_last));
        let payload = Payload { msg: self.waiting.as_slice(), aad: &self.header };
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_| CryptoError::Sealed)?;
        let length = u32::try_from(sealed.len()).map_err(|_| CryptoError::Sealed)?;
        let mut bytes = vec![u8::from(is_last)];
        bytes.extend(length.to_be_bytes());
        let checksum = checksum(&self.header, &bytes, self.number, &sealed);
        bytes.extend(sealed);
        bytes.extend(checksum);
        self.hasher.update(&bytes);
        self.number += 1;
        Ok(bytes)
    }
}
