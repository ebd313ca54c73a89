//! Reading a bundle.

use super::BundleError;
use super::content::next_frame;
use super::envelope::{Envelope, Lock};
use super::joining::redeem;
use super::manifest::Manifest;
use super::part::{Part, read_parts};
use super::reading::{Reading, Word};
use crate::ids::{OrganisationId, SpaceId};
use crate::limits;
use crate::replica::{Arrival, Brought, ItemRef, Ledger, Replica, ReplicaError, SpaceHeads};
use crate::storage::Storage;
use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

/// What came of the parts in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was imported before.
    Known,
    /// Other parts must come first.
    Waiting {
        /// The numbers of the missing parts, counted from 1.
        missing: Vec<u32>,
        /// How many parts there are.
        count: u32,
    },
    /// The bundle was complete, and was read.
    Imported(Box<Imported>),
}

/// What a bundle brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Who made it.
    pub sender: OrganisationId,
    /// The how many-th of the sender for this organisation; 0 for a joining request.
    pub number: u64,
    /// When it was made, by the sender's clock.
    pub made_at: Timestamp,
    /// Whether its sender became a partner with it.
    pub has_joined: bool,
    /// Whether more is waiting at the sender, for the next bundle.
    pub is_complete: bool,
    /// What grew, by space.
    pub brought: BTreeMap<SpaceId, Brought>,
    /// Why something of it was not taken, when something was not.
    pub refused: BTreeSet<String>,
}

/// Imports a file of one or more parts: all that is in it, or nothing. Returns what came of each
/// bundle that a part belongs to.
///
/// # Errors
/// [`BundleError`]; the caller then drops what is pending.
pub fn import(
    file: &[u8],
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
    random: &mut dyn CryptoRng,
) -> Result<Vec<Outcome>, BundleError> {
    check_heard(replica)?;
    let parts = read_parts(file)?;
    replica.drop_old_parts(disk, now)?;
    let mut outcomes: Vec<([u8; 32], Outcome)> = Vec::new();
    for part in &parts {
        if part.recipient != replica.organisation() {
            return Err(BundleError::Recipient(part.recipient));
        }
        let outcome = import_part(part, replica, disk, now, random)?;
        let is_repeated =
            outcome == Outcome::Known && outcomes.iter().any(|(bundle, _)| *bundle == part.bundle);
        if !is_repeated {
            outcomes.retain(|(bundle, _)| *bundle != part.bundle);
            outcomes.push((part.bundle, outcome));
        }
    }
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// A node that was revoked exchanges nothing.
pub(super) fn check_heard(replica: &Replica) -> Result<(), ReplicaError> {
    replica.check_speaks()
}

fn import_part(
    part: &Part<'_>,
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
    random: &mut dyn CryptoRng,
) -> Result<Outcome, BundleError> {
    if replica.was_imported(disk, &part.bundle)? {
        return Ok(Outcome::Known);
    }
    if part.count == 1 {
        return open(&part.bundle, part.payload, replica, disk, now, random);
    }
    replica.keep_part(disk, &part.bundle, part.number, part.bytes, now)?;
    let kept = replica.parts_kept(disk, &part.bundle)?;
    let missing = (0..part.count).filter(|one| !kept.contains(one));
    let missing: Vec<_> = missing.map(|one| one.saturating_add(1)).collect();
    if !missing.is_empty() {
        return Ok(Outcome::Waiting { missing, count: part.count });
    }
    let sealed = join_parts(part, replica, disk)?;
    replica.drop_parts(disk, &part.bundle)?;
    open(&part.bundle, &sealed, replica, disk, now, random)
}

/// The sealed bundle of which all parts are here.
fn join_parts(
    part: &Part<'_>,
    replica: &Replica,
    disk: &dyn Storage,
) -> Result<Vec<u8>, BundleError> {
    let mut sealed = Vec::new();
    for number in 0..part.count {
        let kept = replica.kept_part(disk, &part.bundle, number)?.unwrap_or_default();
        let read = read_parts(&kept).ok();
        let kept = read.as_ref().and_then(|parts| parts.first());
        sealed.extend_from_slice(kept.ok_or(BundleError::Damaged)?.payload);
    }
    Ok(sealed)
}

fn open(
    bundle: &[u8; 32],
    sealed: &[u8],
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
    random: &mut dyn CryptoRng,
) -> Result<Outcome, BundleError> {
    let envelope = Envelope::read(sealed)?;
    if envelope.recipient != replica.organisation() {
        return Err(BundleError::Recipient(envelope.recipient));
    }
    let outcome = match envelope.lock {
        Lock::Nodes(_) => {
            let content = envelope.open_as_node(replica)?;
            Outcome::Imported(Box::new(unpack(&content, replica, disk, now)?))
        }
        Lock::Invitation { id, .. } => redeem(&envelope, &id, replica, disk, now, random)?,
    };
    if !matches!(&outcome, Outcome::Imported(imported) if !imported.refused.is_empty()) {
        replica.note_imported(disk, bundle)?;
    }
    Ok(outcome)
}

/// Reads the manifest at the beginning of `content`; the rest is what it speaks of.
pub(super) fn take_manifest(
    content: &mut &[u8],
    own: &OrganisationId,
) -> Result<Manifest, BundleError> {
    let frame = next_frame(content)?.ok_or(BundleError::Damaged)?;
    Manifest::read(frame, own, content)
}

fn unpack(
    mut content: &[u8],
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
) -> Result<Imported, BundleError> {
    let manifest = take_manifest(&mut content, &replica.organisation())?;
    let sender = manifest.sender;
    let ledger = replica.ledger(disk, &sender)?;
    let is_awaited = replica.partner(&sender).is_none() && ledger.awaited.is_some();
    let is_heard = replica.is_partner(&sender) && sender != replica.organisation();
    if manifest.invitation.is_some() || !(is_heard || is_awaited) {
        return Err(BundleError::NotPartner(sender));
    }
    let from = replica.growth_count();
    let mut reading = Reading::new(&manifest, is_awaited, now);
    while let Some(frame) = next_frame(&mut content)? {
        reading.take(frame, replica, disk)?;
    }
    reading.begin(replica, disk)?;
    reading.take_postponed(replica, disk)?;
    let brought = replica.brought_since(disk, from)?;
    keep_word(&manifest, reading.word, ledger, replica, disk, now)?;
    replica.note_contact(&sender, &manifest.node, Vec::new(), now)?;
    Ok(Imported {
        sender,
        number: manifest.number,
        made_at: manifest.made_at,
        has_joined: is_awaited,
        is_complete: manifest.is_complete,
        brought,
        refused: reading.refused,
    })
}

/// Keeps what the sender says it has, unless a newer bundle of the same node has said more.
fn keep_word(
    manifest: &Manifest,
    word: Word,
    ledger: Ledger,
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
) -> Result<(), ReplicaError> {
    let sender = manifest.sender;
    // A node whose disk was put back counts from an older number on: it has less than it said, and
    // must be believed, or it would be sent what follows on what it has not.
    let is_older = ledger.arrival.is_some_and(|last| {
        let is_not_above = last.number >= manifest.number && last.made_at >= manifest.made_at;
        last.node == manifest.node && is_not_above
    });
    if is_older {
        return replica.put_ledger(&sender, &Ledger { awaited: None, ..ledger });
    }
    let told: BTreeSet<SpaceId> = replica.spaces_told(&sender).into_iter().collect();
    for known in replica.acknowledged(disk, &sender)? {
        replica.forget_acknowledged(&sender, &known.space);
    }
    let bounded = |heads: &&SpaceHeads| {
        heads.authors.len() <= limits::SPACE_AUTHORS_MAX
            && heads.missing.len() <= limits::MISSING_NAMED_MAX
    };
    let is_ours = |heads: &&SpaceHeads| {
        let was_ours = heads.is_farewell && replica.summary(&heads.space).is_some();
        was_ours || told.contains(&heads.space)
    };
    let kept: Vec<_> = word.heads.iter().filter(is_ours).filter(bounded).collect();
    for heads in kept {
        replica.put_acknowledged(&sender, heads)?;
        if !heads.is_farewell && replica.may_show(&sender, &ItemRef::Space(heads.space)) {
            replica.note_asked(disk, &manifest.node, heads)?;
        }
    }
    // Each once, however often it was said.
    let identities: BTreeMap<_, _> = word.identities.into_iter().collect();
    let is_known = |organisation: &OrganisationId| replica.identity(organisation).is_some();
    let identities = identities.into_iter().filter(|(one, _)| is_known(one)).collect();
    let (node, number, made_at) = (manifest.node, manifest.number, manifest.made_at);
    let arrival = Some(Arrival { node, number, made_at, at: now });
    replica.put_ledger(&sender, &Ledger { arrival, identities, awaited: None, ..ledger })
}

#[cfg(test)]
mod tests;
