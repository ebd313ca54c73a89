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
    /// Nobody who is known here certified the author and signs for what the run begins with: it
    /// is altered, or written for an organisation that has not told of this node yet.
    #[error("for whom these entries were written is not known here")]
    Origin,
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
/// [`Run::verify_after`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRun {
    entries: Vec<VerifiedEntry>,
    signature: Signature,
}

impl Run {
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
        self.verify_after(&[position]).map(|(_, verified)| verified)
    }

    /// Finds the first of these positions after which the run is what its author signed; returns
    /// its index.
    ///
    /// # Errors
    /// As [`Run::verify`]; [`RunError::Signature`] when it fits none of them.
    pub fn verify_after(self, positions: &[LogPosition]) -> Result<(usize, VerifiedRun), RunError> {
        if self.entries.is_empty() || self.entries.len() > limits::RUN_ENTRIES_MAX {
            return Err(RunError::Malformed);
        }
        if positions.iter().any(|position| position.length != self.start) {
            return Err(RunError::Gap);
        }
        if !self.entries.iter().all(|entry| entry.body.is_within_limit()) {
            return Err(RunError::Malformed);
        }
        // What is most of the work is the same after each position.
        let bodies: Vec<_> =
            self.entries.iter().map(|entry| entry.body.hash_and_length()).collect();
        for (index, position) in positions.iter().enumerate() {
            let chain = self.chain(*position, &bodies)?;
            if self.is_signed(&chain) {
                return Ok((index, self.verified(chain)));
            }
        }
        Err(RunError::Signature)
    }

    fn chain(
        &self,
        position: LogPosition,
        bodies: &[([u8; 32], u64)],
    ) -> Result<Vec<(Header, EntryHash)>, RunError> {
        let mut previous = position.head;
        let (mut access, mut epoch) = (None, None);
        let mut chain = Vec::with_capacity(self.entries.len());
        for (offset, (entry, (body, length))) in (0..).zip(self.entries.iter().zip(bodies)) {
            access = entry.access.or(access);
            epoch = entry.epoch.or(epoch);
            let header = Header {
                space: self.space,
                author: self.author,
                sequence: self.start.saturating_add(offset),
                previous,
                access: access.ok_or(RunError::Malformed)?,
                epoch: epoch.ok_or(RunError::Malformed)?,
            };
            previous = header.hash_of(body, *length);
            chain.push((header, previous));
        }
        Ok(chain)
    }

    fn is_signed(&self, chain: &[(Header, EntryHash)]) -> bool {
        let last = chain.last().map(|(_, hash)| hash.as_bytes());
        let domain = Domain::AUTHOR_SIGNATURE;
        last.is_some_and(|last| self.signature.verify(domain, &self.author, last).is_ok())
    }

    fn verified(self, chain: Vec<(Header, EntryHash)>) -> VerifiedRun {
        let entries = chain
            .into_iter()
            .zip(self.entries)
            .map(|((header, hash), entry)| VerifiedEntry { header, hash, body: entry.body })
            .collect();
        VerifiedRun { entries, signature: self.signature }
    }
}

impl VerifiedRun {
    /// The entries, in order; never empty.
    #[must_use]
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.entries
    }

    /// Leaves out the bodies of erased entries.
    ///
    /// # Errors
    /// [`RunError::BodyMissing`] when the body of an entry is left out that was not erased, and may
    /// not be missing.
    pub fn erase(
        &mut self,
        is_erased: impl Fn(&VerifiedEntry) -> bool,
        may_be_missing: impl Fn(&VerifiedEntry) -> bool,
    ) -> Result<(), RunError> {
        for entry in &mut self.entries {
            match (entry.body.is_erased(), is_erased(entry)) {
                (true, false) if !may_be_missing(entry) => return Err(RunError::BodyMissing),
                (false, true) => entry.body = entry.body.erased(),
                _ => {}
            }
        }
        Ok(())
    }

    /// The run as it travels; nothing when it is empty, which none is.
    #[must_use]
    pub fn to_run(&self) -> Option<Run> {
        let first = &self.entries.first()?.header;
        let mut last = None;
        let entries = self.entries.iter().map(|VerifiedEntry { header, body, .. }| {
            let (access, epoch) = last.replace((header.access, header.epoch)).unzip();
            RunEntry {
                access: (access != Some(header.access)).then_some(header.access),
                epoch: (epoch != Some(header.epoch)).then_some(header.epoch),
                body: body.clone(),
            }
        });
        let entries = entries.collect();
        let (space, author, start) = (first.space, first.author, first.sequence);
        Some(Run { space, author, start, entries, signature: self.signature })
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
    use crate::ids::OrganisationId;

    fn origin_of(organisation: u8) -> LogPosition {
        let node = NodeKey::from_seed(&Secret::from_bytes([1; 32])).id();
        let organisation = OrganisationId::from_bytes([organisation; 32]);
        LogPosition::origin(&SpaceId::from_bytes([2; 32]), &node, &organisation)
    }

    fn origin() -> LogPosition {
        origin_of(3)
    }

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
        let bodies: Vec<_> = run.entries.iter().map(|one| one.body.hash_and_length()).collect();
        let (_, last) = run.chain(origin(), &bodies).unwrap().pop().unwrap();
        run.signature = Header::sign(&last, &key);
        run
    }

    #[test]
    fn threat_32_one_signature_covers_the_whole_run() {
        let verified = sample(5).verify(origin()).unwrap();
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
                Ok(run) => run.verify(origin()).is_err(),
            };
            assert!(refused, "byte {position}");
        }
    }

    #[test]
    fn threat_12_a_log_written_for_one_organisation_is_that_of_no_other() {
        for position in [origin_of(4), LogPosition::START] {
            assert_eq!(sample(3).verify(position), Err(RunError::Signature));
        }
        let tried = [4, 3, 5].map(origin_of);
        let (index, verified) = sample(3).verify_after(&tried).unwrap();
        assert_eq!((index, verified), (1, sample(3).verify(origin()).unwrap()));
        assert_eq!(sample(3).verify_after(&tried[..1]), Err(RunError::Signature));
        assert_eq!(sample(3).verify_after(&[]), Err(RunError::Signature));
    }

    #[test]
    fn threat_20_an_entry_dropped_or_moved_breaks_the_run() {
        let mut shorter = sample(3);
        shorter.entries.remove(1);
        assert_eq!(shorter.verify(origin()), Err(RunError::Signature));
        let mut swapped = sample(3);
        swapped.entries.swap(1, 2);
        assert_eq!(swapped.verify(origin()), Err(RunError::Signature));
    }

    #[test]
    fn a_run_holds_without_its_bodies_and_a_body_is_missed_where_none_was_erased() {
        let mut verified = sample(3).verify(origin()).unwrap();
        assert_eq!(verified.to_run(), Some(sample(3)));
        verified.erase(|entry| entry.header.sequence == 1, |_| false).unwrap();
        let mut run = verified.to_run().unwrap();
        assert!(run.entries[1].body.is_erased() && !run.entries[0].body.is_erased());
        let mut again = run.clone().verify(origin()).unwrap();
        assert_eq!(again, verified);
        let missing = again.erase(|entry| entry.header.sequence == 2, |_| false);
        assert_eq!(missing, Err(RunError::BodyMissing));
        let Body::Erased { hash, .. } = &mut run.entries[1].body else { panic!("erased") };
        hash[0] ^= 1;
        assert_eq!(run.verify(origin()), Err(RunError::Signature));
    }

    #[test]
    fn threat_30_a_run_after_a_gap_is_refused() {
        let mut run = sample(1);
        run.start = 7;
        assert_eq!(run.verify(origin()), Err(RunError::Gap));
    }

    /// Found by fuzzing: whoever was sent such a run stopped working, since the positions of its
    /// entries went beyond the last number there is.
    #[test]
    fn threat_30_a_run_at_the_end_of_all_numbers_is_refused() {
        for start in [u64::MAX, u64::MAX - 1] {
            let mut run = sample(3);
            run.start = start;
            assert!(run.placed().all(|(place, _)| place >= start));
            assert_eq!(run.verify(origin()), Err(RunError::Gap));
        }
    }
}
