//! Joining where there is no line.

use super::{NOW, Node, Organisation, pair};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::bundle::{BundleError, Outcome, answer_invitation};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::joining::Refusal;
use sincronia_protocol::replica::{GrantOnArrival, ReplicaError, Trust};

const HOUR: u64 = 3_600_000;

/// A host with an invitation, its space that the guest gets on arrival, and a guest that knows
/// nobody.
struct Scene {
    host: Node,
    guest: Node,
    space: SpaceId,
    invitation: Invitation,
}

fn scene() -> Scene {
    let (first, host) = Organisation::with_node(1);
    let (second, guest) = Organisation::with_node(2);
    let (mut host, guest) = (Node::start(&host, &[&first]), Node::start(&guest, &[&second]));
    let space = host.create_space();
    let grant = GrantOnArrival { space, role: Role::Contributor, history: History::Start };
    let invitation = invite(&mut host, vec![grant]);
    Scene { host, guest, space, invitation }
}

fn invite(host: &mut Node, grants: Vec<GrantOnArrival>) -> Invitation {
    let made =
        host.act(|replica, _, random| replica.invite(Vec::new(), HOUR, None, grants, NOW, random));
    made.expect("an invitation").0
}

fn answer(guest: &mut Node, invitation: &Invitation) -> Result<Vec<u8>, BundleError> {
    let (replica, disk, random) = (&mut guest.replica, &guest.disk, &mut guest.random);
    let name = "Casa di reclusione".to_owned();
    let outcome = answer_invitation(invitation, name, replica, disk, NOW, random);
    guest.keep(outcome)
}

#[test]
fn an_invitation_is_answered_by_files_and_both_are_partners() {
    let mut scene = scene();
    let record = scene.host.note(&scene.space, "Una scheda");
    let request = answer(&mut scene.guest, &scene.invitation).unwrap();
    let (host, guest) = (scene.host.organisation(), scene.guest.organisation());
    assert!(!scene.guest.replica.is_partner(&host), "not before its answer");
    scene.guest.restart();
    assert!(scene.host.read(&request).has_joined);
    let known = scene.host.replica.partner(&guest).unwrap();
    assert_eq!((known.name.as_str(), known.trust), ("Casa di reclusione", Trust::Joined));
    let first = scene.host.bundle(guest);
    let imported = scene.guest.read(&first);
    assert!(imported.has_joined && imported.refused.is_empty(), "{imported:?}");
    let known = scene.guest.replica.partner(&host).unwrap();
    assert_eq!((known.name.as_str(), known.trust), ("Ente di prova", Trust::Joined));
    assert_eq!(scene.guest.title(&scene.space, &record).as_deref(), Some("Una scheda"));
    assert_eq!(scene.host.take_in(&request), Ok(vec![Outcome::Known]));
}

/// Whoever got the file of a machine that its organisation had revoked could do nothing with it.
#[test]
fn a_revoked_machine_answers_no_invitation() {
    let mut scene = scene();
    let (mut second, credentials) = Organisation::with_node(2);
    second.say(IdentityOperation::RevokeNode { node: credentials.node_key.id() });
    scene.guest.learn(&second);
    let refused = answer(&mut scene.guest, &scene.invitation);
    assert_eq!(refused, Err(BundleError::Replica(ReplicaError::Revoked)));
}

#[test]
fn an_invitation_is_answered_once() {
    let mut scene = scene();
    let request = answer(&mut scene.guest, &scene.invitation).unwrap();
    let again = answer(&mut scene.guest, &scene.invitation).unwrap();
    let (third, thief) = Organisation::with_node(3);
    let mut thief = Node::start(&thief, &[&third]);
    let stolen = answer(&mut thief, &scene.invitation).unwrap();
    scene.host.read(&request);
    assert_eq!(scene.host.take_in(&again), Ok(vec![Outcome::Known]), "the same organisation");
    assert_eq!(scene.host.take_in(&stolen), Err(BundleError::Invitation(Refusal::Used)));
    assert!(!scene.host.replica.is_partner(&third.id()));
}

#[test]
fn an_invitation_that_was_withdrawn_or_made_by_somebody_else_opens_nothing() {
    let mut scene = scene();
    let request = answer(&mut scene.guest, &scene.invitation).unwrap();
    let id = scene.invitation.key().id;
    scene.host.act(|replica, disk, _| replica.revoke_invitation(disk, &id)).unwrap();
    let refused = scene.host.take_in(&request);
    assert_eq!(refused, Err(BundleError::Invitation(Refusal::Revoked)));
    let forged = Invitation {
        secret: sincronia_protocol::crypto::Secret::from_bytes([9; 16]),
        ..scene.invitation.clone()
    };
    let request = answer(&mut scene.guest, &forged).unwrap();
    let refused = scene.host.take_in(&request);
    assert_eq!(refused, Err(BundleError::Invitation(Refusal::Unknown)));
}

#[test]
fn an_invitation_is_not_answered_after_its_time() {
    use sincronia_protocol::bundle::import;
    let mut scene = scene();
    let request = answer(&mut scene.guest, &scene.invitation).unwrap();
    let late = NOW.plus(HOUR + 1);
    let host = &mut scene.host;
    let outcome = import(&request, &mut host.replica, &host.disk, late, &mut host.random);
    assert_eq!(outcome, Err(BundleError::Invitation(Refusal::Expired)));
    let guest = &mut scene.guest;
    let outcome = answer_invitation(
        &scene.invitation,
        String::new(),
        &mut guest.replica,
        &guest.disk,
        late,
        &mut guest.random,
    );
    assert_eq!(outcome, Err(BundleError::Invitation(Refusal::Expired)));
}

#[test]
fn every_byte_of_a_request_counts() {
    let mut scene = scene();
    let request = answer(&mut scene.guest, &scene.invitation).unwrap();
    for position in 0..request.len() {
        let mut changed = request.clone();
        changed[position] ^= 1;
        assert!(scene.host.take_in(&changed).is_err(), "byte {position}");
    }
    scene.host.read(&request);
}

#[test]
fn only_the_organisation_of_the_invitation_becomes_a_partner_by_its_bundle() {
    let mut scene = scene();
    answer(&mut scene.guest, &scene.invitation).unwrap();
    let (third, other) = Organisation::with_node(3);
    let mut other = Node::start(&other, &[&third]);
    // Another organisation that somehow knows the guest sends it a bundle first.
    let invitation = invite(&mut other, Vec::new());
    let (mut copy, disk) = (Organisation::with_node(2), scene.guest.disk.clone());
    let mut twin = Node::start(&copy.1, &[&copy.0]);
    let request = answer(&mut twin, &invitation).unwrap();
    other.read(&request);
    let foreign = other.bundle(scene.guest.organisation());
    assert_eq!(scene.guest.take_in(&foreign), Err(BundleError::NotPartner(third.id())));
    assert_eq!(scene.guest.disk.bytes(), disk.bytes());
    copy.0.add_node(7);
}

/// The only machine of an organisation is replaced; what it had is on the new one.
fn replace(organisation: &mut Organisation, node: &mut Node, seed: u8) {
    let (old, storage) = (node.id(), node.credentials.storage.clone());
    let credentials = organisation.add_node(seed);
    let new = credentials.node_key.id();
    organisation.say(IdentityOperation::SetPrimary { node: new });
    organisation.say(IdentityOperation::RevokeNode { node: old });
    node.credentials = sincronia_protocol::replica::Credentials { storage, ..credentials };
    node.restart();
    node.learn(organisation);
}

/// Each sealed its bundles to the other's machines of before, and was told to ask for a new one.
#[test]
fn two_that_have_only_new_machines_are_told_and_meet_again_by_an_invitation() {
    let mut pair = pair();
    pair.exchange();
    pair.exchange();
    let (owner, member) = (pair.owner.organisation(), pair.member.organisation());
    let is_unknown = |node: &Node, to| node.replica.is_unknown_to(&node.disk, to).unwrap();
    assert!(!is_unknown(&pair.owner, &member) && !is_unknown(&pair.member, &owner));
    replace(&mut pair.organisations[0], &mut pair.owner, 7);
    replace(&mut pair.organisations[1], &mut pair.member, 8);
    assert!(is_unknown(&pair.owner, &member) && is_unknown(&pair.member, &owner));
    let [there, back] = [pair.owner.bundle(member), pair.member.bundle(owner)];
    assert_eq!(pair.member.take_in(&there), Err(BundleError::NotForNode));
    assert_eq!(pair.owner.take_in(&back), Err(BundleError::NotForNode));

    let invitation = invite(&mut pair.owner, Vec::new());
    let request = answer(&mut pair.member, &invitation).unwrap();
    pair.owner.read(&request);
    let record = pair.owner.note(&pair.space, "Dopo le macchine nuove");
    let there = pair.owner.bundle(member);
    pair.member.read(&there);
    let back = pair.member.bundle(owner);
    pair.owner.read(&back);
    let title = pair.member.title(&pair.space, &record);
    assert_eq!(title.as_deref(), Some("Dopo le macchine nuove"));
    assert!(!is_unknown(&pair.owner, &member), "it knows the new machine");
}
