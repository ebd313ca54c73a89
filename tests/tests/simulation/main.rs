//! Stories and random histories in the simulated world. A failure prints its seed.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod found;
mod histories;
mod partings;

use serde_json::json;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::replica::{QuarantineReason, WriteTarget};
use sincronia_protocol::sync::SyncPhase;
use sincronia_tests::world::World;

const TITLE: &str = "Scheda unica di ammissione";

#[test]
fn a_record_reaches_the_members_and_nobody_else() {
    let mut world = World::new(1, 50);
    let (owner, member, stranger) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    let record = world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    assert_eq!(world.peer(owner).phase_with(member), Some(SyncPhase::InSync));
    assert_eq!(world.peer(member).shows(&space).len(), 1);
    world.check_agreement(owner, &space).unwrap();
    assert!(world.peer(stranger).shows(&space).is_empty());
    assert!(world.peer(stranger).replica.summaries().next().is_none());
    world
        .write(member, space, WriteTarget::Existing(record), json!({"maturity": "adottata"}))
        .unwrap();
    world.run_until_quiet();
    world.check_agreement(owner, &space).unwrap();
    assert!(world.peer(owner).shows(&space).values().any(|view| view.contains("adottata")));
    world.check_no_plaintext(TITLE);
}

#[test]
fn offline_edits_of_one_field_show_as_a_conflict_on_both_sides_until_resolved() {
    let mut world = World::new(2, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    let record = world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    world.cut(owner, member);
    let target = WriteTarget::Existing(record);
    world.write(owner, space, target, json!({"title": "Prima versione della scheda"})).unwrap();
    world.write(member, space, target, json!({"title": "Seconda versione della scheda"})).unwrap();
    world.write(member, space, target, json!({"area": "lavoro"})).unwrap();
    world.connect(owner, member);
    world.run_until_quiet();
    world.check_agreement(owner, &space).unwrap();
    let view = world.peer(member).shows(&space).into_values().next().unwrap();
    assert!(view.contains("Prima versione") && view.contains("Seconda versione"), "{view}");
    world.write(member, space, target, json!({"title": "Seconda versione della scheda"})).unwrap();
    world.run_until_quiet();
    world.check_agreement(owner, &space).unwrap();
    let view = world.peer(owner).shows(&space).into_values().next().unwrap();
    assert!(!view.contains("Prima versione"), "{view}");
}

#[test]
fn threat_18_a_removed_member_gets_nothing_that_is_written_afterwards() {
    let mut world = World::new(3, 50);
    let (owner, member, removed) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    for one in [member, removed] {
        world.grant(owner, space, one, Role::Contributor, History::Start).unwrap();
    }
    world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    world.revoke(owner, space, removed).unwrap();
    // Whoever does not know of the removal yet still shares what it writes.
    world.run_until_quiet();
    world.new_practice(member, space, "Scritta dopo la revoca dell'ente");
    world.new_practice(owner, space, "Scritta dopo dal titolare");
    world.run_until_quiet();
    world.check_agreement(owner, &space).unwrap();
    assert_eq!(world.peer(owner).shows(&space).len(), 3);
    assert_eq!(world.peer(removed).shows(&space).len(), 1);
    let role = world.peer(removed).replica.own_role(&space);
    assert_eq!(role, None, "it learns of its own removal");
    assert_eq!(world.peer(owner).closed, vec![]);
    assert_eq!(world.peer(removed).closed, vec![]);
    assert_eq!(world.peer(owner).phase_with(removed), Some(SyncPhase::InSync));
}

#[test]
fn threat_17_late_edits_of_a_removed_member_are_kept_for_the_owner_and_do_not_count() {
    let mut world = World::new(5, 50);
    let (owner, removed) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, removed, Role::Contributor, History::Start).unwrap();
    let record = world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    world.cut(owner, removed);
    let title = json!({"title": "Scritto senza sapere della revoca"});
    world.write(removed, space, WriteTarget::Existing(record), title).unwrap();
    world.revoke(owner, space, removed).unwrap();
    world.connect(owner, removed);
    world.run_until_quiet();
    let shown = world.peer(owner).shows(&space).into_values().next().unwrap();
    assert!(shown.contains(TITLE) && !shown.contains("senza sapere"), "{shown}");
    let peer = world.peer(owner);
    let quarantined = peer.replica.quarantine(&peer.disk).unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].organisation, Some(world.organisation(removed)));
    assert_eq!(quarantined[0].reason, QuarantineReason::Late);
}

#[test]
fn two_members_that_never_meet_the_owner_together_still_sync_through_a_common_partner() {
    let mut world = World::new(4, 50);
    let (owner, first, second) = (world.add(), world.add(), world.add());
    world.befriend(owner, first);
    world.befriend(first, second);
    world.befriend(owner, second);
    let space = world.create_space(owner);
    world.grant(owner, space, first, Role::Contributor, History::Start).unwrap();
    world.grant(owner, space, second, Role::Contributor, History::Start).unwrap();
    world.new_practice(owner, space, TITLE);
    world.connect(owner, second);
    world.run_until_quiet();
    world.cut(owner, second);
    world.connect(first, second);
    world.run_until_quiet();
    assert_eq!(world.peer(first).shows(&space).len(), 0, "its key is still with the owner");
    world.cut(first, second);
    world.connect(owner, first);
    world.run_until_quiet();
    world.check_agreement(owner, &space).unwrap();
}

/// What grew in a space that the partner does not share left the answering side "exchanging" for
/// ever: it had nothing to say, so the other side never compared again.
#[test]
fn what_does_not_concern_a_partner_leaves_it_in_sync() {
    let mut world = World::new(6, 50);
    let (owner, member, other) = (world.add(), world.add(), world.add());
    for partner in [member, other] {
        world.befriend(owner, partner);
        world.connect(partner, owner);
    }
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    world.new_practice(member, space, "Scritta dall'altra parte");
    world.run_until_quiet();
    for (one, another) in [(owner, other), (other, owner), (owner, member), (member, owner)] {
        assert_eq!(world.peer(one).phase_with(another), Some(SyncPhase::InSync));
    }
}

#[test]
fn threat_28_clocks_that_are_years_wrong_and_jump_change_nothing() {
    let mut world = World::new(8, 50);
    let (owner, member, other) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    for one in [member, other] {
        world.grant(owner, space, one, Role::Contributor, History::Start).unwrap();
    }
    let record = world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    let target = WriteTarget::Existing(record);
    for round in 0..6 {
        for peer in [owner, member, other] {
            world.set_clock_wrong(peer);
        }
        let writer = [owner, member, other][round % 3];
        let title = json!({"title": format!("Versione {round} della scheda")});
        world.write(writer, space, target, title).unwrap();
        world.run_until_quiet();
        world.check_agreement(owner, &space).unwrap();
        let view = world.peer(other).shows(&space).into_values().next().unwrap();
        assert!(view.contains(&format!("Versione {round}")), "{view}");
    }
    world.rest();
    world.check_rest(&[space]);
}

#[test]
fn what_a_reader_writes_anyway_is_set_aside_everywhere() {
    let mut world = World::new(7, 50);
    let (owner, member, reader) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.grant(owner, space, reader, Role::Reader, History::Start).unwrap();
    world.run_until_quiet();
    world.write_anyway(reader, member, space);
    world.rest();
    world.check_rest(&[space]);
    for peer in [owner, member] {
        assert!(world.peer(peer).shows(&space).is_empty());
        let quarantined = world.peer(peer).replica.quarantine(&world.peer(peer).disk).unwrap();
        let reasons: Vec<_> = quarantined.iter().map(|one| one.reason).collect();
        assert_eq!(reasons, [QuarantineReason::Unauthorised]);
    }
}
