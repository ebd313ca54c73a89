//! Reading a backup, a part at a time, with the words or without.

use super::{
    BackupError, BackupHeader, CHECKSUM_BYTES, FRAME_BYTES, MAGIC, PRELUDE_BYTES, Place,
    SIGNATURE_BYTES, TAG_BYTES, VERSION, checksum, header_hash, key_context, nonce,
};
use crate::codec;
use crate::crypto::{Domain, SealingSecret, Signature};
use crate::limits::{BACKUP_CHUNK_BYTES, BACKUP_HEADER_BYTES_MAX};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// What a part turned out to be.
#[derive(Debug)]
pub enum Scanned {
    /// Go on.
    More,
    /// The header, undamaged.
    Header,
    /// A chunk, undamaged and still sealed; [`BackupKey::open`] opens it.
    Chunk {
        /// Its number, from 0.
        number: u64,
        /// Whether it is the last.
        is_last: bool,
        /// The sealed bytes.
        sealed: Vec<u8>,
    },
    /// The file is whole and signed by the node that it names.
    End,
}

enum Stage {
    Prelude,
    Header,
    Frame,
    Chunk { is_last: bool, length: usize, frame: [u8; FRAME_BYTES] },
    Trailer,
    Done,
}

/// Checks the parts of a file as they come. It never asks for more than a chunk.
pub struct BackupScanner {
    stage: Stage,
    prelude: Vec<u8>,
    header_bytes: usize,
    header: Option<BackupHeader>,
    hash: [u8; 32],
    hasher: blake3::Hasher,
    number: u64,
}

impl Default for BackupScanner {
    fn default() -> Self {
        Self {
            stage: Stage::Prelude,
            prelude: Vec::new(),
            header_bytes: 0,
            header: None,
            hash: [0; 32],
            hasher: blake3::Hasher::new_derive_key(Domain::BACKUP_SIGNATURE.text()),
            number: 0,
        }
    }
}

impl BackupScanner {
    /// How many bytes the next part has; 0 at the end.
    #[must_use]
    pub const fn wants(&self) -> usize {
        match self.stage {
            Stage::Prelude => PRELUDE_BYTES,
            Stage::Header => self.header_bytes + CHECKSUM_BYTES,
            Stage::Frame => FRAME_BYTES,
            Stage::Chunk { length, .. } => length + CHECKSUM_BYTES,
            Stage::Trailer => SIGNATURE_BYTES,
            Stage::Done => 0,
        }
    }

    /// What is being read.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self.stage {
            Stage::Prelude | Stage::Header => Place::Header,
            Stage::Frame | Stage::Chunk { .. } => Place::Chunk(self.number),
            Stage::Trailer | Stage::Done => Place::Trailer,
        }
    }

    /// The header, once it was read.
    #[must_use]
    pub const fn header(&self) -> Option<&BackupHeader> {
        self.header.as_ref()
    }

    /// Takes exactly the bytes it [wants](Self::wants).
    ///
    /// # Errors
    /// [`BackupError`] says what is wrong, and where.
    pub fn feed(&mut self, part: &[u8]) -> Result<Scanned, BackupError> {
        if part.len() != self.wants() || part.is_empty() {
            return Err(match self.stage {
                Stage::Done => BackupError::Trailing,
                // A file that is shorter than this was never a backup.
                Stage::Prelude => BackupError::Foreign,
                _ => BackupError::Truncated(self.place()),
            });
        }
        if !matches!(self.stage, Stage::Trailer) {
            self.hasher.update(part);
        }
        match self.stage {
            Stage::Prelude => self.read_prelude(part),
            Stage::Header => self.read_header(part),
            Stage::Frame => self.read_frame(part),
            Stage::Chunk { is_last, frame, .. } => self.read_chunk(part, is_last, frame),
            Stage::Trailer => self.read_trailer(part),
            Stage::Done => Err(BackupError::Trailing),
        }
    }

    fn read_prelude(&mut self, part: &[u8]) -> Result<Scanned, BackupError> {
        let rest = part.strip_prefix(MAGIC.as_slice()).ok_or(BackupError::Foreign)?;
        let (version, length) = rest.split_first_chunk().ok_or(BackupError::Foreign)?;
        match u16::from_be_bytes(*version) {
            VERSION => {}
            newer if newer > VERSION => return Err(BackupError::Newer(newer)),
            _ => return Err(BackupError::Damaged(Place::Header)),
        }
        let length = length.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > BACKUP_HEADER_BYTES_MAX {
            return Err(BackupError::Damaged(Place::Header));
        }
        self.header_bytes = length;
        self.prelude = part.to_vec();
        self.stage = Stage::Header;
        Ok(Scanned::More)
    }

    fn read_header(&mut self, part: &[u8]) -> Result<Scanned, BackupError> {
        let damaged = BackupError::Damaged(Place::Header);
        let Some((bytes, found)) = part.split_at_checked(self.header_bytes) else {
            return Err(damaged);
        };
        let hash = header_hash(&self.prelude, bytes);
        if checksum(&hash, &[], 0, &[]) != found {
            return Err(damaged);
        }
        let header = codec::decode_bounded(bytes, BACKUP_HEADER_BYTES_MAX).map_err(|_| damaged)?;
        (self.header, self.hash, self.stage) = (Some(header), hash, Stage::Frame);
        Ok(Scanned::Header)
    }

    fn read_frame(&mut self, part: &[u8]) -> Result<Scanned, BackupError> {
        let damaged = BackupError::Damaged(self.place());
        let Ok(frame) = <[u8; FRAME_BYTES]>::try_from(part) else { return Err(damaged) };
        let [last, length @ ..] = frame;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if last > 1 || !(TAG_BYTES..=BACKUP_CHUNK_BYTES + TAG_BYTES).contains(&length) {
            return Err(damaged);
        }
        self.stage = Stage::Chunk { is_last: last == 1, length, frame };
        Ok(Scanned::More)
    }

    fn read_chunk(
        &mut self,
        part: &[u8],
        is_last: bool,
        frame: [u8; FRAME_BYTES],
    ) -> Result<Scanned, BackupError> {
        let damaged = BackupError::Damaged(self.place());
        let split = part.len().saturating_sub(CHECKSUM_BYTES);
        let Some((sealed, found)) = part.split_at_checked(split) else { return Err(damaged) };
        let number = self.number;
        if checksum(&self.hash, &frame, number, sealed) != found {
            return Err(damaged);
        }
        self.number += 1;
        self.stage = if is_last { Stage::Trailer } else { Stage::Frame };
        Ok(Scanned::Chunk { number, is_last, sealed: sealed.to_vec() })
    }

    fn read_trailer(&mut self, part: &[u8]) -> Result<Scanned, BackupError> {
        let signature: [u8; SIGNATURE_BYTES] =
            part.try_into().map_err(|_| BackupError::Signature)?;
        let header = self.header.as_ref().ok_or(BackupError::Signature)?;
        let hash = self.hasher.finalize();
        Signature::from_bytes(signature)
            .verify(Domain::BACKUP_SIGNATURE, &header.node, hash.as_bytes())
            .map_err(|_| BackupError::Signature)?;
        self.stage = Stage::Done;
        Ok(Scanned::End)
    }
}

/// The key of one file's chunks, opened with the recovery words.
pub struct BackupKey {
    cipher: XChaCha20Poly1305,
    header: [u8; 32],
}

impl BackupKey {
    /// The key of the file whose header was read.
    ///
    /// # Errors
    /// [`BackupError::Words`] when it was sealed to another organisation's recovery key.
    pub fn open(scanner: &BackupScanner, recovery: &SealingSecret) -> Result<Self, BackupError> {
        let header = scanner.header().ok_or(BackupError::Damaged(Place::Header))?;
        let context = key_context(&header.organisation, &header.node, header.made_at);
        let key = recovery.open(&context, &header.sealed).map_err(|_| BackupError::Words)?;
        let key: Zeroizing<[u8; 32]> =
            Zeroizing::new(key.as_slice().try_into().map_err(|_| BackupError::Words)?);
        Ok(Self { cipher: XChaCha20Poly1305::new((&*key).into()), header: scanner.hash })
    }

    /// Opens a chunk.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] when it was not sealed with this key at this place.
    pub fn chunk(
        &self,
        number: u64,
        is_last: bool,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let payload = Payload { msg: sealed, aad: &self.header };
        let opened = self.cipher.decrypt(&XNonce::from(nonce(number, is_last)), payload);
        opened.map(Zeroizing::new).map_err(|_| BackupError::Damaged(Place::Chunk(number)))
    }
}
