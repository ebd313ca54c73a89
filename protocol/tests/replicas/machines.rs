//! Several nodes of one organisation: they have the same without the owner, the lost one gets
//! nothing more.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use sincronia_protocol::access::{AccessOperation, History, KeyringError, Role};
use sincronia_protocol::crypto::{SealingSecret, Secret};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, SpaceId};
use sincronia_protocol::replica::{Partner, PartnerRecord, ReplicaError, Safety, Trust};
use sincronia_protocol::sync::{CloseReason, Handover, Input, Message, SyncPhase};
use sincronia_protocol::time::Timestamp;
use std::collections::BTreeSet;

/// Two nodes talk until there is nothing more to say.
fn talk(one: &mut Node, other: &mut Node) -> ([SyncPhase; 2], Vec<CloseReason>) {
    let mut line = Line::open(one, other);
    line.run_sound();
    // What was sent before an end still arrives.
    let mut closed = std::mem::take(&mut line.closed);
    if !closed.is_empty() {
        line.run_sound();
        closed.append(&mut line.closed);
    }
    (line.phases(), closed)
}

/// They talk, and end with the same.
fn agree(one: &mut Node, other: &mut Node) {
    assert_eq!(talk(one, other), ([SyncPhase::InSync; 2], Vec::new()));
}

/// A second node of an organisation of the circle, which everybody has heard of.
fn second(circle: &mut Circle, organisation: usize, seed: u8) -> Node {
    let credentials = circle.organisations[organisation].add_node(seed);
    hear(circle, organisation);
    Node::start(&credentials, &[&circle.organisations[organisation]])
}

/// Everybody takes note of what an organisation says of its nodes.
fn hear(circle: &mut Circle, organisation: usize) {
    let Circle { organisations, owner, member, colleague, outsider, .. } = circle;
    for node in [owner, member, colleague, outsider] {
        node.learn(&organisations[organisation]);
    }
}

fn maintain(node: &mut Node, organisation: &Organisation) {
    let id = organisation.id();
    node.act(|replica, disk, random| replica.maintain(disk, &id, random)).unwrap();
}

/// The commitments that a node asks for.
fn asked(node: &mut Node, space: &SpaceId) -> BTreeSet<[u8; 32]> {
    let own = node.organisation();
    let heads = node.replica.heads_for(&node.disk, &own, space).unwrap().unwrap();
    heads.lacking.iter().map(|name| **name).collect()
}

fn hand(giver: &mut Node, to: NodeId, space: &SpaceId, names: &BTreeSet<[u8; 32]>) -> Handed {
    let theirs = giver.replica.organisation_of(&to).unwrap_or(giver.organisation());
    giver.replica.handover(&giver.disk, (&theirs, &to), space, names).unwrap()
}

type Handed = Option<(u64, Vec<u8>)>;

/// The access log alone, as a node gets it that has no keyring.
fn give_log(giver: &mut Node, to: &mut Node, space: &SpaceId) {
    let entries = giver.access_log(space);
    let (replica, disk) = (&mut to.replica, &to.disk);
    replica.admit_access(disk, space, &entries, true).unwrap();
    to.commit();
}

#[test]
fn a_new_node_learns_everything_from_its_sibling_alone() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "della prima macchina");
    let mut second = second(&mut circle, 1, 12);
    // The owner is away: it has not rotated for the new node.
    agree(&mut second, &mut circle.member);
    assert_eq!(second.title(&space, &record).as_deref(), Some("della prima macchina"));
    let other = second.note(&space, "della seconda macchina");
    agree(&mut circle.member, &mut second);
    assert_eq!(circle.member.title(&space, &other).as_deref(), Some("della seconda macchina"));
    let owner = circle.owner.organisation();
    assert_eq!(second.replica.partner(&owner).map(|one| one.trust), Some(Trust::Verified));
    agree(&mut second, &mut circle.owner);
    assert_eq!(circle.owner.title(&space, &other).as_deref(), Some("della seconda macchina"));
}

#[test]
fn the_owner_hands_the_key_to_a_members_new_node_before_it_rotates() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "letta da tutti");
    circle.settle();
    let mut second = second(&mut circle, 1, 12);
    second.learn(&circle.organisations[0]);
    let partner = circle.member.replica.partner(&circle.owner.organisation()).cloned().unwrap();
    let owner = circle.owner.organisation();
    second.act(|replica, _, _| replica.put_partner(owner, partner)).unwrap();
    talk(&mut second, &mut circle.owner);
    assert_eq!(second.title(&space, &record).as_deref(), Some("letta da tutti"));
}

#[test]
fn a_handover_opens_history_that_no_later_key_unwraps() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let old = circle.member.note(&space, "prima del taglio");
    circle.settle();
    let outsider = circle.outsider.organisation();
    circle.owner.grant(&space, outsider, Role::Reader, History::Now).unwrap();
    circle.settle();
    circle.owner.give(&mut circle.outsider, &space);
    let mut second = second(&mut circle, 1, 12);
    agree(&mut second, &mut circle.member);
    assert_eq!(second.title(&space, &old).as_deref(), Some("prima del taglio"));
    // The one who reads from now on lacks nothing, and gets nothing of the past if it asks for all.
    assert!(asked(&mut circle.outsider, &space).is_empty());
    let newcomer = self::second(&mut circle, 3, 14);
    let names: BTreeSet<_> = asked(&mut second, &space);
    assert!(names.is_empty());
    let everything = commitments(&mut circle.owner, &space);
    let (epoch, sealed) = hand(&mut circle.owner, newcomer.id(), &space, &everything).unwrap();
    let mut newcomer = newcomer;
    for organisation in [0, 1, 2] {
        newcomer.learn(&circle.organisations[organisation]);
        befriend(&mut newcomer, circle.organisations[organisation].id());
    }
    give_log(&mut circle.owner, &mut newcomer, &space);
    newcomer.act(|replica, disk, _| replica.admit_handover(disk, &space, epoch, &sealed)).unwrap();
    assert!(asked(&mut newcomer, &space).is_empty());
    circle.owner.give(&mut newcomer, &space);
    assert_eq!(newcomer.title(&space, &old), None, "the past stays closed");
}

fn befriend(node: &mut Node, organisation: sincronia_protocol::ids::OrganisationId) {
    let partner = Partner {
        name: String::new(),
        trust: Trust::Verified,
        joined_at: Timestamp::default(),
        addresses: Vec::new(),
        last_exchange: None,
    };
    node.act(|replica, _, _| replica.put_partner(organisation, partner)).unwrap();
}

/// Every commitment of the access log.
fn commitments(owner: &mut Node, space: &SpaceId) -> BTreeSet<[u8; 32]> {
    let log = owner.access_log(space);
    let rotations = log.iter().filter_map(|entry| entry.statement.operation.rotation());
    rotations.map(|rotation| *rotation.commitment.as_bytes()).collect()
}

#[test]
fn keys_are_handed_only_to_nodes_that_are_entitled() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "riservata");
    circle.settle();
    let names = commitments(&mut circle.owner, &space);
    let second = second(&mut circle, 1, 12).id();
    let colleague = circle.colleague.id();
    assert!(hand(&mut circle.member, second, &space, &names).is_some(), "a sibling");
    assert!(hand(&mut circle.owner, second, &space, &names).is_some(), "a member's node");
    assert!(hand(&mut circle.colleague, second, &space, &names).is_none(), "by a stranger");
    assert!(hand(&mut circle.member, colleague, &space, &names).is_none(), "to a stranger");
    assert!(hand(&mut circle.member, second, &space, &BTreeSet::new()).is_none(), "not asked");
    let outsider = circle.outsider.id();
    assert!(hand(&mut circle.owner, outsider, &space, &names).is_none(), "no member");
    circle.admit(circle.outsider.organisation(), Role::Carrier);
    assert!(hand(&mut circle.owner, outsider, &space, &names).is_none(), "a carrier");
    assert!(hand(&mut circle.owner, NodeId::from_bytes([9; 32]), &space, &names).is_none());
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: second });
    hear(&mut circle, 1);
    assert!(hand(&mut circle.member, second, &space, &names).is_none(), "a revoked node");
    assert!(hand(&mut circle.owner, second, &space, &names).is_none(), "a revoked node");
}

#[test]
fn a_node_that_was_cut_gets_no_key_from_its_sibling() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let second = second(&mut circle, 1, 12).id();
    circle
        .owner
        .act(|replica, disk, random| replica.cut_node(disk, &space, second, random))
        .unwrap();
    circle.settle();
    let names = commitments(&mut circle.owner, &space);
    assert!(hand(&mut circle.member, second, &space, &names).is_none());
    assert!(hand(&mut circle.owner, second, &space, &names).is_none());
}

#[test]
fn what_is_handed_over_is_checked_against_the_access_log() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "una sola");
    circle.settle();
    let mut second = second(&mut circle, 1, 12);
    second.learn(&circle.organisations[0]);
    befriend(&mut second, circle.owner.organisation());
    give_log(&mut circle.owner, &mut second, &space);
    let names = asked(&mut second, &space);
    assert_eq!(names.len(), 1);
    let (epoch, sealed) = hand(&mut circle.member, second.id(), &space, &names).unwrap();
    let again = hand(&mut circle.member, second.id(), &space, &names).unwrap();
    assert_eq!((epoch, &sealed), (again.0, &again.1), "the same handover is the same bytes");
    let mut take = |epoch, sealed: &[u8]| {
        second.act(|replica, disk, _| replica.admit_handover(disk, &space, epoch, sealed))
    };
    for position in (0..sealed.len()).step_by(31) {
        let mut tampered = sealed.clone();
        tampered[position] ^= 1;
        let refused = take(epoch, &tampered);
        assert_eq!(refused, Err(ReplicaError::Keyring(KeyringError::Sealed)), "{position}");
    }
    let moved = take(epoch + 1, &sealed);
    assert_eq!(moved, Err(ReplicaError::Keyring(KeyringError::Sealed)), "bound to its epoch");
    assert_eq!(take(epoch, &sealed), Ok(true));
    assert_eq!(take(epoch, &sealed), Ok(false));
}

#[test]
fn a_key_that_the_access_log_does_not_commit_to_is_refused() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second(&mut circle, 1, 12);
    second.learn(&circle.organisations[0]);
    befriend(&mut second, circle.owner.organisation());
    give_log(&mut circle.owner, &mut second, &space);
    let key = sincronia_protocol::crypto::EpochKey::from_secret(Secret::from_bytes([7; 32]));
    let keyring = sincronia_protocol::access::Keyring { keys: vec![(0, key)] };
    let sealing = second.credentials.sealing.public().clone();
    let sealed = keyring.seal_handover(&space, 0, &second.id(), &sealing).unwrap();
    let refused = second.act(|replica, disk, _| replica.admit_handover(disk, &space, 0, &sealed));
    assert_eq!(refused, Err(ReplicaError::Keyring(KeyringError::Commitment)));
    assert_eq!(asked(&mut second, &space).len(), 1, "it still lacks the key");
}

#[test]
fn a_node_without_its_key_is_not_in_sync() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second(&mut circle, 1, 12);
    for organisation in [0, 2] {
        second.learn(&circle.organisations[organisation]);
        befriend(&mut second, circle.organisations[organisation].id());
    }
    // A colleague has the key and gives everything but that.
    circle.settle();
    give_log(&mut circle.colleague, &mut second, &space);
    assert_eq!(asked(&mut second, &space).len(), 1);
    assert_ne!(second.digests(), circle.colleague.digests());
}

#[test]
fn another_node_becomes_primary_and_the_lost_one_gets_nothing_more() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "prima del furto");
    // One more space, where the lost machine wrote nothing and was given nothing: it made the key.
    let silent = circle.owner.create_space();
    circle.settle();
    let mut second = second(&mut circle, 0, 11);
    agree(&mut second, &mut circle.owner);
    let lost = circle.owner.id();
    assert_eq!(second.try_rotate(&space), Err(ReplicaError::NotPrimary(Some(lost))));

    let this = second.id();
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: this });
    circle.organisations[0].say(IdentityOperation::RevokeNode { node: lost });
    second.learn(&circle.organisations[0]);
    maintain(&mut second, &circle.organisations[0]);
    for one in [space, silent] {
        let log = second.access_log(&one);
        let operation = &log.last().unwrap().statement.operation;
        assert!(matches!(operation, AccessOperation::CutNode { cut, .. } if cut.node == lost));
        let recipients: Vec<_> = operation.recipients().map(|one| one.node).collect();
        assert!(!recipients.contains(&lost), "{recipients:?}");
    }
    agree(&mut second, &mut circle.member);
    let late = second.note(&space, "dopo il furto");
    agree(&mut second, &mut circle.member);
    assert_eq!(circle.member.title(&space, &late).as_deref(), Some("dopo il furto"));
    assert_eq!(circle.member.title(&space, &record).as_deref(), Some("prima del furto"));

    // The lost machine comes back and does not know: it is told why, and learns it.
    let (_, closed) = talk(&mut circle.owner, &mut circle.member);
    assert!(closed.contains(&CloseReason::NotCertified), "{closed:?}");
    assert!(circle.owner.title(&space, &late).is_none());
    assert!(circle.owner.replica.is_revoked());
    assert_eq!(circle.owner.try_note(&space, "del ladro"), Err(ReplicaError::Revoked));
    assert_eq!(circle.owner.try_rotate(&space), Err(ReplicaError::Revoked));
    let (_, closed) = talk(&mut circle.owner, &mut second);
    assert!(closed.contains(&CloseReason::Revoked), "{closed:?}");
}

#[test]
fn members_give_the_owners_last_machine_its_keys_back_and_then_it_pays_its_debts() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "chiave perduta");
    circle.settle();
    let mut second = second(&mut circle, 0, 11);
    let lost = circle.owner.id();
    // The machine that made the key is gone before the second ever met it.
    let this = second.id();
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: this });
    circle.organisations[0].say(IdentityOperation::RevokeNode { node: lost });
    hear(&mut circle, 0);
    for organisation in [0, 1] {
        second.learn(&circle.organisations[organisation]);
    }
    befriend(&mut second, circle.member.organisation());
    give_log(&mut circle.member, &mut second, &space);
    let own = second.organisation();
    let paid = second.act(|replica, disk, random| replica.maintain(disk, &own, random));
    assert_eq!(paid, Err(ReplicaError::KeyMissing));
    assert!(second.replica.maintenance_due().contains(&own), "the debt stays");

    agree(&mut second, &mut circle.member);
    assert_eq!(second.title(&space, &record).as_deref(), Some("chiave perduta"));
    maintain(&mut second, &circle.organisations[0]);
    assert!(!second.replica.maintenance_due().contains(&own));
    let log = second.access_log(&space);
    let is_cut = |entry: &sincronia_protocol::access::AccessEntry| {
        matches!(&entry.statement.operation,
            AccessOperation::CutNode { cut, .. } if cut.node == lost)
    };
    assert!(log.iter().any(is_cut));
}

#[test]
fn partners_and_directory_are_taken_from_no_other_organisation() {
    let mut circle = Circle::of_contributors();
    let stranger = circle.outsider.organisation();
    let mut told = circle.outsider.replica.partner_records(None, usize::MAX);
    told.retain(|one| one.organisation != stranger);
    let record = PartnerRecord {
        organisation: Organisation::found(9).id(),
        name: "Ente inventato".into(),
        trust: Trust::Verified,
        decision: 9,
        joined_at: Timestamp::default(),
        addresses: Vec::new(),
    };
    let invented = record.organisation;
    told.push(record);
    for one in &mut told {
        (one.trust, one.decision) = (Trust::Blocked, 9);
    }
    let space = circle.space;
    let mut line = Line::open(&mut circle.outsider, &mut circle.member);
    line.run_sound();
    for handover in [Handover::Partners(told), Handover::Directory(space)] {
        let frame = Message::Handover(handover).encode();
        line.input(1, Input::Frame(frame));
    }
    line.run_sound();
    assert!(circle.member.replica.partner(&invented).is_none());
    assert!(circle.member.replica.is_partner(&circle.owner.organisation()), "nobody is blocked");
    assert_eq!(circle.member.replica.directory(&circle.member.disk), Ok(None));
}

#[test]
fn one_partner_that_does_not_fit_keeps_no_other_out() {
    let mut circle = Circle::of_contributors();
    let mut second = second(&mut circle, 1, 12);
    let mut told = circle.member.replica.partner_records(None, usize::MAX);
    let count = circle.member.replica.partners().count();
    assert!(count >= 2);
    let mut broken = told[0].clone();
    broken.organisation = Organisation::found(9).id();
    broken.name = "con un\u{7}campanello".into();
    told.insert(0, broken);
    let mut line = Line::open(&mut circle.member, &mut second);
    line.run_sound();
    line.input(1, Input::Frame(Message::Handover(Handover::Partners(told)).encode()));
    line.run_sound();
    assert_eq!(second.replica.partners().count(), count);
}

#[test]
fn the_report_names_what_a_lost_node_read_and_who_still_waits() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "letta dal nodo perduto");
    circle.settle();
    let mut second = second(&mut circle, 1, 12);
    agree(&mut second, &mut circle.member);
    let lost = circle.member.id();
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: lost });
    second.learn(&circle.organisations[1]);
    let report = |node: &mut Node| {
        let (replica, disk) = (&mut node.replica, &node.disk);
        replica.exposure(disk, &lost).unwrap()
    };
    let before = report(&mut second);
    assert_eq!(before.len(), 1);
    let told = (before[0].space, before[0].safety, before[0].records, before[0].written);
    assert_eq!(told, (space, Safety::Waiting, 1, 1));
    hear(&mut circle, 1);
    maintain(&mut circle.owner, &circle.organisations[1]);
    let at_cut = before[0].to_epoch;
    agree(&mut second, &mut circle.owner);
    let after = report(&mut second);
    assert_eq!((after[0].safety, after[0].to_epoch), (Safety::Rotated, at_cut));
    // A space that comes later was never his to read.
    let later = circle.owner.create_space();
    let member = second.organisation();
    circle.owner.grant(&later, member, Role::Reader, History::Start).unwrap();
    agree(&mut second, &mut circle.owner);
    assert!(second.replica.summary(&later).is_some());
    assert_eq!(report(&mut second).len(), 1);
}

#[test]
fn a_session_ends_when_the_other_end_is_revoked() {
    let mut circle = Circle::of_contributors();
    let mut second = second(&mut circle, 1, 12);
    let revoked = second.id();
    circle.organisations[1].say(IdentityOperation::RevokeNode { node: revoked });
    let mut line = Line::open(&mut second, &mut circle.member);
    line.run_sound();
    assert_eq!(line.phases(), [SyncPhase::InSync; 2]);
    line.nodes[1]
        .replica
        .admit_identity(&line.nodes[1].disk, &circle.organisations[1].entries)
        .unwrap();
    let grown = line.nodes[1].commit();
    line.input(1, Input::Grown(grown));
    assert_eq!(line.closed, [CloseReason::NotCertified]);
    line.closed.clear();
    line.run_sound();
    assert_eq!(line.closed, [CloseReason::Revoked]);
    assert!(second.replica.is_revoked());
}

#[test]
fn a_replaced_sealing_key_opens_the_old_and_the_new() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let fresh = SealingSecret::from_seed(&Secret::from_bytes([77; 32]));
    let (node, sealing) = (circle.member.id(), fresh.public().clone());
    circle.organisations[1].say(IdentityOperation::RotateSealing { node, sealing });
    hear(&mut circle, 1);
    maintain(&mut circle.owner, &circle.organisations[1]);
    circle.owner.try_rotate(&space).unwrap();
    // Keyrings sealed before and after arrive together.
    let mut credentials = circle.member.credentials.clone();
    credentials.sealing = fresh.with_former(credentials.sealing);
    let known: Vec<_> = circle.organisations.iter().collect();
    let mut member = Node::start(&credentials, &known);
    circle.owner.give(&mut member, &space);
    assert!(asked(&mut member, &space).is_empty());
    member.note(&space, "con la chiave nuova");
    let keyrings = circle.owner.keyrings_for(&space, &member.organisation());
    assert!(keyrings.len() >= 2);
}

#[test]
fn a_decision_about_a_partner_reaches_the_other_nodes() {
    let mut circle = Circle::of_contributors();
    let mut second = second(&mut circle, 1, 12);
    agree(&mut second, &mut circle.member);
    let owner = circle.owner.organisation();
    let block = |node: &mut Node, trust| {
        let partner = node.replica.partner(&owner).cloned().unwrap();
        node.act(|replica, _, _| replica.put_partner(owner, Partner { trust, ..partner })).unwrap();
    };
    block(&mut second, Trust::Blocked);
    talk(&mut circle.member, &mut second);
    assert!(!circle.member.replica.is_partner(&owner), "blocked on every node");
    block(&mut circle.member, Trust::Joined);
    talk(&mut second, &mut circle.member);
    assert!(second.replica.is_partner(&owner), "the later decision holds");
    let (mut one, mut other) = (second, circle.member);
    block(&mut one, Trust::Blocked);
    block(&mut other, Trust::Verified);
    talk(&mut one, &mut other);
    for node in [&mut one, &mut other] {
        node.restart();
        assert!(!node.replica.is_partner(&owner), "of two at once the stricter holds");
    }
}

/// A node that was cut may have no key from there on. Named primary all the same, it made itself
/// the next one.
#[test]
fn a_primary_that_was_cut_makes_no_key() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second(&mut circle, 0, 11);
    agree(&mut circle.owner, &mut second);
    for organisation in [circle.member.organisation(), circle.colleague.organisation()] {
        circle.owner.revoke(&space, organisation).unwrap();
    }
    let cut = second.id();
    circle.owner.act(|replica, disk, random| replica.cut_node(disk, &space, cut, random)).unwrap();
    agree(&mut circle.owner, &mut second);
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: cut });
    second.learn(&circle.organisations[0]);
    let own = second.organisation();
    let member = circle.member.organisation();
    let now = second.grant(&space, member, Role::Reader, History::Now);
    assert_eq!(now, Err(ReplicaError::NotPermitted));
    assert_eq!(second.try_rotate(&space), Err(ReplicaError::NotPermitted));
    let owed = second.act(|replica, disk, random| replica.maintain(disk, &own, random));
    assert!(matches!(owed, Ok(()) | Err(ReplicaError::NotPermitted)), "{owed:?}");
    // What needs no key it can do, and with another primary all goes on.
    second.grant(&space, member, Role::Carrier, History::Start).unwrap();
    let first = circle.owner.id();
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: first });
    for node in [&mut circle.owner, &mut second] {
        node.learn(&circle.organisations[0]);
    }
    agree(&mut circle.owner, &mut second);
    circle.owner.try_rotate(&space).unwrap();
}

/// Who was removed spoke of the space to nobody. With the machine that had signed the removal every
/// other word of it was lost, and the owner's next one took the removed for a member for ever.
#[test]
fn the_owners_next_machine_learns_of_a_removal_from_whoever_was_removed() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second(&mut circle, 0, 11);
    agree(&mut circle.owner, &mut second);
    circle.member.note(&space, "prima della rimozione");
    circle.remove_member();
    agree(&mut circle.owner, &mut circle.member);
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: second.id() });
    hear(&mut circle, 0);
    second.learn(&circle.organisations[0]);

    let member = circle.member.organisation();
    assert_eq!(circle.member.replica.own_role(&space), None);
    let role = |node: &Node| node.replica.summary(&space).unwrap().role(&member);
    assert_eq!(role(&second), Some(Role::Contributor));
    // To another member it says nothing.
    let colleague = circle.colleague.organisation();
    let told = circle.member.replica.heads_for(&circle.member.disk, &colleague, &space).unwrap();
    assert_eq!(told, None);
    agree(&mut second, &mut circle.member);
    assert_eq!(role(&second), None);
    assert_eq!(second.access_log(&space).len(), circle.member.access_log(&space).len());
}
