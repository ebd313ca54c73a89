//! What histories and attackers found about removals, owners that are replaced, and branches that
//! do not hold: who has to learn of what, and from whom.

use sincronia_protocol::access::{History, Role};
use sincronia_protocol::sync::SyncPhase;
use sincronia_tests::world::World;

const TITLE: &str = "Scheda unica di ammissione";

/// An owner removed the organisation that it had offered the space to, while that one took it and
/// removed the owner. Both believed that they owned it alone, so neither ever compared it with the
/// other; and when the machine that had seen both is lost, nobody told them.
#[test]
fn an_owner_that_was_replaced_while_it_removed_its_successor_learns_it() {
    let mut world = World::new(4717, 50);
    let (old, new) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(old);
    world.grant(old, space, new, Role::Contributor, History::Start).unwrap();
    world.offer(old, space, new).unwrap();
    world.run_until_quiet();
    world.cut(old, new);
    world.take_over(new, space).unwrap();
    world.revoke(new, space, old).unwrap();
    world.revoke(old, space, new).unwrap();
    world.new_practice(old, space, TITLE);
    let [former, owner] = [old, new].map(|peer| world.organisation(peer));
    let own_role = |world: &World, peer| world.peer(peer).replica.own_role(&space);
    assert_eq!(own_role(&world, old), Some(Role::Contributor), "it knows nothing yet");

    world.rest();
    world.check_rest(&[space]);
    assert_eq!(own_role(&world, old), None);
    let summary = world.peer(old).replica.summary(&space).expect("it has the space");
    assert_eq!((summary.owner, summary.former.contains(&former)), (owner, true));
    assert_eq!(world.peer(old).phase_with(new), Some(SyncPhase::InSync));
}

/// A machine that was primary no more admitted two organisations and removed them again; one had
/// been a member before. Both kept to the removal that they knew, and the machine in its place to
/// one that it knew, or to none.
#[test]
fn who_was_removed_on_a_branch_that_does_not_hold_is_told_what_does() {
    let mut world = World::new(2827, 50);
    let (owner, again, late) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let second = world.add_node(owner);
    let space = world.create_space(owner);
    world.grant(owner, space, again, Role::Reader, History::Start).unwrap();
    world.rest();
    world.revoke(owner, space, again).unwrap();
    world.rest();
    for peer in [owner, again, late] {
        world.cut(second, peer);
    }
    world.name_primary(second);
    for removed in [again, late] {
        world.grant(owner, space, removed, Role::Reader, History::Start).unwrap();
        world.run_until_quiet();
        world.revoke(owner, space, removed).unwrap();
    }
    world.rotate(second, space).unwrap();
    world.run_until_quiet();

    world.rest();
    world.check_rest(&[space]);
    for removed in [again, late] {
        assert_eq!(world.peer(removed).replica.own_role(&space), None);
        assert_eq!(world.peer(removed).phase_with(second), Some(SyncPhase::InSync));
    }
}

/// A machine that was primary meanwhile told a guest that its branch holds, on which the guest
/// never was; then the one before became primary again on its own branch, on which the guest had
/// been removed. The guest was told no more than its removal, which is of a lesser term than what
/// it took for the branch that holds (seed 30439).
#[test]
fn who_was_told_of_a_branch_that_does_not_hold_any_more_is_told_why() {
    let mut world = World::new(30_439, 50);
    let (owner, guest) = (world.add(), world.add());
    world.befriend_all();
    let second = world.add_node(owner);
    let space = world.create_space(owner);
    world.rest();
    world.cut(second, owner);
    world.cut(second, guest);
    world.grant(owner, space, guest, Role::Reader, History::Start).unwrap();
    world.run_until_quiet();
    world.name_primary(second);
    world.rotate(second, space).unwrap();
    world.cut(owner, guest);
    world.revoke(owner, space, guest).unwrap();
    for _ in 0..2 {
        // What the guest hands in is told to it as overruled with the next comparison.
        world.cut(second, guest);
        world.connect_again(second, guest);
        world.run_until_quiet();
    }
    assert_eq!(world.peer(guest).phase_with(second), Some(SyncPhase::InSync));
    world.name_primary(owner);
    for _ in 0..2 {
        world.rotate(owner, space).unwrap();
    }

    world.rest();
    world.check_rest(&[space]);
    let access = |peer| world.peer(peer).replica.summary(&space).expect("it has the space").access;
    assert!(access(owner).length > access(guest).length, "no more than it takes");
    assert_eq!(world.peer(guest).replica.own_role(&space), None);
    assert_eq!(world.peer(guest).phase_with(owner), Some(SyncPhase::InSync));
}

/// A keyring was known only to the machine that had made it, which was lost; its carrier went on
/// asking for it though a later one had taken its place, and never looked in sync again.
#[test]
fn a_carrier_does_not_wait_for_a_keyring_that_nobody_needs_any_more() {
    let mut world = World::new(9, 50);
    let (owner, member, carrier) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let second = world.add_node(owner);
    let away = world.add_node(member);
    let space = world.create_space(owner);
    world.grant(owner, space, member, Role::Contributor, History::Start).unwrap();
    world.grant(owner, space, carrier, Role::Carrier, History::Start).unwrap();
    world.rest();
    // A key is sealed to a machine that is away, by one that the carrier does not meet again.
    world.isolate(away);
    world.cut(owner, carrier);
    world.rotate(owner, space).unwrap();
    world.run_until_quiet();
    world.isolate(owner);
    world.name_primary(second);
    world.revoke_node(owner);
    world.rest();
    world.check_rest(&[space]);
    for other in [second, member] {
        assert_eq!(world.peer(carrier).phase_with(other), Some(SyncPhase::InSync));
    }
}

/// An owner that had been replaced and removed erased a record, and learned of its removal before
/// it had told anybody: the erasure stayed with it, and the new owner went on showing the record.
#[test]
fn what_a_removed_owner_erased_is_erased_though_it_hears_of_its_removal_first() {
    let mut world = World::new(7806, 50);
    let (old, new) = (world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(old);
    world.grant(old, space, new, Role::Contributor, History::Start).unwrap();
    world.run_until_quiet();
    let record = world.new_practice(new, space, TITLE);
    world.offer(old, space, new).unwrap();
    world.run_until_quiet();
    world.cut(old, new);
    world.erase(old, space, record).unwrap();
    world.take_over(new, space).unwrap();
    for _ in 0..3 {
        world.rotate(new, space).unwrap();
    }
    world.revoke(new, space, old).unwrap();

    world.rest();
    world.check_rest(&[space]);
    assert!(world.peer(new).shows(&space).is_empty());
    assert_eq!(world.peer(old).replica.own_role(&space), None);
    assert_eq!(world.peer(new).phase_with(old), Some(SyncPhase::InSync));
}

/// An owner offered a space to one organisation and then to another, and both took it. By their
/// terms neither came before the other; whoever does not hold it was never told what does.
#[test]
fn of_two_that_take_a_space_over_the_one_that_does_not_hold_it_learns_so() {
    for seed in 0..6 {
        let mut world = World::new(seed, 50);
        let (old, one, other) = (world.add(), world.add(), world.add());
        world.befriend(old, one);
        world.befriend(old, other);
        world.connect(old, one);
        world.connect(old, other);
        let space = world.create_space(old);
        for member in [one, other] {
            world.grant(old, space, member, Role::Contributor, History::Start).unwrap();
        }
        world.offer(old, space, one).unwrap();
        world.run_until_quiet();
        world.isolate(one);
        world.take_over(one, space).unwrap();
        world.revoke(old, space, one).unwrap();
        world.offer(old, space, other).unwrap();
        world.run_until_quiet();
        world.take_over(other, space).unwrap();

        world.rest();
        world.check_rest(&[space]);
        let owners: Vec<_> = [old, one, other]
            .map(|peer| world.peer(peer).replica.summary(&space).expect("it has the space").owner)
            .to_vec();
        assert!(owners.iter().all(|owner| *owner == owners[0]), "seed {seed}: {owners:?}");
        assert_eq!(world.peer(old).phase_with(one), Some(SyncPhase::InSync));
    }
}

/// An owner was replaced and removed while it wrote, and admitted again by the next one, which
/// removed the one in between: what the first had written then was compared by two who were not
/// told of it.
#[test]
fn what_a_removed_owner_wrote_is_told_to_whoever_removed_it() {
    let mut world = World::new(8, 50);
    let (old, new, third) = (world.add(), world.add(), world.add());
    world.befriend_all();
    let space = world.create_space(old);
    for member in [new, third] {
        world.grant(old, space, member, Role::Contributor, History::Start).unwrap();
    }
    world.offer(old, space, new).unwrap();
    world.run_until_quiet();
    world.isolate(old);
    world.rotate(old, space).unwrap();
    world.take_over(new, space).unwrap();
    world.revoke(new, space, old).unwrap();
    world.offer(new, space, third).unwrap();
    world.run_until_quiet();
    world.isolate(new);
    world.take_over(third, space).unwrap();
    world.grant(third, space, old, Role::Contributor, History::Start).unwrap();
    world.revoke(third, space, new).unwrap();

    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(old).replica.own_role(&space), Some(Role::Contributor));
    assert_eq!(world.peer(old).phase_with(new), Some(SyncPhase::InSync));
}

/// Whoever was removed by a partner, and then admitted and removed again by somebody it does not
/// know, while it was away, refused what the partner told it of that.
#[test]
fn a_removal_is_believed_though_the_owner_of_then_is_no_partner() {
    let mut world = World::new(12, 50);
    let (founder, partner, stranger, away) = (world.add(), world.add(), world.add(), world.add());
    for (one, other) in [(founder, partner), (founder, stranger), (partner, stranger)] {
        world.befriend(one, other);
        world.connect(one, other);
    }
    world.befriend(partner, away);
    world.connect(partner, away);
    let space = world.create_space(founder);
    for member in [partner, stranger] {
        world.grant(founder, space, member, Role::Contributor, History::Start).unwrap();
    }
    world.offer(founder, space, partner).unwrap();
    world.run_until_quiet();
    world.take_over(partner, space).unwrap();
    world.isolate(away);
    world.grant(partner, space, away, Role::Reader, History::Start).unwrap();
    world.revoke(partner, space, away).unwrap();
    world.offer(partner, space, stranger).unwrap();
    world.run_until_quiet();
    world.take_over(stranger, space).unwrap();
    world.grant(stranger, space, away, Role::Reader, History::Start).unwrap();
    world.revoke(stranger, space, away).unwrap();

    world.rest();
    world.check_rest(&[space]);
    assert_eq!(world.peer(away).phase_with(partner), Some(SyncPhase::InSync));
}
