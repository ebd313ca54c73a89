//! Messages that look right and are not: true ones with one thing changed, or signed by somebody
//! who has nothing to say there.

use super::scene::Scene;
use crate::fuzzing::Dice;
use sincronia_protocol::access::{AccessOperation, AccessStatement, History, Role};
use sincronia_protocol::crypto::{EpochKey, Secret};
use sincronia_protocol::ids::{EntryHash, OrganisationId, SpaceId};
use sincronia_protocol::log::{AccessPoint, Header, LogPosition, Run, RunEntry};
use sincronia_protocol::replica::SpaceHeads;
use sincronia_protocol::sync::{Hello, Message};

/// A frame that somebody hostile sends, often made from a true one.
pub fn hostile(known: &[u8], scene: &Scene, dice: &mut Dice) -> Vec<u8> {
    let message = match dice.below(8) {
        0 => forged_run(scene, dice),
        1 => forged_access(scene, dice),
        2 => claim(scene, dice),
        3 => Some(question(scene, dice)),
        _ => Message::decode(known).ok().map(|message| changed(message, scene, dice)),
    };
    message.map_or_else(|| known.to_vec(), |message| message.encode())
}

/// A number that is near, or none anybody has.
fn number(dice: &mut Dice) -> u64 {
    match dice.below(4) {
        0 => dice.number(),
        1 => u64::MAX - dice.below(3) as u64,
        _ => dice.below(12) as u64,
    }
}

fn space(scene: &Scene, dice: &mut Dice) -> SpaceId {
    if dice.one_in(6) { SpaceId::from_bytes([dice.byte(); 32]) } else { *dice.pick(&scene.spaces) }
}

fn hash(dice: &mut Dice) -> EntryHash {
    EntryHash::from_bytes([dice.byte(); 32])
}

/// An entry that is well signed by a node that may not write there: a reader, or a stranger.
fn forged_run(scene: &Scene, dice: &mut Dice) -> Option<Message> {
    let secrets = if dice.one_in(2) { &scene.stranger } else { &scene.reader };
    let key = &secrets.node_key;
    let space = if dice.one_in(4) { scene.spaces[0] } else { scene.spaces[1] };
    let log = scene.access.get(&space)?;
    let at = dice.below(log.len());
    let access = AccessPoint { length: at as u64 + 1, head: log[at].statement.hash() };
    // Beyond what the reader wrote elsewhere; whatever stands there stays.
    let is_first = scene.entries.get(&(space, key.id())).is_none_or(Vec::is_empty);
    let sequence = if is_first { dice.below(2) as u64 } else { 7 + dice.below(9) as u64 };
    let origin = LogPosition::origin(&space, &key.id(), &secrets.organisation);
    let epoch = number(dice) % 3;
    let header = Header {
        space,
        author: key.id(),
        sequence,
        previous: if sequence == 0 { origin.head } else { hash(dice) },
        access,
        epoch,
    };
    let made_up = EpochKey::from_secret(Secret::from_bytes([dice.byte(); 32]));
    let body = made_up.seal_body(&header.associated_data(), b"forged").ok()?;
    let signature = Header::sign(&header.hash(&body), key);
    let entry = RunEntry { access: Some(access), epoch: Some(epoch), body: body.into() };
    let start = header.sequence;
    Some(Message::Run(Run { space, author: key.id(), start, entries: vec![entry], signature }))
}

/// An access entry that continues the owner's log and is signed by somebody else.
fn forged_access(scene: &Scene, dice: &mut Dice) -> Option<Message> {
    let space = *dice.pick(&scene.spaces);
    let log = scene.access.get(&space)?;
    let last = log[dice.below(log.len())].statement.clone();
    let key = &if dice.one_in(2) { &scene.stranger } else { &scene.reader }.node_key;
    let organisation =
        scene.identities[dice.below(scene.identities.len())][0].statement.organisation;
    let operation = AccessOperation::Grant {
        organisation,
        role: Role::Contributor,
        history: History::Start,
        recipients: Vec::new(),
        rotation: None,
    };
    let statement = AccessStatement {
        sequence: last.sequence + 1,
        previous: last.hash(),
        author: key.id(),
        operation,
        ..last
    };
    let entries = vec![statement.sign(key)];
    Some(Message::Access { space, entries, is_complete: dice.one_in(2) })
}

/// Something about oneself or about what one has.
fn claim(scene: &Scene, dice: &mut Dice) -> Option<Message> {
    let organisation = dice.pick(&scene.identities).first()?.statement.organisation;
    Some(match dice.below(6) {
        0 => Message::Hello(Hello {
            version_min: u32::try_from(number(dice) & 0xffff_ffff).ok()?,
            version_max: u32::try_from(number(dice) & 0xffff_ffff).ok()?,
            organisation,
            own_identity: position(dice),
            known_identity: position(dice),
            addresses: vec!["/ip4/192.0.2.9/tcp/1".repeat(dice.below(20)); dice.below(20)],
        }),
        1 => Message::Acknowledge(number(dice)),
        2 => Message::Compared(number(dice)),
        3 => Message::IdentityHeads {
            is_answer: dice.one_in(2),
            heads: (0..dice.below(64)).map(|at| identity_head(at, organisation, dice)).collect(),
        },
        4 => Message::Goodbye("\u{202e}addio".repeat(dice.below(64))),
        _ => {
            let mut log = dice.pick(&scene.identities).clone();
            let (from, to) = (dice.below(log.len()), dice.below(log.len() + 1));
            log.truncate(to.max(from));
            Message::Identities(log.split_off(from))
        }
    })
}

fn position(dice: &mut Dice) -> LogPosition {
    LogPosition { length: number(dice), head: hash(dice) }
}

fn identity_head(
    at: usize,
    organisation: OrganisationId,
    dice: &mut Dice,
) -> (OrganisationId, LogPosition) {
    let stranger = OrganisationId::from_bytes([u8::try_from(at % 256).unwrap_or(0); 32]);
    (if dice.one_in(2) { organisation } else { stranger }, position(dice))
}

/// Something that asks for an answer, the largest there can be.
fn question(scene: &Scene, dice: &mut Dice) -> Message {
    match dice.below(4) {
        0 => {
            let many = dice.below(2_000);
            Message::Resolve((0..many).map(|_| [dice.byte(); 32].into()).collect())
        }
        1 => {
            let many = dice.below(600);
            let heads = (0..many).map(|_| SpaceHeads::absent(space(scene, dice))).collect();
            Message::Heads { is_answer: false, heads }
        }
        2 => {
            let bytes = (0..dice.below(256)).map(|_| dice.byte()).collect();
            Message::Reconcile { first: dice.one_in(2), bytes }
        }
        _ => [Message::Asked, Message::Done][dice.below(2)].clone(),
    }
}

/// A true message with one thing changed.
fn changed(message: Message, scene: &Scene, dice: &mut Dice) -> Message {
    match message {
        Message::Run(mut run) => {
            match dice.below(6) {
                0 => run.start = number(dice),
                1 => run.space = space(scene, dice),
                2 => run.author = scene.stranger.node_key.id(),
                3 => run.entries.truncate(dice.below(run.entries.len() + 1)),
                4 => {
                    let again = run.entries.clone();
                    run.entries.extend(again);
                }
                _ => {
                    let at = dice.below(run.entries.len());
                    if let Some(entry) = run.entries.get_mut(at) {
                        entry.body = entry.body.erased();
                        entry.epoch = dice.one_in(2).then(|| number(dice));
                    }
                }
            }
            Message::Run(run)
        }
        Message::Access { space: of, mut entries, .. } => {
            let at = dice.below(entries.len() + 1);
            match dice.below(3) {
                0 => entries.truncate(at),
                1 => drop(entries.drain(..at.min(entries.len()))),
                _ => entries.reverse(),
            }
            let space = if dice.one_in(3) { space(scene, dice) } else { of };
            Message::Access { space, entries, is_complete: dice.one_in(2) }
        }
        Message::Heads { mut heads, .. } => {
            let copies = if dice.one_in(8) { 64 } else { 1 };
            heads = heads.iter().cloned().cycle().take(heads.len() * copies).collect();
            Message::Heads { is_answer: dice.one_in(2), heads }
        }
        Message::Sealed { keyrings, .. } => {
            let copies = dice.below(4);
            let keyrings: Vec<_> = keyrings.iter().cloned().cycle().take(copies).collect();
            Message::Sealed { space: space(scene, dice), keyrings }
        }
        Message::Identities(mut entries) => {
            entries.reverse();
            Message::Identities(entries)
        }
        Message::Receipts { receipts, .. } => {
            Message::Receipts { space: space(scene, dice), receipts }
        }
        other => other,
    }
}
