//! Logs that say who is who and who may what, and the keys handed out in them.

use super::{Form, Parser, vectors};
use crate::fuzzing::cast::{Node, Organisation};
use sincronia_protocol::access::{Access, AccessEntry, Keyring, Receipt, Role};
use sincronia_protocol::crypto::Domain;
use sincronia_protocol::identity::{Identities, Identity, IdentityEntry};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::{codec, limits};
use std::collections::BTreeSet;

/// Identity logs: what is taken of a damaged one was signed with the root key.
#[must_use]
pub fn identities() -> Parser {
    let entries: Vec<_> = vectors::read("identity.json", ": entry");
    let honest: BTreeSet<Vec<u8>> = entries.iter().cloned().collect();
    let decoded: Vec<IdentityEntry> =
        entries.iter().map(|entry| codec::decode(entry).expect("an entry")).collect();
    let mut samples = entries;
    samples.push(codec::encode(&decoded));
    samples.push(codec::encode(&decoded[..3].to_vec()));
    Parser::new("identities", Form::Bytes, samples, move |input| {
        let log: Vec<IdentityEntry> = match codec::decode::<IdentityEntry>(input) {
            Ok(entry) => vec![entry],
            Err(_) => match codec::decode(input) {
                Ok(log) => log,
                Err(_) => return false,
            },
        };
        let Some((first, rest)) = log.split_first() else { return true };
        let signed = |entry: &IdentityEntry| honest.contains(&codec::encode(entry));
        let Ok(mut identity) = Identity::begin(first) else { return true };
        assert!(signed(first), "a genesis that nobody signed");
        for entry in rest {
            if identity.apply(entry).is_ok() {
                assert!(signed(entry), "an entry that nobody signed");
            }
        }
        true
    })
}

/// Access logs: what is taken of a damaged one was signed by the owner's primary.
#[must_use]
pub fn access() -> Parser {
    let organisations: Vec<_> = (1..=4).map(Organisation::found).collect();
    let known: Vec<_> = organisations.iter().collect();
    let mut owner = Node::start(&organisations[0], &known);
    let space = owner.act(|replica, disk, random| replica.create_space(disk, random));
    for (member, role) in [(1, Role::Contributor), (2, Role::Reader), (3, Role::Carrier)] {
        owner.grant(&space, organisations[member].id(), role);
    }
    let record = owner.note(&space, "Da cancellare");
    owner.act(|replica, disk, random| replica.rotate(disk, &space, random));
    owner.act(|replica, disk, _| replica.erase(disk, &space, &record));
    let gone = organisations[1].id();
    owner.act(|replica, disk, random| replica.revoke(disk, &space, gone, random).map(drop));
    let entries = owner.replica.access_entries(&owner.disk, &space, 0, u64::MAX, usize::MAX);
    let entries: Vec<AccessEntry> = entries.expect("a sound disk");
    let honest: BTreeSet<Vec<u8>> = entries.iter().map(codec::encode).collect();
    let identities: Identities =
        organisations.iter().map(|one| (one.id(), one.identity.clone())).collect();
    let mut samples: Vec<_> = honest.iter().cloned().collect();
    samples.push(codec::encode(&entries));
    samples.extend(vectors::read("erasure.json", "receipt"));
    Parser::new("access", Form::Bytes, samples, move |input| {
        if let Ok(receipt) = codec::decode::<Receipt>(input) {
            let _ = receipt.verify();
            return true;
        }
        let log: Vec<AccessEntry> = match codec::decode::<AccessEntry>(input) {
            Ok(entry) => vec![entry],
            Err(_) => match codec::decode(input) {
                Ok(log) => log,
                Err(_) => return false,
            },
        };
        let signed = |entry: &AccessEntry| honest.contains(&codec::encode(entry));
        let mut access: Option<Access> = None;
        for entry in &log {
            let is_taken = match &mut access {
                Some(access) => access.apply(entry, &identities).is_ok(),
                None => Access::begin(entry, &identities).map(|begun| access = Some(begun)).is_ok(),
            };
            assert!(!is_taken || signed(entry), "an entry that nobody signed");
        }
        true
    })
}

/// Sealed keyrings: a damaged one does not open, and neither does anything else.
#[must_use]
pub fn keyrings() -> Parser {
    let organisation = Organisation::found(2);
    let secrets = organisation.credentials;
    let (node, space) = (secrets.node_key.id(), SpaceId::from_bytes([4; 32]));
    let seal = |count: u8| {
        let key = |number: u8| {
            let secret = sincronia_protocol::crypto::Secret::from_bytes([number; 32]);
            (u64::from(number), sincronia_protocol::crypto::EpochKey::from_secret(secret))
        };
        let keyring = Keyring { keys: (0..count).map(key).collect() };
        let random = &mut crate::fuzzing::cast::random();
        keyring.seal(&space, 7, &node, secrets.sealing.public(), random).expect("a keyring")
    };
    let samples: Vec<_> = [0, 1, 5].map(seal).to_vec();
    let honest: BTreeSet<_> = samples.iter().cloned().collect();
    let mut samples = samples;
    let plain = codec::encode(&vec![(1_u64, [3_u8; 4])]);
    samples.push(plain);
    Parser::new("keyrings", Form::Bytes, samples, move |input| {
        assert!(input.len() <= limits::FRAME_BYTES_MAX);
        let opened = Keyring::open(&secrets.sealing, &space, 7, &node, input);
        assert!(opened.is_err() || honest.contains(input), "a keyring that nobody sealed");
        // The text inside comes from whoever knows the public key: it is read as well.
        let public = secrets.sealing.public();
        let context = codec::encode(&(space, 7_u64, node));
        let random = &mut crate::fuzzing::cast::random();
        let sealed = public.seal_as(Domain::KEYRING, &context, input, random);
        let inside =
            sealed.map(|sealed| Keyring::open(&secrets.sealing, &space, 7, &node, &sealed));
        opened.is_ok() || inside.is_ok_and(|opened| opened.is_ok())
    })
}
