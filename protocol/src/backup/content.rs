//! What the chunks of a backup hold: a sequence of items, each after its length.

use super::BackupError;
use crate::codec;
use crate::limits::BACKUP_ITEM_BYTES_MAX;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, Zeroizing};

const LENGTH_BYTES: usize = 4;

/// One item of a backup.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum BackupItem {
    /// The file of settings, as it stands.
    #[n(0)]
    Settings(#[n(0)] String),
    /// The pairs that follow are of the table of this name.
    #[n(1)]
    Table(#[n(0)] String),
    /// A key and its value; what is sealed at rest stands open here.
    #[n(2)]
    Pair {
        /// The key.
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        key: Vec<u8>,
        /// The value.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        value: Vec<u8>,
    },
    /// Nothing follows.
    #[n(3)]
    End {
        /// How many pairs there were.
        #[n(0)]
        pairs: u64,
    },
}

impl std::fmt::Debug for BackupItem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("BackupItem(…)")
    }
}

impl Drop for BackupItem {
    fn drop(&mut self) {
        // Keys of spaces pass through here.
        if let Self::Pair { value, .. } = self {
            value.zeroize();
        }
    }
}

impl BackupItem {
    /// The item with its length before it; nothing when it is longer than any item.
    #[must_use]
    pub fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let item = Zeroizing::new(codec::encode(self));
        let length = u32::try_from(item.len()).ok()?;
        if item.len() > BACKUP_ITEM_BYTES_MAX {
            return None;
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH_BYTES + item.len()));
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&item);
        Some(bytes)
    }
}

/// Puts items together from opened chunks. It holds a chunk and an item at most.
#[derive(Default)]
pub struct ItemReader {
    waiting: Zeroizing<Vec<u8>>,
    read: usize,
    pairs: u64,
    is_over: bool,
}

impl ItemReader {
    /// Takes the next chunk, once all items of the one before were taken out.
    pub fn feed(&mut self, chunk: &[u8]) {
        let rest = Zeroizing::new(self.waiting.get(self.read..).unwrap_or_default().to_vec());
        self.waiting.zeroize();
        self.waiting.extend_from_slice(&rest);
        self.waiting.extend_from_slice(chunk);
        self.read = 0;
    }

    /// The next item, if it is here as a whole.
    ///
    /// # Errors
    /// [`BackupError::Content`] when it is none, or something follows the end.
    pub fn next_item(&mut self) -> Result<Option<BackupItem>, BackupError> {
        let rest = self.waiting.get(self.read..).unwrap_or_default();
        if self.is_over && !rest.is_empty() {
            return Err(BackupError::Content("something follows its end"));
        }
        let Some((length, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > BACKUP_ITEM_BYTES_MAX {
            return Err(BackupError::Content("an item is too long"));
        }
        let Some(bytes) = rest.get(..length) else { return Ok(None) };
        let item: BackupItem =
            codec::decode(bytes).map_err(|_| BackupError::Content("an item is none"))?;
        self.read += LENGTH_BYTES + length;
        self.count(&item)?;
        Ok(Some(item))
    }

    fn count(&mut self, item: &BackupItem) -> Result<(), BackupError> {
        match item {
            BackupItem::Pair { .. } => self.pairs += 1,
            BackupItem::End { pairs } if *pairs != self.pairs => {
                return Err(BackupError::Content("items are missing"));
            }
            BackupItem::End { .. } => self.is_over = true,
            BackupItem::Settings(_) | BackupItem::Table(_) => {}
        }
        Ok(())
    }

    /// Checks that the last item was the end.
    ///
    /// # Errors
    /// [`BackupError::Content`].
    pub fn finish(&self) -> Result<(), BackupError> {
        let is_empty = self.waiting.len() == self.read;
        if self.is_over && is_empty { Ok(()) } else { Err(BackupError::Content("it has no end")) }
    }
}
