//! How a version of a log stands to the places that the owner named.
//!
//! The places are walked in their order, and what lies behind the first that a version misses is
//! none of the named one. So whoever has the same places judges the same version alike, and of two
//! versions the greater is the same one for everybody, also where an owner named places of several:
//! then the log counts as far as one of them can be followed from the beginning. A version that
//! goes through more places always reaches further than one that goes through fewer can be shown:
//! sessions, which compare lengths, send the greater one.
//!
//! Deliberately absent: what is done with the lesser one (`taking`).

use crate::access::Settled;
use crate::ids::{EntryHash, NodeId, SpaceId};
use crate::log::LogPosition;
use crate::replica::runs::Proven;
use crate::replica::space::SpaceState;
use crate::replica::{Replica, ReplicaError};
use crate::storage::Storage;

/// How a version of a log stands to the places that are named; the greater one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::replica) struct Version {
    /// So many entries go through every place that is named up to there.
    pub settled: u64,
    /// Whether it may be the named one beyond: it is no other at the next place.
    pub is_open: bool,
}

/// A version that is here, and of how many places that was found.
#[derive(Clone, Copy)]
pub(in crate::replica) struct Walked {
    version: Version,
    places: usize,
}

impl Version {
    const NONE: Self = Self { settled: 0, is_open: true };

    /// This one, followed through further places of the same version.
    fn along(
        mut self,
        places: impl Iterator<Item = LogPosition>,
        mut hash_at: impl FnMut(u64) -> Result<Option<EntryHash>, ReplicaError>,
    ) -> Result<Self, ReplicaError> {
        for place in places {
            if hash_at(place.length.saturating_sub(1))? != Some(place.head) {
                self.is_open = false;
                break;
            }
            self.settled = place.length;
        }
        Ok(self)
    }

    /// Whether it goes through every place that is named.
    pub(in crate::replica) fn is_whole(self, named: &Settled, author: &NodeId) -> bool {
        named.last(author).is_none_or(|last| last.length == self.settled)
    }
}

impl Replica {
    /// How the version of a log that is here stands to the places that are named of it.
    pub(in crate::replica) fn version(
        &self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
        state: &SpaceState,
    ) -> Result<Version, ReplicaError> {
        let named = state.access.settled();
        let Some(head) = state.heads.get(author) else { return Ok(Version::NONE) };
        let places = named.count(author);
        let known = state.walked.get(author).filter(|known| known.places == places);
        let known = known.map_or(Version::NONE, |known| known.version);
        if !known.is_open {
            return Ok(known);
        }
        let places = named.between(author, known.settled, head.position.length);
        known.along(places, |sequence| self.hash_at(disk, space, author, *head, sequence).map(Some))
    }

    /// As [`Replica::version`]; it is remembered as long as the log keeps what it is said of.
    pub(in crate::replica) fn version_here(
        &mut self,
        disk: &dyn Storage,
        space: &SpaceId,
        author: &NodeId,
    ) -> Result<Version, ReplicaError> {
        self.space(disk, space)?;
        let state = self.spaces.get(space).ok_or(ReplicaError::Unknown("space"))?;
        let version = self.version(disk, space, author, state)?;
        self.space(disk, space)?.note_version(*author, version);
        Ok(version)
    }
}

impl SpaceState {
    /// Remembers how the version of a log that is here stands to the places named so far.
    pub(in crate::replica) fn note_version(&mut self, author: NodeId, version: Version) {
        let places = self.access.settled().count(&author);
        if places > 0 {
            self.walked.insert(author, Walked { version, places });
        }
    }

    /// Forgets it, since the log is kept no further than to `from`.
    pub(in crate::replica) fn forget_version(&mut self, author: &NodeId, from: u64) {
        let Some(known) = self.walked.get_mut(author) else { return };
        if from < known.version.settled {
            self.walked.remove(author);
        } else {
            known.version.is_open = true;
        }
    }
}

/// How the log would stand that goes as the one here up to a run, and then as the run does; nothing
/// where the one here misses a place before. The run says nothing else than what is here up to the
/// last place that this goes through.
pub(super) fn version_with(proven: &Proven, here: Version, named: &Settled) -> Option<Version> {
    let Proven { author, run, .. } = proven;
    let start = run.entries().first()?.header.sequence;
    if named.between(author, here.settled, start).next().is_some() {
        return None;
    }
    let hash_at = |sequence: u64| {
        let index = usize::try_from(sequence.checked_sub(start)?).ok()?;
        Some(run.entries().get(index)?.hash)
    };
    let open = Version { is_open: true, ..here };
    let places = named.between(author, here.settled, run.end().length);
    open.along(places, |sequence| Ok(hash_at(sequence))).ok()
}
