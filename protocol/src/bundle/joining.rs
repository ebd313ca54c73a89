//! Joining where there is no line: the invited organisation answers with a file, and becomes a
//! partner when it imports the inviting organisation's first bundle.
//!
//! The request is sealed under the invitation: only who holds the invitation makes it, only who
//! made the invitation opens it. Its manifest binds both organisations and the invitation, signed
//! by the invited node. The inviting organisation answers with an ordinary bundle: its id, which
//! the invitation names, is proof enough, since it is the hash of its first root key.

use super::BundleError;
use super::content::{Writer, next_frame};
use super::envelope::{Envelope, seal_by_invitation};
use super::importing::{Imported, Outcome, take_manifest};
use super::manifest::Manifest;
use super::part::split;
use crate::codec;
use crate::crypto::Secret;
use crate::invitation::Invitation;
use crate::joining::{Acquaintance, Introduction, Refusal};
use crate::limits;
use crate::replica::{Awaited, InvitationState, Ledger, Replica, ReplicaError};
use crate::storage::Storage;
use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

/// Answers an invitation by a file for the inviting organisation, and waits for its bundle.
///
/// # Errors
/// [`BundleError::Invitation`] when it has expired; [`BundleError::Recipient`] when it is this
/// organisation's own; [`ReplicaError::Revoked`] when this node no longer speaks for its
/// organisation.
pub fn answer_invitation(
    invitation: &Invitation,
    name: String,
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
    random: &mut dyn CryptoRng,
) -> Result<Vec<u8>, BundleError> {
    let recipient = invitation.organisation;
    // Whoever opened its answer would wait for a partner that does not let this node speak.
    replica.check_speaks()?;
    if recipient == replica.organisation() {
        return Err(BundleError::Recipient(recipient));
    }
    if now > invitation.expires_at {
        return Err(Refusal::Expired.into());
    }
    let key = invitation.key();
    let introduction = replica.introduction(disk, name.clone(), Vec::new())?;
    let mut writer = Writer::new(limits::FRAME_BYTES_MAX);
    if !writer.push(&codec::encode(&introduction)) {
        return Err(ReplicaError::Limit("length of the identity log").into());
    }
    let draft = Manifest::draft(replica, recipient, name, now, writer.bytes());
    let manifest = Manifest { invitation: Some(key.id), ..draft };
    let content = writer.after(&manifest.sign(replica));
    let sealed = seal_by_invitation(recipient, &key, &content, random)?;
    let file = split(recipient, &sealed, limits::PART_BYTES_DEFAULT)?.concat();
    let ledger = replica.ledger(disk, &recipient)?;
    let awaited = Some(Awaited { node: invitation.node, at: now });
    replica.put_ledger(&recipient, &Ledger { awaited, ..ledger })?;
    Ok(file)
}

/// Reads a joining request and, when the invitation can be used, makes its sender a partner.
pub(super) fn redeem(
    envelope: &Envelope<'_>,
    id: &[u8; 32],
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
    random: &mut dyn CryptoRng,
) -> Result<Outcome, BundleError> {
    let known = replica.invitation_key(disk, id)?;
    let (proof, record) = known.ok_or(Refusal::Unknown)?;
    let (manifest, introduction) = read_request(envelope, id, &proof, replica)?;
    let organisation = manifest.sender;
    if record.state == (InvitationState::Used { organisation }) {
        return Ok(Outcome::Known);
    }
    record.check(now)?;
    // Nobody is reached at addresses that came without a line.
    let introduction = Introduction { addresses: Vec::new(), ..introduction };
    let acquaintance = Acquaintance { organisation, node: manifest.node, introduction };
    replica.welcome(disk, id, &acquaintance, now, random)?;
    Ok(Outcome::Imported(Box::new(Imported {
        sender: organisation,
        number: manifest.number,
        made_at: manifest.made_at,
        has_joined: true,
        is_complete: true,
        brought: BTreeMap::new(),
        refused: BTreeSet::new(),
    })))
}

/// Opens a joining request: who answers the invitation, and how it introduces itself.
fn read_request(
    envelope: &Envelope<'_>,
    id: &[u8; 32],
    proof: &Secret<32>,
    replica: &Replica,
) -> Result<(Manifest, Introduction), BundleError> {
    let content = envelope.open_by_invitation(proof)?;
    let mut content = content.as_slice();
    let manifest = take_manifest(&mut content, &replica.organisation())?;
    let frame = next_frame(&mut content)?.ok_or(BundleError::Damaged)?;
    let introduction: Introduction =
        codec::decode_bounded(frame, limits::FRAME_BYTES_MAX).map_err(|_| BundleError::Damaged)?;
    let identity = introduction.certified(&manifest.node).ok_or(Refusal::Identity)?;
    if identity.organisation() != manifest.sender || manifest.invitation != Some(*id) {
        return Err(Refusal::Identity.into());
    }
    Ok((manifest, introduction))
}

#[cfg(test)]
mod tests;
