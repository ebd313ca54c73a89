//! A backup read from a file, part by part.

use super::error::RestoreError;
use sincronia_protocol::backup::{
    BackupError, BackupHeader, BackupItem, BackupKey, BackupScanner, ItemReader, Scanned,
};
use sincronia_protocol::crypto::SealingSecret;
use std::io::Read;
use zeroize::{Zeroize, Zeroizing};

/// Reads a backup to its end, which proves that it is whole.
pub struct Reading<R> {
    file: R,
    scanner: BackupScanner,
    /// Bytes read so far.
    pub(super) bytes: u64,
    /// Sealed parts read so far.
    pub(super) parts: u64,
}

impl<R: Read> Reading<R> {
    /// Reads the beginning, which tells whether it is a backup at all: nobody is asked for the
    /// words that open a file before that is known.
    ///
    /// # Errors
    /// [`RestoreError`] when it is none, or cannot be read.
    pub fn begin(file: R) -> Result<Self, RestoreError> {
        let mut reading = Self { file, scanner: BackupScanner::default(), bytes: 0, parts: 0 };
        while reading.scanner.header().is_none() {
            reading.next()?;
        }
        Ok(reading)
    }

    /// What it says of itself.
    pub(super) fn header(&self) -> Result<&BackupHeader, RestoreError> {
        self.scanner.header().ok_or(RestoreError::Backup(BackupError::Foreign))
    }

    /// The key of its parts.
    pub(super) fn key(&self, recovery: &SealingSecret) -> Result<BackupKey, RestoreError> {
        Ok(BackupKey::open(&self.scanner, recovery)?)
    }

    /// The next part; nothing after the last, which nothing follows.
    fn next(&mut self) -> Result<Option<Scanned>, RestoreError> {
        let wanted = self.scanner.wants();
        if wanted == 0 {
            let mut beyond = [0; 1];
            let more = self.file.read(&mut beyond).map_err(RestoreError::Read)?;
            return if more == 0 { Ok(None) } else { Err(BackupError::Trailing.into()) };
        }
        let mut part = Vec::with_capacity(wanted);
        let limit = u64::try_from(wanted).unwrap_or(u64::MAX);
        (&mut self.file).take(limit).read_to_end(&mut part).map_err(RestoreError::Read)?;
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        Ok(Some(self.scanner.feed(&part)?))
    }

    /// Checks what the words are not needed for, to the end.
    pub(super) fn check(&mut self) -> Result<(), RestoreError> {
        while let Some(scanned) = self.next()? {
            self.parts += u64::from(matches!(scanned, Scanned::Chunk { .. }));
        }
        Ok(())
    }

    /// Calls `visit` with every item, to the end.
    pub(super) fn items(
        &mut self,
        key: &BackupKey,
        mut visit: impl FnMut(&BackupItem) -> Result<(), RestoreError>,
    ) -> Result<(), RestoreError> {
        let mut items = ItemReader::default();
        while let Some(scanned) = self.next()? {
            let Scanned::Chunk { number, is_last, sealed } = scanned else { continue };
            self.parts += 1;
            let mut opened: Zeroizing<Vec<u8>> = key.chunk(number, is_last, &sealed)?;
            items.feed(&opened);
            opened.zeroize();
            while let Some(item) = items.next_item()? {
                visit(&item)?;
            }
        }
        Ok(items.finish()?)
    }
}
