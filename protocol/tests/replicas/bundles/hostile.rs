//! Bundles that were changed, cut off, made by others or for others, or that declare what is not
//! there: refused, and nothing of them is kept.

use super::{NOW, Node, Organisation, pair, request};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::bundle::{BundleError, ExportRequest, Outcome};
use sincronia_protocol::limits;
use sincronia_protocol::replica::Trust;
use sincronia_protocol::storage::Table;

/// Everything on a node's disk.
fn disk(node: &Node) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let values = |table: Table| {
        let found: Vec<_> = node.disk.values(table).collect();
        found.into_iter().map(move |(key, value)| (table, key.to_vec(), value.to_vec()))
    };
    Table::ALL.into_iter().flat_map(values).collect()
}

#[test]
fn every_byte_of_a_bundle_counts() {
    let mut pair = pair();
    pair.owner.note(&pair.space, "Una scheda");
    let sound = pair.owner.bundle(pair.member.organisation());
    let before = disk(&pair.member);
    for position in 0..sound.len() {
        let mut changed = sound.clone();
        changed[position] ^= 1;
        assert!(pair.member.take_in(&changed).is_err(), "byte {position}");
    }
    assert_eq!(disk(&pair.member), before);
    pair.member.read(&sound);
}

#[test]
fn a_bundle_that_is_cut_off_is_refused() {
    let mut pair = pair();
    let sound = pair.owner.bundle(pair.member.organisation());
    let before = disk(&pair.member);
    for length in 0..sound.len() {
        assert!(pair.member.take_in(&sound[..length]).is_err(), "{length} bytes");
    }
    let longer = [sound.as_slice(), b"x"].concat();
    assert_eq!(pair.member.take_in(&longer), Err(BundleError::NotBundle));
    assert_eq!(disk(&pair.member), before);
}

#[test]
fn a_changed_part_of_many_never_gets_into_the_bundle() {
    let mut pair = pair();
    pair.write(20);
    let small =
        ExportRequest { part_bytes: limits::PART_BYTES_MIN, ..request(pair.member.organisation()) };
    let parts = pair.owner.bundle_as(&small).unwrap().parts;
    for position in (0..parts[0].len()).step_by(13) {
        let mut changed = parts[0].clone();
        changed[position] ^= 1;
        // Another list of hashes is another bundle, which never becomes complete.
        if let Ok(outcomes) = pair.member.take_in(&changed) {
            assert!(matches!(outcomes[..], [Outcome::Waiting { .. }]), "byte {position}");
        }
    }
    for part in &parts[..parts.len() - 1] {
        let outcome = pair.member.take_in(part).unwrap();
        assert!(matches!(outcome[..], [Outcome::Waiting { .. }]));
    }
    assert_eq!(pair.member.read(parts.last().unwrap()).brought[&pair.space].entries, 20);
}

#[test]
fn a_bundle_for_another_organisation_is_refused() {
    let mut pair = pair();
    let (third, credentials) = Organisation::with_node(3);
    let mut stranger = Node::start(&credentials, &[&pair.organisations[0], &third]);
    let bundle = pair.owner.bundle(pair.member.organisation());
    let refused = stranger.take_in(&bundle);
    assert_eq!(refused, Err(BundleError::Recipient(pair.member.organisation())));
}

#[test]
fn a_bundle_of_somebody_who_is_no_partner_is_refused() {
    let (first, owner) = Organisation::with_node(1);
    let (second, member) = Organisation::with_node(2);
    let mut owner = Node::start(&owner, &[&first, &second]);
    let mut member = Node::start(&member, &[&second]);
    let bundle = owner.bundle(second.id());
    let before = disk(&member);
    assert_eq!(member.take_in(&bundle), Err(BundleError::NotPartner(first.id())));
    assert_eq!(disk(&member), before);
}

#[test]
fn a_blocked_partner_is_neither_heard_nor_told() {
    let mut pair = pair();
    let owner = pair.owner.organisation();
    let bundle = pair.owner.bundle(pair.member.organisation());
    let mut partner = pair.member.replica.partner(&owner).unwrap().clone();
    partner.trust = Trust::Blocked;
    pair.member.act(|replica, _, _| replica.put_partner(owner, partner)).unwrap();
    assert_eq!(pair.member.take_in(&bundle), Err(BundleError::NotPartner(owner)));
    let refused = pair.member.bundle_as(&request(owner));
    assert_eq!(refused, Err(BundleError::NotPartner(owner)));
}

#[test]
fn entries_of_a_space_that_the_sender_was_removed_from_are_refused() {
    let (first, owner) = Organisation::with_node(1);
    let (second, left) = Organisation::with_node(2);
    let (third, right) = Organisation::with_node(3);
    let all = [&first, &second, &third];
    let mut owner = Node::start(&owner, &all);
    let mut left = Node::start(&left, &all);
    let mut right = Node::start(&right, &all);
    let space = owner.create_space();
    for member in [second.id(), third.id()] {
        owner.grant(&space, member, Role::Contributor, History::Start).unwrap();
    }
    left.read(&owner.bundle(second.id()));
    owner.note(&space, "Del proprietario");
    left.read(&owner.bundle(second.id()));
    owner.revoke(&space, second.id()).unwrap();
    // The removed member does not know yet, and passes on what it has of others.
    let passed = left.bundle(third.id());
    right.take_all(&owner.access_parcels(&space, &third.id()));
    let before = right.shows(&space);
    let imported = right.read(&passed);
    assert!(imported.brought.is_empty() && !imported.refused.is_empty(), "{imported:?}");
    assert_eq!(right.shows(&space), before);
    assert_eq!(right.read(&owner.bundle(third.id())).brought[&space].entries, 1);
}

#[test]
fn a_bundle_of_a_node_that_was_revoked_is_refused() {
    use sincronia_protocol::identity::IdentityOperation;
    let mut pair = pair();
    let second = pair.organisations[0].add_node(9);
    let (first, member) = (&pair.organisations[0], &pair.organisations[1]);
    let mut other = Node::start(&second, &[first, member]);
    pair.member.learn(first);
    let bundle = other.bundle(member.id());
    pair.organisations[0].say(IdentityOperation::RevokeNode { node: other.id() });
    pair.member.learn(&pair.organisations[0]);
    assert_eq!(pair.member.take_in(&bundle), Err(BundleError::NotCertified));
}

#[test]
fn a_node_that_is_new_introduces_itself_in_its_own_bundle() {
    let mut pair = pair();
    let second = pair.organisations[0].add_node(9);
    let (first, member) = (&pair.organisations[0], &pair.organisations[1]);
    let mut other = Node::start(&second, &[first, member]);
    let bundle = other.bundle(member.id());
    assert!(pair.member.read(&bundle).refused.is_empty());
    assert_eq!(pair.member.replica.organisation_of(&other.id()), Some(first.id()));
}

#[test]
fn a_bundle_sealed_before_this_node_existed_says_so() {
    let mut pair = pair();
    let bundle = pair.owner.bundle(pair.member.organisation());
    let later = pair.organisations[1].add_node(9);
    let mut later = Node::start(&later, &[&pair.organisations[0], &pair.organisations[1]]);
    assert_eq!(later.take_in(&bundle), Err(BundleError::NotForNode));
}

#[test]
fn what_waits_for_its_other_parts_is_bounded() {
    let mut pair = pair();
    pair.write(20);
    let small =
        ExportRequest { part_bytes: limits::PART_BYTES_MIN, ..request(pair.member.organisation()) };
    let first = pair.owner.bundle_as(&small).unwrap().parts;
    let now = sincronia_protocol::time::Timestamp::from_milliseconds;
    let large = vec![0; limits::PART_BYTES_MAX];
    pair.member.take_in(&first[0]).unwrap();
    for at in 0..6_u8 {
        pair.member
            .act(|replica, disk, _| {
                replica.keep_part(disk, &[at; 32], 0, &large, now(u64::MAX - 100 + u64::from(at)))
            })
            .unwrap();
    }
    let kept: usize = pair.member.disk.values(Table::Parts).map(|(_, part)| part.len()).sum();
    assert!(kept as u64 <= limits::PARTS_KEPT_BYTES_MAX, "{kept} bytes");
    let newest = pair.member.replica.parts_kept(&pair.member.disk, &[5; 32]).unwrap();
    assert_eq!(newest.len(), 1);
}

/// Where a part was lost for good the others waited for ever, and were asked after at each look.
#[test]
fn what_nobody_looks_for_any_more_is_dropped() {
    let mut pair = pair();
    pair.write(20);
    let small =
        ExportRequest { part_bytes: limits::PART_BYTES_MIN, ..request(pair.member.organisation()) };
    let parts = pair.owner.bundle_as(&small).unwrap().parts;
    pair.member.take_in(&parts[0]).unwrap();
    pair.write(1);
    let whole = pair.owner.bundle(pair.member.organisation());
    let waiting = |member: &Node| member.replica.bundles_waiting(&member.disk).unwrap().len();
    for (days, left) in [(89, 1), (91, 0)] {
        let later = NOW.plus(days * 24 * 60 * 60 * 1000);
        pair.member.take_in_at(&whole, later).unwrap();
        assert_eq!(waiting(&pair.member), left, "after {days} days");
    }
}
