//! Consecutive entries of one author log, as they travel.

use super::body::Body;
use super::header::{AccessPoint, Header, LogPosition};
use crate::crypto::{Domain, Signature};
use crate::ids::{EntryHash, NodeId, SpaceId};
use crate::limits;
use minicbor::{Decode, Encode};

/// Why a run is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Empty, too long, or the first entry does not say its access point and epoch.
    #[error("the run is not well formed")]
    Malformed,
    /// The run begins after the end of the log it should continue.
    #[error("entries before this run are missing")]
    Gap,
    /// The signature does not cover these entries after that predecessor: they were changed, or the
    /// author forked its log.
    #[error("the signature does not hold for these entries")]
    Signature,
    /// A body is left out that no erasure known here names.
    #[error("a body is missing that was not erased as far as is known here")]
    BodyMissing,
}

/// One entry of a run; access point and epoch only where they differ from the entry before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RunEntry {
    /// How much of the access log the author had seen, if it changed.
    #[n(0)]
    pub access: Option<AccessPoint>,
    /// The epoch, if it changed.
    #[n(1)]
    pub epoch: Option<u64>,
    /// The body.
    #[n(2)]
    pub body: Body,
}

/// Consecutive entries with the signature of the last one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Run {
    /// The space.
    #[n(0)]
    pub space: SpaceId,
    /// The writing node.
    #[n(1)]
    pub author: NodeId,
    /// Position of the first entry.
    #[n(2)]
    pub start: u64,
    /// The entries.
    #[n(3)]
    pub entries: Vec<RunEntry>,
    /// The author's signature of the last entry.
    #[n(4)]
    pub signature: Signature,
}

/// An entry whose chain and signature were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEntry {
    /// Its header.
    pub header: Header,
    /// Its hash.
    pub hash: EntryHash,
    /// Its body.
    pub body: Body,
}

/// A run whose signature covers its entries after a known predecessor: a witness, made only by
/// [`Run::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRun {
    entries: Vec<VerifiedEntry>,
    signature: Signature,
}

impl Run {
    /// Leaves out the bodies at erased positions.
    ///
    /// # Errors
    /// [`RunError::BodyMissing`] when a body is left out at a position that was not erased.
    pub fn erase(&mut self, is_erased: impl Fn(u64) -> bool) -> Result<(), RunError> {
        for (sequence, entry) in self.placed() {
            match (entry.body.is_erased(), is_erased(sequence)) {
                (true, false) => return Err(RunError::BodyMissing),
                (false, true) => entry.body = entry.body.erased(),
                _ => {}
            }
        }
        Ok(())
    }

    /// The entries with their positions. A place that no log reaches is the last number for all
    /// that would lie beyond it: whoever sends a run chooses where it starts.
    pub(crate) fn placed(&mut self) -> impl Iterator<Item = (u64, &mut RunEntry)> {
        let start = self.start;
        (0..).map(move |offset| start.saturating_add(offset)).zip(&mut self.entries)
    }

    /// Checks that the run continues a log that ends at `position`, and that its author signed it.
    ///
    /// # Errors
    /// [`RunError`]; nothing of a run counts unless all of it does.
    pub fn verify(self, position: LogPosition) -> Result<VerifiedRun, RunError> {
        if self.entries.is_empty() || self.entries.len() > limits::RUN_ENTRIES_MAX {
            return Err(RunError::Malformed);
        }
        if self.start != position.length {
            return Err(RunError::Gap);
        }
        let signature = self.signature;
        let author = self.author;
        let entries = self.chain(position)?;
        let last = entries.last().ok_or(RunError::Malformed)?;
        signature
            .verify(Domain::AUTHOR_SIGNATURE, &author, last.hash.as_bytes())
            .map_err(|_| RunError::Signature)?;
        Ok(VerifiedRun { entries, signature })
    }

    fn chain(self, position: LogPosition) -> Result<Vec<VerifiedEntry>, RunError> {
        let mut previous = position.head;
        let (mut access, mut epoch) = (None, None);
        let mut entries = Vec::with_capacity(self.entries.len());
        for (offset, entry) in self.entries.into_iter().enumerate() {
            if !entry.body.is_within_limit() {
                return Err(RunError::Malformed);
            }
            access = entry.access.or(access);
            epoch = entry.epoch.or(epoch);
            let header = Header {
                space: self.space,
                author: self.author,
                sequence: self.start.saturating_add(offset as u64),
                previous,
                access: access.ok_or(RunError::Malformed)?,
                epoch: epoch.ok_or(RunError::Malformed)?,
            };
            let hash = header.hash_with(&entry.body);
            previous = hash;
            entries.push(VerifiedEntry { header, hash, body: entry.body });
        }
        Ok(entries)
    }
}

impl VerifiedRun {
    /// The entries, in order; never empty.
    #[must_use]
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.entries
    }

    /// The author's signature of the last entry.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Where the log ends after this run.
    #[must_use]
    pub fn end(&self) -> LogPosition {
        self.entries.last().map_or(LogPosition::START, |last| LogPosition {
            length: last.header.sequence + 1,
            head: last.hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use crate::crypto::{NodeKey, Secret};

    fn sample(count: u64) -> Run {
        let key = NodeKey::from_seed(&Secret::from_bytes([1; 32]));
        let access = AccessPoint { length: 1, head: EntryHash::from_bytes([5; 32]) };
        let entries: Vec<_> = (0..count)
            .map(|number| RunEntry {
                access: (number == 0).then_some(access),
                epoch: (number == 0).then_some(0),
                body: vec![u8::try_from(number).unwrap(); 40].into(),
            })
            .collect();
        let mut run = Run {
            space: SpaceId::from_bytes([2; 32]),
            author: key.id(),
            start: 0,
            entries,
            signature: Signature::from_bytes([0; 64]),
        };
        let chained = run.clone().chain(LogPosition::START).unwrap();
        run.signature = Header::sign(&chained.last().unwrap().hash, &key);
        run
    }

    #[test]
    fn threat_32_one_signature_covers_the_whole_run() {
        let verified = sample(5).verify(LogPosition::START).unwrap();
        assert_eq!((verified.entries().len(), verified.end().length), (5, 5));
    }

    #[test]
    fn every_byte_of_a_run_is_authenticated() {
        let bytes = codec::encode(&sample(3));
        for position in 0..bytes.len() {
            let mut tampered = bytes.clone();
            tampered[position] ^= 1;
            let refused = match codec::decode::<Run>(&tampered) {
                Err(_) => true,
                Ok(run) => run.verify(LogPosition::START).is_err(),
            };
            assert!(refused, "byte {position}");
        }
    }

    #[test]
    fn threat_20_an_entry_dropped_or_moved_breaks_the_run() {
        let mut shorter = sample(3);
        shorter.entries.remove(1);
        assert_eq!(shorter.verify(LogPosition::START), Err(RunError::Signature));
        let mut swapped = sample(3);
        swapped.entries.swap(1, 2);
        assert_eq!(swapped.verify(LogPosition::START), Err(RunError::Signature));
    }

    #[test]
    fn a_run_holds_without_its_bodies_and_a_body_is_missed_where_none_was_erased() {
        let mut run = sample(3);
        run.erase(|sequence| sequence == 1).unwrap();
        assert!(run.entries[1].body.is_erased() && !run.entries[0].body.is_erased());
        assert!(run.clone().verify(LogPosition::START).is_ok());
        assert_eq!(run.erase(|sequence| sequence == 2), Err(RunError::BodyMissing));
        let Body::Erased { hash, .. } = &mut run.entries[1].body else { panic!("erased") };
        hash[0] ^= 1;
        assert_eq!(run.verify(LogPosition::START), Err(RunError::Signature));
    }

    #[test]
    fn threat_30_a_run_after_a_gap_is_refused() {
        let mut run = sample(1);
        run.start = 7;
        assert_eq!(run.verify(LogPosition::START), Err(RunError::Gap));
    }

    /// Found by fuzzing: whoever was sent such a run stopped working, since the positions of its
    /// entries went beyond the last number there is.
    #[test]
    fn threat_30_a_run_at_the_end_of_all_numbers_is_refused() {
        for start in [u64::MAX, u64::MAX - 1] {
            let mut run = sample(3);
            run.start = start;
            run.erase(|_| true).unwrap();
            assert_eq!(run.verify(LogPosition::START), Err(RunError::Gap));
        }
    }
}
