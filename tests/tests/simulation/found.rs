//! What random histories found, each told as the short story that remains of it.

use serde_json::json;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::replica::{ReplicaError, WriteTarget};
use sincronia_protocol::sync::SyncPhase;
use sincronia_tests::world::World;
use std::collections::BTreeSet;

const TITLE: &str = "Scheda unica di ammissione";

/// The side that opened the stream said its first comparison before the identity entries that the
/// other side needs to let it in, and was turned away as often as it called.
#[test]
fn an_organisation_with_news_of_itself_can_call_first() {
    let mut world = World::new(36, 50);
    let (caller, partner) = (world.add(), world.add());
    world.befriend(caller, partner);
    world.add_node(caller);
    world.connect(caller, partner);
    world.run_until_quiet();
    assert_eq!(world.peer(partner).closed, vec![]);
    assert_eq!(world.peer(partner).phase_with(caller), Some(SyncPhase::InSync));
    assert_eq!(world.peer(caller).phase_with(partner), Some(SyncPhase::InSync));
}

/// The owner's node died after it had kept a member's new identity entries and before it gave the
/// new node a key; nothing ever reminded it.
#[test]
fn a_new_node_gets_its_key_though_the_owner_died_in_between() {
    let mut world = World::new(352, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Reader, History::Start).unwrap();
    world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    world.die_after_next_commit(owner);
    let second = world.add_node(member);
    world.run_until_quiet();
    assert_eq!(world.peer(owner).phase_with(member), None, "it died");
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(second).shows(&space).len(), 1);
}

/// A revoked node stayed in the space, for the same reason.
#[test]
fn a_revoked_node_is_cut_though_the_owner_died_in_between() {
    let mut world = World::new(353, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    let second = world.add_node(member);
    world.rest();
    world.die_after_next_commit(owner);
    world.revoke_node(second);
    world.run_until_quiet();
    assert_eq!(world.peer(owner).phase_with(member), None, "it died");
    world.rest();
    let before = world.peer_mut(second).unreadable(&space);
    world.new_practice(owner, space, TITLE);
    world.rest();
    assert_eq!(world.peer_mut(second).unreadable(&space), before);
    assert!(world.peer(second).shows(&space).is_empty());
    world.check_rest(&[space]);
}

/// A member that had not heard of another's admission refused everything it brought, the access log
/// among it, which alone could have told; and the other sent everything again, without a pause.
#[test]
fn a_member_learns_of_another_from_that_other() {
    let mut world = World::new(31, 50);
    let (owner, first, second) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, first, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    world.isolate(first);
    world.grant(owner, space, second, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    world.new_practice(second, space, TITLE);
    world.isolate(owner);
    world.connect(second, first);
    world.run_until_quiet();
    assert_eq!(world.peer(first).phase_with(second), Some(SyncPhase::InSync));
    assert_eq!(world.peer(first).shows(&space).len(), 1);
}

/// Nobody can tell a member that a common partner was removed, except the owner and that partner,
/// who may not speak of the space: until the owner comes, the difference rests.
#[test]
fn what_a_removed_member_refuses_is_not_sent_again_and_again() {
    let mut world = World::new(32, 50);
    let (owner, member, removed) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    for one in [member, removed] {
        world.grant(owner, space, one, Role::Contributor, History::Start).unwrap();
    }
    world.run_until_quiet();
    world.isolate(member);
    world.revoke(owner, space, removed).unwrap();
    world.run_until_quiet();
    world.isolate(owner);
    world.new_practice(member, space, TITLE);
    let before = world.delivered.0;
    world.connect(member, removed);
    world.run_until_quiet();
    assert_eq!(world.peer(member).phase_with(removed), Some(SyncPhase::Outstanding));
    assert!(world.delivered.0 - before < 60, "{} frames", world.delivered.0 - before);
    assert!(world.peer(removed).shows(&space).is_empty());
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(member).phase_with(removed), Some(SyncPhase::InSync));
}

/// An entry beyond a cut was set aside when it came; when an entry that counts and builds on it
/// came later, only that one was looked at: it waited for ever, and the order of arrival decided.
#[test]
fn a_late_entry_counts_as_soon_as_one_that_counts_builds_on_it() {
    let mut world = World::new(2054, 50);
    let (owner, member, removed) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    for one in [member, removed] {
        world.grant(owner, space, one, Role::Contributor, History::Start).unwrap();
    }
    let record = WriteTarget::Existing(world.new_practice(owner, space, TITLE));
    world.run_until_quiet();
    world.isolate(owner);
    world.write(removed, space, record, json!({"title": "Cambiato da chi va via"})).unwrap();
    world.run_until_quiet();
    world.write(member, space, record, json!({"title": "Cambiato da chi resta"})).unwrap();
    world.isolate(member);
    world.revoke(owner, space, removed).unwrap();
    world.connect(owner, removed);
    world.run_until_quiet();
    assert_eq!(world.peer(owner).replica.quarantine(&world.peer(owner).disk).unwrap().len(), 1);
    world.connect(owner, member);
    world.run_until_quiet();
    assert_eq!(world.peer(owner).replica.quarantine(&world.peer(owner).disk).unwrap(), []);
    let shown = world.peer(owner).shows(&space).into_values().next().unwrap();
    assert!(shown.contains("da chi resta"), "{shown}");
    world.rest();
    world.check_rest(&[space]);
}

/// Only the identities of present members were compared: whoever came after a contributor had left,
/// and was no partner of it, could not judge its entries, and lacked them for ever.
#[test]
fn what_a_former_member_wrote_reaches_whoever_comes_later() {
    let mut world = World::new(5254, 50);
    let (owner, former, later) = (world.add(), world.add(), world.add());
    for one in [former, later] {
        world.befriend(owner, one);
        world.connect(owner, one);
    }
    let space = world.create_space(owner);
    world.grant(owner, space, former, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    world.new_practice(former, space, TITLE);
    world.run_until_quiet();
    world.revoke(owner, space, former).unwrap();
    world.run_until_quiet();
    world.grant(owner, space, later, Role::Reader, History::Start).unwrap();
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(later).shows(&space).len(), 1);
}

/// A keyring of a later rotation was taken for one that leads to every earlier key; where somebody
/// had been admitted "from now" in between it does not, and a machine in the place of a lost one
/// never got what came before, from nobody.
#[test]
fn a_new_machine_gets_the_keys_from_before_an_admission_from_now() {
    let mut world = World::new(40, 50);
    let (owner, member, other) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.new_practice(owner, space, TITLE);
    world.grant(owner, space, other, Role::Reader, History::Now).unwrap();
    world.run_until_quiet();
    world.isolate(member);
    let second = world.add_node(member);
    world.name_primary(second);
    world.revoke_node(member);
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(second).shows(&space).len(), 1);
}

/// Whom a replaced owner had admitted meanwhile, nobody told that this does not hold: it went on as
/// a member, writing for nobody, and was never in sync again.
#[test]
fn who_was_admitted_on_a_branch_that_does_not_hold_is_told() {
    let mut world = World::new(215, 50);
    let (owner, successor, guest) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, successor, Role::Contributor, History::Start).unwrap();
    world.offer(owner, space, successor).unwrap();
    world.run_until_quiet();
    world.cut(owner, successor);
    world.cut(successor, guest);
    world.take_over(successor, space).unwrap();
    world.grant(owner, space, guest, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    assert_eq!(world.peer(guest).replica.own_role(&space), Some(Role::Contributor));
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(guest).replica.own_role(&space), None, "it learns that it is none");
    world.grant(successor, space, guest, Role::Contributor, History::Start).unwrap();
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(guest).replica.own_role(&space), Some(Role::Contributor));
}

/// The proof of a fork travelled alone. Whoever knew neither branch, a machine that was added later
/// or a new member, took it for what follows, counted it, and never agreed with the others again.
#[test]
fn who_comes_after_a_fork_sees_both_branches() {
    let mut world = World::new(38, 50);
    let (owner, member, later) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    let common = world.new_practice(member, space, TITLE);
    world.run_until_quiet();
    world.isolate(member);
    let twin = world.clone_node(member);
    let first = world.new_practice(member, space, "Scritta da una copia");
    world.new_practice(twin, space, "Scritta dall'altra copia");
    for copy in [member, twin] {
        world.connect(copy, owner);
        world.run_until_quiet();
        world.isolate(copy);
    }
    assert_eq!(world.forked_at(owner), 1, "the owner has the proof");
    world.grant(owner, space, later, Role::Reader, History::Start).unwrap();
    world.run_until_quiet();
    assert_eq!(world.forked_at(later), 1);
    let shown: Vec<_> = world.peer(later).shows(&space).into_keys().collect();
    assert_eq!(shown, [common.to_string()], "what was written before the copy counts");
    // The organisation revokes the node, and the cut names the version that the owner took.
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.forked_at(later), 0);
    let shown: BTreeSet<_> = world.peer(later).shows(&space).into_keys().collect();
    assert_eq!(shown, [common, first].map(|one| one.to_string()).into());
}

/// A node that found its own log forked went on writing what nobody would ever take.
#[test]
fn a_node_that_finds_its_own_log_forked_stops() {
    let mut world = World::new(39, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    let record = world.new_practice(member, space, TITLE);
    world.run_until_quiet();
    world.isolate(member);
    let twin = world.clone_node(member);
    world.new_practice(member, space, "Scritta da una copia");
    world.new_practice(twin, space, "Scritta dall'altra copia");
    world.connect(twin, owner);
    world.run_until_quiet();
    world.connect(member, owner);
    world.run_until_quiet();
    let target = WriteTarget::Existing(record);
    let refused = world.write(member, space, target, json!({"title": "Scritta per nessuno"}));
    assert_eq!(refused, Err(ReplicaError::Cloned));
    world.crash(member);
    let refused = world.write(member, space, target, json!({"title": "Scritta per nessuno"}));
    assert_eq!(refused, Err(ReplicaError::Cloned), "also after it started again");
}

/// The machine that was told of a partner waited for a comparison, and the one that told it did not
/// know that it should compare: one showed "in sync", the other "exchanging", for ever.
#[test]
fn machines_that_tell_each_other_of_partners_are_in_sync_again() {
    let mut world = World::new(454, 50);
    let (first, other) = (world.add(), world.add());
    world.befriend_all();
    let second = world.add_node(first);
    world.rest();
    assert_eq!(world.peer(second).phase_with(first), Some(SyncPhase::InSync));
    world.block(first, other);
    world.run_until_quiet();
    assert_eq!(world.peer(first).phase_with(second), Some(SyncPhase::InSync));
    assert_eq!(world.peer(second).phase_with(first), Some(SyncPhase::InSync));
}

/// Whoever wrote after some quiet minutes found its partner guilty of not having answered: the
/// session ended, and what was written waited for the next.
#[test]
fn a_session_that_was_quiet_lives_on_when_something_is_written() {
    let mut world = World::new(7, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    world.run_for(3_600_000);
    for peer in [owner, member] {
        world.new_practice(peer, space, TITLE);
        world.run_until_quiet();
        world.run_for(3_600_000);
    }
    for (peer, other) in [(owner, member), (member, owner)] {
        assert_eq!(world.peer(peer).phase_with(other), Some(SyncPhase::InSync));
        assert_eq!(world.peer(peer).closed, []);
    }
}

/// What was written while two nodes were just looking for differences that had mended themselves
/// waited a minute for the next comparison.
#[test]
fn on_a_sound_line_nothing_that_is_written_waits() {
    for seed in 0..60 {
        let mut world = World::new(seed, 400);
        let (owner, member) = (world.add(), world.add());
        world.befriend_all();
        let space = world.create_space(owner);
        world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
        world.run_until_quiet();
        for round in 0..8 {
            world.new_practice([owner, member][round % 2], space, TITLE);
            // Around the second after which two nodes compare again.
            world.run_for(500 + (seed * 37 + round as u64 * 211) % 900);
        }
        world.run_for(20_000);
        let (left, right) = (world.peer(owner).shows(&space), world.peer(member).shows(&space));
        assert_eq!((left.len(), right.len()), (8, 8), "seed {seed}");
    }
}

/// A new owner, admitted "from now", admitted somebody from the start before it had the keys of the
/// past itself. When it had them, its own keyring was taken for one that brings them.
#[test]
fn whom_a_new_owner_admits_before_it_has_the_keys_of_the_past_gets_them_too() {
    let mut world = World::new(39, 50);
    let (founder, owner, reader) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(founder);
    world.new_practice(founder, space, TITLE);
    world.grant(founder, space, owner, Role::Contributor, History::Now).unwrap();
    world.offer(founder, space, owner).unwrap();
    world.run_until_quiet();
    assert!(world.peer(owner).shows(&space).is_empty());
    world.cut(founder, owner);
    world.take_over(owner, space).unwrap();
    world.grant(owner, space, reader, Role::Reader, History::Start).unwrap();
    world.run_until_quiet();
    world.connect(founder, owner);
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(owner).shows(&space).len(), 1, "who answers for it can read it");
    assert_eq!(world.peer(reader).shows(&space).len(), 1);
}

/// A machine was started from an old copy of its disk and had forgotten the one that was to take
/// its place; nobody else had heard of that one, and every door stayed closed to it.
#[test]
fn a_machine_that_nobody_remembers_returns_by_itself() {
    let mut world = World::new(2903, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Reader, History::Start).unwrap();
    world.new_practice(owner, space, TITLE);
    world.run_until_quiet();
    world.isolate(member);
    world.back_up(member);
    let second = world.add_node(member);
    world.restore(member);
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(second).shows(&space).len(), 1);
}

/// Two organisations that only exchange bundles named other primaries at the same time: each sealed
/// its bundles to the machine of the other that it knew, and nobody opened them there.
#[test]
fn a_bundle_for_an_older_machine_reaches_the_primary() {
    let mut world = World::new(11096, 50);
    let (owner, member) = (world.add(), world.add());
    world.befriend_all();
    world.take_line_away(0);
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.rest();
    // Not on terms with the owner, the member does not hear of its new machine.
    world.block(member, owner);
    for peer in [owner, member] {
        let second = world.add_node(peer);
        world.name_primary(second);
    }
    world.new_practice(member, space, TITLE);
    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(owner).shows(&space).len(), 1);
}

/// Whoever an owner admitted while another took the space over was told so by entries that it could
/// not judge without the new owner's identity log, which nothing brought; it refused them, and went
/// on as the member that it was not.
#[test]
fn whoever_a_new_owner_did_not_admit_learns_it_from_the_old_one() {
    let mut world = World::new(408, 50);
    let (old, new, late) = (world.add(), world.add(), world.add());
    for other in [new, late] {
        world.befriend(old, other);
        world.connect(old, other);
    }
    let second = world.add_node(new);
    let space = world.create_space(old);
    world.grant(old, space, new, Role::Contributor, History::Start).unwrap();
    world.offer(old, space, new).unwrap();
    world.rest();
    // Another machine takes the space over, and the old owner does not hear of it yet.
    world.cut(old, new);
    world.cut(old, second);
    world.name_primary(second);
    world.take_over(second, space).unwrap();
    world.grant(old, space, late, Role::Reader, History::Start).unwrap();
    world.run_until_quiet();
    world.isolate(late);
    world.add_node(new);
    world.connect(old, second);
    world.run_until_quiet();
    assert_eq!(world.peer(late).replica.own_role(&space), Some(Role::Reader));

    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(late).replica.own_role(&space), None);
    assert_eq!(world.peer(late).phase_with(old), Some(SyncPhase::InSync));
    let organisation = world.organisation(new);
    let [known, told] = [new, late].map(|peer| {
        world.peer(peer).replica.identity(&organisation).expect("it judges by it").length()
    });
    assert!(told < known, "what it takes to judge the entries, and no later machine");
}
