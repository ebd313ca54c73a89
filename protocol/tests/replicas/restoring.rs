//! A node restored from an old copy: what partners have of the old one comes back before anything
//! is cut, and nothing forks.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::{IdentityEntry, IdentityOperation};
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::joining::{Introduction, JoinMessage, Refusal, recall};
use sincronia_protocol::replica::{BACKUP_TABLES, Partner, Replica, ReplicaError, Trust};
use sincronia_protocol::storage::{Batch, MemoryStorage, Storage, Table};
use sincronia_protocol::sync::SyncPhase;
use sincronia_protocol::time::Timestamp;
use std::ops::ControlFlow;

const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// A backup of a node, as pairs of its tables.
pub type Backup = Vec<(usize, Vec<u8>, Vec<u8>)>;

pub fn back_up(node: &Node) -> Backup {
    let mut pairs = Backup::new();
    for (at, table) in BACKUP_TABLES.into_iter().enumerate() {
        let visited = Replica::visit_for_backup::<()>(&node.disk, table, |key, value| {
            let opened = node.credentials.to_backup(table, key, value).expect("a sound disk");
            pairs.push((at, key.to_vec(), opened.to_vec()));
            Ok(())
        });
        assert_eq!(visited, Ok(Ok(())));
    }
    pairs
}

/// A new node of the owner's organisation out of a backup; its organisation revoked the old one,
/// and says so to nobody yet.
pub fn restore(organisation: &mut Organisation, old: NodeId, backup: &Backup) -> Node {
    let known = organisation.entries.len();
    let credentials = organisation.add_node(21);
    let node = credentials.node_key.id();
    organisation.say(IdentityOperation::SetPrimary { node });
    organisation.say(IdentityOperation::RevokeNode { node: old });
    let mut disk = MemoryStorage::default();
    let mut batch = Batch::default();
    for (at, key, value) in backup {
        let table = BACKUP_TABLES[*at];
        let sealed = credentials.from_backup(table, key, value).expect("what was there");
        batch.put(table, key.clone(), sealed);
    }
    disk.commit(&batch);
    let mut restored = Node::start(&credentials, &[]);
    restored.disk = disk;
    restored.restart();
    restored.act(|replica, disk, _| replica.settle_restored(disk)).unwrap();
    let entries = &organisation.entries[known..];
    restored.act(|replica, disk, _| replica.admit_identity(disk, entries)).unwrap();
    restored.act(|replica, _, _| replica.begin_catching_up(NOW, true)).unwrap();
    restored
}

/// The restored node returns to another, and they talk until they have the same.
pub fn return_to(restored: &mut Node, other: &mut Node) {
    let introduction = introduction(restored);
    let node = restored.id();
    let own = restored.organisation();
    let heard = other
        .act(|replica, disk, _| replica.admit_return(disk, &node, &introduction, NOW))
        .unwrap();
    assert_eq!(heard, Ok(own));
    let mut line = Line::open(restored, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &Vec::new()));
}

fn introduction(node: &Node) -> Introduction {
    node.replica.introduction(&node.disk, "Comune".into(), Vec::new()).unwrap()
}

fn hear(restored: &mut Node, other: &Node) -> bool {
    let organisation = other.organisation();
    restored.act(|replica, _, _| replica.note_heard(&organisation)).unwrap()
}

pub fn maintain(node: &mut Node) {
    let own = node.organisation();
    node.act(|replica, disk, random| replica.maintain(disk, &own, random)).unwrap();
}

#[test]
fn threat_26_a_restored_node_cuts_the_old_one_only_after_hearing_what_partners_have_of_it() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let before = circle.owner.note(&space, "prima della copia");
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    let after = circle.owner.note(&space, "dopo la copia");
    circle.settle();
    let mut restored = restore(&mut circle.organisations[0], old, &backup);
    assert_eq!(restored.title(&space, &before).as_deref(), Some("prima della copia"));
    assert_eq!(restored.title(&space, &after), None);
    let awaited = restored.replica.catching_up().unwrap().awaited.clone();
    assert!(awaited.contains(&circle.member.organisation()), "{awaited:?}");
    assert!(!awaited.contains(&circle.outsider.organisation()), "it shares nothing");

    // Access waits, work does not.
    maintain(&mut restored);
    let outsider = circle.outsider.organisation();
    let refused = restored.grant(&space, outsider, Role::Reader, History::Start);
    assert!(matches!(refused, Err(ReplicaError::CatchingUp)), "{refused:?}");
    let own = restored.note(&space, "scritto mentre aspetta");
    restored.restart();
    assert!(restored.replica.catching_up().is_some(), "it knows after a restart, too");

    return_to(&mut restored, &mut circle.member);
    assert!(!hear(&mut restored, &circle.member));
    return_to(&mut restored, &mut circle.colleague);
    assert!(hear(&mut restored, &circle.colleague), "nobody is left to be heard");
    maintain(&mut restored);
    restored.grant(&space, outsider, Role::Reader, History::Start).unwrap();
    let mut circle = Circle { owner: restored, ..circle };
    circle.settle();
    for (record, title) in
        [(before, "prima della copia"), (after, "dopo la copia"), (own, "scritto mentre aspetta")]
    {
        assert_eq!(circle.agreed_title(&record).as_deref(), Some(title));
        assert_eq!(circle.member.title(&space, &record).as_deref(), Some(title));
    }
    assert_eq!(circle.quarantine(), Vec::new());
}

/// Made of a damaged disk that had lost the list of its partners, nobody seemed to be waited for.
#[test]
fn who_lost_the_list_of_its_partners_waits_for_one_that_knows_and_for_all_that_share_a_space() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    circle.settle();
    let mut restored = restore(&mut circle.organisations[0], old, &backup);
    restored.act(|replica, _, _| replica.begin_catching_up(NOW, false)).unwrap();
    restored.restart();
    let state = restored.replica.catching_up().unwrap().clone();
    assert!(state.is_blind && state.awaited.contains(&circle.member.organisation()), "{state:?}");
    let outsider = circle.outsider.organisation();
    let refused = restored.grant(&space, outsider, Role::Reader, History::Start);
    assert!(matches!(refused, Err(ReplicaError::CatchingUp)), "{refused:?}");

    return_to(&mut restored, &mut circle.member);
    assert!(!hear(&mut restored, &circle.member));
    let state = restored.replica.catching_up().unwrap().clone();
    assert!(!state.is_blind, "the member knows");
    assert_eq!(state.awaited, [circle.colleague.organisation()]);
    return_to(&mut restored, &mut circle.colleague);
    assert!(hear(&mut restored, &circle.colleague));
    restored.grant(&space, outsider, Role::Reader, History::Start).unwrap();
}

#[test]
fn who_knows_no_space_and_no_partner_waits_until_a_person_says_otherwise() {
    let mut circle = Circle::of_contributors();
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    let identities: Vec<_> =
        backup.iter().filter(|(at, ..)| BACKUP_TABLES[*at] == Table::Identity).cloned().collect();
    let mut restored = restore(&mut circle.organisations[0], old, &identities);
    restored.act(|replica, _, _| replica.begin_catching_up(NOW, false)).unwrap();
    restored.restart();
    let state = restored.replica.catching_up().unwrap().clone();
    assert!(state.is_blind && state.awaited.is_empty(), "{state:?}");
    restored.act(|replica, _, _| replica.finish_catching_up()).unwrap();
    assert_eq!(restored.replica.catching_up(), None);
    // A machine that died between this and what waited for it never did that.
    restored.restart();
    assert!(restored.replica.has_caught_up());
    restored.replica.go_on();
    restored.commit();
    restored.restart();
    assert!(!restored.replica.has_caught_up(), "and it is done once");
}

#[test]
fn who_waits_for_nobody_loses_only_what_the_others_alone_have() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    let after = circle.owner.note(&space, "dopo la copia");
    circle.settle();
    let mut restored = restore(&mut circle.organisations[0], old, &backup);
    let given_up = restored.act(|replica, _, _| replica.finish_catching_up()).unwrap();
    assert_eq!(given_up.len(), 2);
    maintain(&mut restored);
    let mut circle = Circle { owner: restored, ..circle };
    return_to(&mut circle.owner, &mut circle.colleague);
    assert_eq!(circle.agreed_title(&after), None, "beyond the cut on every node");
    assert_eq!(circle.quarantine().len(), 1, "and kept for the owner to write again");
}

#[test]
fn a_key_made_after_the_backup_comes_back_from_a_member() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    circle.owner.try_rotate(&space).unwrap();
    circle.settle();
    let later = circle.member.note(&space, "con la chiave nuova");
    let mut restored = restore(&mut circle.organisations[0], old, &backup);
    return_to(&mut restored, &mut circle.member);
    assert_eq!(restored.title(&space, &later).as_deref(), Some("con la chiave nuova"));
}

#[test]
fn a_restored_backup_erases_again() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    let canaries = super::erasure::Canaries::of(&mut circle.owner, &space);
    circle.owner.erase(&space, &record).unwrap();
    circle.settle();
    let mut restored = restore(&mut circle.organisations[0], old, &backup);
    assert!(restored.title(&space, &record).is_some(), "the backup is older");
    return_to(&mut restored, &mut circle.member);
    assert_eq!(restored.title(&space, &record), None);
    canaries.assert_gone(&restored);
}

#[test]
fn threat_26_only_a_certified_node_of_a_partner_returns() {
    let mut circle = Circle::of_contributors();
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    let restored = restore(&mut circle.organisations[0], old, &backup);
    let introduction = introduction(&restored);
    let returns = |other: &mut Node, node: &NodeId, introduction: &Introduction| {
        other.act(|replica, disk, _| replica.admit_return(disk, node, introduction, NOW)).unwrap()
    };
    let repeated = returns(&mut circle.member, &circle.outsider.id(), &introduction);
    assert_eq!(repeated, Err(Refusal::Identity), "repeated by another node");
    let mut tampered = introduction.clone();
    let last: &mut IdentityEntry = tampered.identity.last_mut().unwrap();
    last.signature = sincronia_protocol::crypto::Signature::from_bytes([7; 64]);
    assert_eq!(returns(&mut circle.member, &restored.id(), &tampered), Err(Refusal::Identity));
    let (stranger, credentials) = Organisation::with_node(33);
    let strange = Node::start(&credentials, &[&stranger]);
    let theirs = self::introduction(&strange);
    assert_eq!(returns(&mut circle.member, &strange.id(), &theirs), Err(Refusal::Unknown));

    // Two restorations from one backup are two machines, whoever comes second.
    let mut twin = Organisation::found(1);
    let _ = twin.add_node(1);
    twin.say(IdentityOperation::SetPrimary { node: old });
    let other = twin.add_node(22).node_key.id();
    assert_eq!(
        returns(&mut circle.member, &restored.id(), &introduction),
        Ok(circle.owner.organisation())
    );
    let forked = Introduction { identity: twin.entries, ..introduction };
    let owner = circle.owner.organisation();
    assert_eq!(returns(&mut circle.member, &other, &forked), Ok(owner));
    let known = circle.member.replica.identity(&owner).unwrap();
    assert!(known.is_divided() && known.is_active(&restored.id()) && known.is_active(&other));
}

#[test]
fn the_holder_of_the_root_key_is_told_what_was_signed_since() {
    let mut circle = Circle::of_contributors();
    let _ = circle.organisations[0].add_node(40);
    circle.member.learn(&circle.organisations[0]);
    let asking = NodeId::from_bytes([9; 32]);
    let root = |seed, generation| {
        let entropy = sincronia_protocol::crypto::Secret::from_bytes([seed; 32]);
        sincronia_protocol::crypto::RootKey::derive(&entropy, generation)
    };
    let ask = |member: &Node, seed| {
        let message = recall(&root(seed, 0), &root(seed, 1).public(), &asking, &member.id());
        let JoinMessage::Recall { root, proof, next_root, .. } = message else {
            panic!("a recall")
        };
        member.replica.recalled(&member.disk, (&root, &next_root), &asking, &proof).unwrap()
    };
    assert_eq!(ask(&circle.member, 1), Ok(circle.organisations[0].entries.clone()));
    assert_eq!(ask(&circle.member, 33), Err(Refusal::Unknown), "no partner");
}

/// Of a damaged table of keys the last one was whole: it wraps those before it, and nobody opened
/// them again.
#[test]
fn keys_that_a_damaged_disk_lost_are_opened_by_the_one_that_wraps_them() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    for _ in 0..4 {
        circle.owner.try_rotate(&space).unwrap();
        circle.settle();
    }
    let kept = |node: &Node| {
        let mut keys = Vec::new();
        let visit = &mut |key: &[u8], _: &[u8]| {
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        };
        node.disk.scan(Table::Keys, &[], &[u8::MAX; 97], visit).unwrap();
        keys
    };
    let before = kept(&circle.member);
    assert_eq!(before.len(), 5);
    let access = circle.owner.access_log(&space);
    let mut rotations = access.iter().filter_map(|entry| entry.statement.operation.rotation());
    let last = rotations.next_back().expect("it was rotated").commitment;
    let mut damage = Batch::default();
    for key in before.iter().filter(|key| !key.ends_with(last.as_bytes())) {
        damage.delete(Table::Keys, key.clone());
    }
    circle.member.disk.commit(&damage);
    circle.member.restart();
    assert_eq!(kept(&circle.member).len(), 1);
    circle.colleague.note(&space, "Dopo il danno");
    circle.settle();
    assert_eq!(kept(&circle.member), before);
}

/// A partner that was blocked will never be in sync. The node waited for it for ever, and the only
/// way on was to wait for nobody.
#[test]
fn a_restored_node_does_not_wait_for_whom_it_blocks() {
    let mut circle = Circle::of_contributors();
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    let mut restored = restore(&mut circle.organisations[0], old, &backup);
    return_to(&mut restored, &mut circle.member);
    assert!(!hear(&mut restored, &circle.member));
    let silent = circle.colleague.organisation();
    let partner = restored.replica.partner(&silent).cloned().unwrap();
    let blocked = Partner { trust: Trust::Blocked, ..partner };
    restored.act(|replica, _, _| replica.put_partner(silent, blocked)).unwrap();
    restored.restart();
    assert_eq!(restored.replica.catching_up(), None);
}

/// The removed member kept silent about its removal where there is no line: the owner restored from
/// before it came to hear everyone, and the removed one was a member again.
#[test]
fn an_owner_restored_from_before_a_removal_learns_of_it_by_the_bundle_of_the_removed() {
    let (mut first, owner) = Organisation::with_node(1);
    let (second, member) = Organisation::with_node(2);
    let known = [&first, &second];
    let (mut owner, mut member) = (Node::start(&owner, &known), Node::start(&member, &known));
    let space = owner.create_space();
    owner.grant(&space, second.id(), Role::Contributor, History::Start).unwrap();
    carry(&mut owner, &mut member);
    let backup = back_up(&owner);
    owner.revoke(&space, second.id()).unwrap();
    carry(&mut owner, &mut member);
    let mut restored = restore(&mut first, owner.id(), &backup);
    let there = restored.bundle(second.id());
    member.read(&there);
    let role = |node: &Node| node.replica.summary(&space).unwrap().role(&second.id());
    assert_eq!((role(&restored), role(&member)), (Some(Role::Contributor), None));
    let back = member.bundle(first.id());
    restored.read(&back);
    assert_eq!(role(&restored), None, "the removed tells of its removal");
    let is_level = restored.replica.is_level_with(&restored.disk, &second.id());
    assert_eq!(is_level, Ok(true));
}

/// A bundle there and one back.
fn carry(one: &mut Node, other: &mut Node) {
    let there = one.bundle(other.organisation());
    other.read(&there);
    let back = other.bundle(one.organisation());
    one.read(&back);
}
