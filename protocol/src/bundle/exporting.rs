//! Making a bundle.

use super::BundleError;
use super::content::Writer;
use super::envelope::seal_to_nodes;
use super::importing::check_heard;
use super::manifest::Manifest;
use super::part::split;
use crate::identity::Identity;
use crate::ids::OrganisationId;
use crate::log::LogPosition;
use crate::replica::{Dispatch, ItemRef, Ledger, Replica, ReplicaError, SpaceHeads};
use crate::storage::Storage;
use crate::sync::{Courier, Message};
use crate::time::Timestamp;
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Lengths of identity logs in one message.
const IDENTITIES_PER_MESSAGE: usize = 4_096;

/// What to export.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// For whom.
    pub recipient: OrganisationId,
    /// What this organisation calls itself.
    pub name: String,
    /// Everything, as for a partner that has nothing.
    pub all: bool,
    /// How large a part may be, in bytes.
    pub part_bytes: usize,
    /// How much the bundle may hold before it is sealed, in bytes.
    pub content_bytes: usize,
}

/// A bundle that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The how many-th for this partner.
    pub number: u64,
    /// Its parts, in order.
    pub parts: Vec<Vec<u8>>,
    /// Messages that bring entries.
    pub messages: u64,
    /// Whether it holds everything that the partner lacks; otherwise the rest goes into the bundle
    /// that is made when the partner has acknowledged this one.
    pub is_complete: bool,
}

/// Makes the next bundle for a partner.
///
/// # Errors
/// [`BundleError::NotPartner`], [`BundleError::NoNode`], [`BundleError::PartSize`], or that the
/// store cannot be read.
pub fn export(
    request: &ExportRequest,
    replica: &mut Replica,
    disk: &dyn Storage,
    now: Timestamp,
    random: &mut dyn CryptoRng,
) -> Result<Exported, BundleError> {
    check_heard(replica)?;
    let recipient = request.recipient;
    if recipient == replica.organisation() || !replica.is_partner(&recipient) {
        return Err(BundleError::NotPartner(recipient));
    }
    let nodes: Vec<_> = replica
        .identity(&recipient)
        .map(|one| one.active_nodes().map(|(node, key)| (*node, key.clone())).collect())
        .unwrap_or_default();
    let ledger = replica.ledger(disk, &recipient)?;
    let number = ledger.out.map_or(1, |last| last.number.saturating_add(1));
    let mut writer = Writer::new(request.content_bytes);
    let (messages, is_complete) = fill(&mut writer, request, (&ledger, now), replica, disk)?;
    let draft = Manifest::draft(replica, recipient, request.name.clone(), now, writer.bytes());
    let manifest = Manifest { number, is_complete, ..draft };
    let content = writer.after(&manifest.sign(replica));
    let sealed = seal_to_nodes(recipient, &nodes, &content, random)?;
    let parts = split(recipient, &sealed, request.part_bytes)?;
    let (out, before) = (Some(Dispatch { number, at: now }), ledger.out);
    replica.put_ledger(&recipient, &Ledger { out, before, ..ledger })?;
    Ok(Exported { number, parts, messages, is_complete })
}

/// Writes acknowledgements, then everything that the partner lacks, as far as there is room.
fn fill(
    writer: &mut Writer,
    request: &ExportRequest,
    (ledger, now): (&Ledger, Timestamp),
    replica: &mut Replica,
    disk: &dyn Storage,
) -> Result<(u64, bool), BundleError> {
    let recipient = request.recipient;
    let told = known_heads(request, replica, disk)?;
    let is_room = acknowledge(&recipient, &told, replica, disk)?
        .iter()
        .all(|message| writer.push(&message.encode()));
    if !is_room {
        return Err(ReplicaError::Limit("spaces of one bundle").into());
    }
    let identities = known_identities(request, ledger, replica);
    let mut messages = 0;
    let mut courier = Courier::new(recipient, replica.node(), now);
    let reader = ledger.arrival.map(|last| last.node);
    let is_complete = courier.pack(reader, &identities, &told, replica, disk, &mut |message| {
        if !writer.push(&message.encode()) {
            return ControlFlow::Break(());
        }
        messages += 1;
        ControlFlow::Continue(())
    })?;
    Ok((messages, is_complete))
}

/// Where the partner's logs stand, as far as is known; from now on it counts as told of each space.
/// A former member is told of its removal only when it was told of the space.
fn known_heads(
    request: &ExportRequest,
    replica: &mut Replica,
    disk: &dyn Storage,
) -> Result<Vec<SpaceHeads>, ReplicaError> {
    let recipient = &request.recipient;
    let acknowledged = replica.acknowledged(disk, recipient)?;
    let mut known: BTreeMap<_, _> = acknowledged.into_iter().map(|one| (one.space, one)).collect();
    let mut heads = Vec::new();
    for space in replica.spaces_told(recipient) {
        let is_member = replica.may_show(recipient, &ItemRef::Space(space));
        let absent = SpaceHeads::absent(space);
        match known.remove(&space) {
            // What it says that it lacks is not what it may have lost since.
            Some(theirs) if request.all => {
                heads.push(SpaceHeads { lacking: theirs.lacking, ..absent });
            }
            Some(theirs) => heads.push(theirs),
            None if is_member => {
                replica.put_acknowledged(recipient, &absent)?;
                heads.push(absent);
            }
            None => {}
        }
    }
    // To their owner the removal itself: a machine restored from an older copy may not know of it.
    for space in replica.spaces_left_of(recipient) {
        let theirs = known.remove(&space).filter(|_| !request.all);
        heads.push(theirs.unwrap_or_else(|| SpaceHeads::absent(space)));
    }
    // Spaces that this organisation was removed from: what it wrote before it knew, and to others
    // of whose removal it knows that.
    heads.extend(known.into_values());
    Ok(heads)
}

/// Identity logs that the partner may know of, as long as it has them; this organisation's first,
/// since it certifies the node that made the bundle. The partner's own is among them where it said
/// that it has it otherwise: what two machines signed apart neither hears of otherwise.
fn known_identities(
    request: &ExportRequest,
    ledger: &Ledger,
    replica: &Replica,
) -> Vec<(OrganisationId, LogPosition)> {
    let known: BTreeMap<_, _> = ledger.identities.iter().copied().collect();
    let (own, recipient) = (replica.organisation(), request.recipient);
    let is_divided = replica.identity(&recipient).is_some_and(Identity::is_divided);
    let told = |one: &OrganisationId| known.get(one).copied().filter(|_| !request.all);
    let mut identities: Vec<_> = shown_identities(&recipient, replica)
        .filter_map(|one| match (one == recipient, is_divided) {
            (false, _) => Some((one, told(&one).unwrap_or(LogPosition::START))),
            // Which of the versions it has, a position does not tell.
            (true, true) => Some((one, LogPosition::START)),
            (true, false) => known.get(&one).map(|position| (one, *position)),
        })
        .collect();
    identities.sort_by_key(|(one, _)| (*one != own, *one));
    identities
}

fn shown_identities(
    partner: &OrganisationId,
    replica: &Replica,
) -> impl Iterator<Item = OrganisationId> + use<> {
    replica.items(partner).into_iter().filter_map(|item| match item.reference {
        ItemRef::Identity(organisation) => Some(organisation),
        ItemRef::Space(_) => None,
    })
}

/// What this side has: the partner's next bundle begins there.
fn acknowledge(
    recipient: &OrganisationId,
    told: &[SpaceHeads],
    replica: &mut Replica,
    disk: &dyn Storage,
) -> Result<Vec<Message>, ReplicaError> {
    let identities: Vec<_> = shown_identities(recipient, replica)
        .map(|one| (one, replica.identity_position(&one)))
        .collect();
    let mut messages: Vec<_> = identities
        .chunks(IDENTITIES_PER_MESSAGE)
        .map(|part| Message::IdentityHeads { is_answer: true, heads: part.to_vec() })
        .collect();
    let mut heads = Vec::with_capacity(told.len());
    for one in told {
        heads.extend(replica.heads_for(disk, recipient, &one.space)?);
    }
    messages.extend(Courier::acknowledgements(heads));
    Ok(messages)
}
