//! An identity log with every operation.

use super::cast::{Organisation, Seat, root, secret};
use super::golden::Golden;
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{Domain, SealingSecret};
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityOperation, IdentityStatement};
use sincronia_protocol::ids::OrganisationId;
use std::collections::BTreeSet;

const NAMES: [&str; 12] = [
    "0 genesis",
    "1 add node",
    "2 set primary",
    "3 add node",
    "4 set primary",
    "5 rotate sealing",
    "6 rotate root",
    "7 revoke node",
    "8 succeeded by",
    "9 succeeds",
    "9 succeeds, signed apart",
    "10 unite",
];

fn other(number: u8) -> OrganisationId {
    let next = root(number, 1).public().commitment();
    Identity::organisation_id(&root(number, 0).public(), &next)
}

/// A whole life: two nodes, new keys, a node lost, a merger.
fn life() -> Organisation {
    let mut organisation = Organisation::found(1, 1);
    let second = Seat::new(0x13);
    let admission = second.admission(&organisation.id());
    organisation.say(IdentityOperation::AddNode { admission });
    organisation.say(IdentityOperation::SetPrimary { node: second.id() });
    let sealing = SealingSecret::from_seed(&secret(0x15)).public().clone();
    organisation.say(IdentityOperation::RotateSealing { node: second.id(), sealing });
    organisation.rotate_root();
    let lost = organisation.seats[0].id();
    organisation.say(IdentityOperation::RevokeNode { node: lost });
    organisation.say(IdentityOperation::SucceededBy { organisation: other(2) });
    let succeeds = |number| IdentityOperation::Succeeds { organisation: other(number) };
    organisation.say_apart([3, 4].map(succeeds));
    organisation
}

#[test]
fn an_identity_log_of_every_operation() {
    let mut golden = Golden::new(
        "An identity log. Entropy 32 x 01; first node of seeds 11 and 12, second of seeds 13 and \
         14, new sealing key of seed 15; successor of entropy 02, predecessors of entropy 03 and, \
         signed apart, 04.",
    );
    let organisation = life();
    for (name, entry) in NAMES.iter().zip(&organisation.entries) {
        golden.hex(&format!("{name}: entry"), codec::encode(entry));
        golden.hex(&format!("{name}: hash"), entry.statement.hash().as_bytes());
    }
    let recorded = golden.settle("identity.json");

    let entries: Vec<IdentityEntry> = NAMES
        .iter()
        .map(|name| codec::decode(&recorded.bytes(&format!("{name}: entry"))).unwrap())
        .collect();
    let read = Identity::read(&entries).unwrap();
    assert_eq!(read, organisation.identity);
    assert_eq!(read.position().head.as_bytes(), &recorded.array("10 unite: hash"));
    assert_eq!((read.generation(), read.primary().unwrap().term), (1, 4));
    assert!(read.successors().contains_key(&other(2)));
    assert!(read.predecessors().keys().eq([3, 4].map(other).iter().collect::<BTreeSet<_>>()));
}

#[test]
fn what_nodes_and_new_root_keys_sign() {
    let mut golden = Golden::new("The two other messages that an identity log holds signed.");
    let organisation = life();
    let seat = Seat::new(0x13);
    let (id, node, sealing) = (organisation.id(), seat.id(), seat.sealing.public());
    let before = organisation.entries[5].statement.hash();
    let acceptance = IdentityStatement::acceptance_message(&id, 6, &before);
    golden.hex("consent of entry 3: message", codec::encode(&("admission", id, node, sealing)));
    golden.hex("acceptance of entry 6: message", acceptance);
    let recorded = golden.settle("identity_messages.json");

    let IdentityOperation::AddNode { admission } = &organisation.entries[3].statement.operation
    else {
        panic!("another operation")
    };
    let message = recorded.bytes("consent of entry 3: message");
    let consent = admission.consent.verify(Domain::IDENTITY_SIGNATURE, &node, &message);
    assert_eq!(consent, Ok(()));
    let IdentityOperation::RotateRoot { root, acceptance, .. } =
        &organisation.entries[6].statement.operation
    else {
        panic!("another operation")
    };
    let message = recorded.bytes("acceptance of entry 6: message");
    assert_eq!(root.verify(Domain::ROOT_ACCEPTANCE, &message, acceptance), Ok(()));
}
