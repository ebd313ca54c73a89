//! What a partner brings is taken from whom it may come, and only then: whoever leaves one of these
//! checks away finds its test here.

use super::circle::Circle;
use super::organisation::{Node, Organisation};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::{Beacon, BeaconContent, IdentityOperation};
use sincronia_protocol::ids::{NodeId, OrganisationId};
use sincronia_protocol::joining::{Introduction, Refusal};
use sincronia_protocol::replica::{Presentation, ReplicaError};
use sincronia_protocol::sync::{Beacons, Courier, Handover, Message};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::from_milliseconds(5_000);

/// What `node` says to a message that a partner's node brings, once that is certified; nothing when
/// it takes it.
fn brought(node: &mut Node, by: (OrganisationId, NodeId), message: Message) -> Option<String> {
    let mut courier = Courier::new(by.0, by.1, NOW);
    courier.begin();
    let refused = courier.unpack(message, &mut node.replica, &node.disk).expect("sound entries");
    node.commit();
    refused
}

fn seat(node: &Node) -> (OrganisationId, NodeId) {
    (node.organisation(), node.id())
}

fn beacon(number: u64, node: &Node) -> Beacon {
    let addresses = vec!["/ip4/192.0.2.1/tcp/4001".to_owned()];
    let content = BeaconContent { addresses, ..BeaconContent::default() };
    Beacon::sign(number, content, &node.credentials.node_key)
}

/// A receipt, a keyring and a key, as the owner would bring them to the colleague.
fn of_the_space(circle: &mut Circle) -> [Message; 3] {
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    circle.owner.erase(&space, &record).unwrap();
    circle.settle();
    let (organisation, node) = seat(&circle.colleague);
    let keyrings = circle.owner.keyrings_for(&space, &organisation);
    let log = circle.owner.access_log(&space);
    let commitments = log.iter().filter_map(|one| one.statement.operation.rotation());
    let wanted: BTreeSet<_> = commitments.map(|one| *one.commitment.as_bytes()).collect();
    let own = BTreeSet::from([circle.owner.id()]);
    let (replica, disk) = (&mut circle.owner.replica, &circle.owner.disk);
    let receipts = replica.receipts(disk, &space, &own).unwrap();
    let handed = replica.handover(disk, (&organisation, &node), &space, &wanted).unwrap();
    let (epoch, sealed) = handed.expect("a reader");
    assert!(!receipts.is_empty() && !keyrings.is_empty());
    [
        Message::Receipts { space, receipts },
        Message::Sealed { space, keyrings: keyrings.into_iter().map(Into::into).collect() },
        Message::Handover(Handover::Keys { space, epoch, sealed }),
    ]
}

#[test]
fn receipts_keyrings_and_keys_of_a_space_are_taken_from_its_members_alone() {
    let mut circle = Circle::of_contributors();
    let messages = of_the_space(&mut circle);
    let refusal = Some(ReplicaError::NotPermitted.to_string());
    for message in messages {
        let outsider = seat(&circle.outsider);
        assert_eq!(brought(&mut circle.colleague, outsider, message.clone()), refusal);
        let member = seat(&circle.member);
        assert_eq!(brought(&mut circle.colleague, member, message), None);
    }
}

#[test]
fn beacons_are_not_taken_before_the_greeting() {
    let mut circle = Circle::of_contributors();
    let (organisation, node) = seat(&circle.member);
    let message = Message::Beacons(Beacons::Records(vec![beacon(1, &circle.owner)]));
    let mut courier = Courier::new(organisation, node, NOW);
    let colleague = &mut circle.colleague;
    let refused = courier.unpack(message.clone(), &mut colleague.replica, &colleague.disk);
    assert_eq!(refused, Ok(Some(ReplicaError::NotPermitted.to_string())));
    let known = |node: &Node| node.replica.beacon_numbers(&organisation);
    assert_eq!(known(&circle.colleague), []);
    assert_eq!(brought(&mut circle.colleague, (organisation, node), message), None);
    assert_eq!(known(&circle.colleague), [(circle.owner.id(), 1)]);
}

/// Its addresses would otherwise be dialled, and passed on, for as long as anybody signs them.
#[test]
fn a_machine_that_was_revoked_and_one_of_no_partner_say_nothing_of_themselves() {
    let mut circle = Circle::of_contributors();
    let [owner, gone] = [&circle.owner, &circle.member].map(|node| beacon(1, node));
    let node = circle.member.id();
    circle.organisations[1].say(IdentityOperation::RevokeNode { node });
    circle.colleague.learn(&circle.organisations[1]);
    let (fifth, stranger) = Organisation::with_node(5);
    let stranger = Node::start(&stranger, &[&fifth]);
    circle.colleague.learn(&fifth);
    let told = vec![gone, beacon(1, &stranger), owner];
    circle.colleague.act(|replica, _, _| replica.admit_beacons(told, NOW)).unwrap();
    let nodes = BTreeSet::from([node, stranger.id(), circle.owner.id()]);
    let own = circle.colleague.organisation();
    let kept = circle.colleague.replica.beacons(&own, &nodes);
    assert_eq!(kept.iter().map(|one| one.node).collect::<Vec<_>>(), [circle.owner.id()]);
    let table = sincronia_protocol::storage::Table::Addresses;
    assert_eq!(circle.colleague.disk.values(table).count(), 1, "none waits on the disk either");
}

fn presentation(organisation: &Organisation, name: &str) -> Presentation {
    let (name, identity) = (name.to_owned(), organisation.entries.clone());
    Presentation { name, identity, addresses: Vec::new() }
}

#[test]
fn what_one_partner_presented_is_not_told_otherwise_by_another_nor_of_one_already_a_partner() {
    let mut circle = Circle::new();
    let (fifth, _) = Organisation::with_node(5);
    let [by, other] = [seat(&circle.member), seat(&circle.outsider)];
    let told = |organisation, name| Message::Introductions(vec![presentation(organisation, name)]);
    assert_eq!(brought(&mut circle.owner, by, told(&fifth, "Comune di Quinto")), None);
    assert_eq!(brought(&mut circle.owner, other, told(&fifth, "Comune di Altrove")), None);
    let known = told(&circle.organisations[2], "Un altro nome");
    assert_eq!(brought(&mut circle.owner, by, known), None);
    let waiting: Vec<_> = circle.owner.replica.introduced(NOW).collect();
    let shown = waiting.iter().map(|one| (one.organisation, one.by, &*one.presentation.name));
    assert_eq!(shown.collect::<Vec<_>>(), [(fifth.id(), by.0, "Comune di Quinto")]);
}

fn returning(
    node: &mut Node,
    machine: NodeId,
    of: &Organisation,
) -> Result<OrganisationId, Refusal> {
    let (name, addresses, identity) = (String::new(), Vec::new(), of.entries.clone());
    let introduction = Introduction { name, addresses, identity };
    let admitted =
        node.act(|replica, disk, _| replica.admit_return(disk, &machine, &introduction, NOW));
    admitted.expect("a sound disk")
}

#[test]
fn a_machine_returns_only_while_its_organisation_certifies_it_here_and_in_its_own_log() {
    let mut circle = Circle::new();
    let [machine, stranger] = [circle.member.id(), circle.outsider.id()];
    let before = circle.organisations[1].elsewhere();
    assert_eq!(returning(&mut circle.owner, stranger, &before), Err(Refusal::Identity));
    assert_eq!(returning(&mut circle.owner, machine, &before), Ok(before.id()));
    // Its own log is older than what is known here, and does not say that it was revoked.
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: machine });
    circle.owner.learn(&circle.organisations[1]);
    assert_eq!(returning(&mut circle.owner, machine, &before), Err(Refusal::Identity));
}

#[test]
fn the_first_entry_of_one_space_begins_no_other() {
    let mut circle = Circle::new();
    let (other, member) = (circle.owner.create_space(), circle.member.organisation());
    circle.owner.grant(&other, member, Role::Contributor, History::Start).unwrap();
    let (space, log) = (circle.space, circle.owner.access_log(&other));
    let admit = |node: &mut Node, space| {
        node.act(|replica, disk, _| replica.admit_access(disk, &space, &log, true).map(drop))
    };
    assert_eq!(admit(&mut circle.member, space), Err(ReplicaError::NotPermitted));
    assert_eq!(circle.member.digests(), []);
    assert_eq!(admit(&mut circle.member, other), Ok(()));
}

/// The new owner could never give the space another key, nor could anybody else.
#[test]
fn a_space_is_not_taken_without_the_key_of_now() {
    let mut circle = Circle::new();
    let (space, member) = (circle.space, circle.member.organisation());
    circle.owner.grant(&space, member, Role::Contributor, History::Start).unwrap();
    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, member)).unwrap();
    for parcel in circle.owner.access_parcels(&space, &member) {
        if matches!(parcel, super::parcel::Parcel::Access { .. }) {
            circle.member.take(&parcel).unwrap();
        }
    }
    let take = |node: &mut Node| node.act(|replica, disk, _| replica.take_over(disk, &space));
    assert_eq!(take(&mut circle.member), Err(ReplicaError::KeyMissing));
    circle.owner.give(&mut circle.member, &space);
    assert_eq!(take(&mut circle.member), Ok(()));
}

/// Of two versions of a log nobody knows which one the end of a run goes on with, however early the
/// run begins.
#[test]
fn a_forked_log_does_not_grow_by_a_run_from_before_the_fork() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "comune ai due");
    circle.settle();
    let mut twin = circle.twin_of_member();
    twin.note(&space, "scritta là");
    circle.member.note(&space, "scritta qui");
    circle.member.give(&mut circle.owner, &space);
    twin.give(&mut circle.owner, &space);
    circle.member.note(&space, "ancora qui");
    let (replica, disk) = (&mut circle.member.replica, &circle.member.disk);
    let node = replica.node();
    let whole = replica.read_run(disk, &space, &node, 0, usize::MAX).unwrap().unwrap();
    let taken = circle.owner.take(&super::parcel::Parcel::Run(whole));
    assert_eq!(taken, Err(ReplicaError::Frozen));
}

/// The machine that signed the removal may be lost, and nobody else has another word of it.
#[test]
fn who_was_removed_tells_the_owner_of_its_removal_and_nobody_who_never_was_there() {
    let mut circle = Circle::of_contributors();
    circle.remove_member();
    let space = circle.space;
    circle.owner.give(&mut circle.member, &space);
    assert_eq!(circle.member.replica.own_role(&space), None, "it knows");
    let [owner, outsider] = [&circle.owner, &circle.outsider].map(Node::organisation);
    let (replica, disk) = (&mut circle.member.replica, &circle.member.disk);
    let told = replica.heads_for(disk, &owner, &space).unwrap().expect("its farewell");
    let position = circle.owner.replica.summary(&space).unwrap().access;
    assert!(told.is_farewell && told.access == position, "{told:?}");
    assert_eq!(replica.heads_for(disk, &outsider, &space), Ok(None));
}
