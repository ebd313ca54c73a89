//! Access logs whose entries do not all follow one another: a primary that was replaced, a primary
//! that runs twice, a space that changes its owner.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use proptest::prelude::*;
use sincronia_protocol::access::{AccessError, AccessOperation, History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::sync::SyncPhase;
use std::collections::BTreeSet;

/// Two nodes exchange everything.
fn meet(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed[..]), ([SyncPhase::InSync; 2], &[][..]));
}

/// Everybody of the circle meets, and the second machine of the owner, until all know everything.
pub fn meet_all(circle: &mut Circle, second: &mut Node) {
    for _ in 0..2 {
        meet(&mut circle.owner, &mut circle.member);
        meet(&mut circle.owner, &mut circle.colleague);
        meet(second, &mut circle.member);
        meet(second, &mut circle.colleague);
        second.give(&mut circle.owner, &circle.space);
    }
}

/// A machine beside the owner's first one, with everything that this one has.
pub fn second_machine(circle: &mut Circle) -> Node {
    let credentials = circle.organisations[0].add_node(11);
    let id = circle.organisations[0].id();
    learn_everywhere(circle);
    circle.owner.act(|replica, disk, random| replica.maintain(disk, &id, random)).unwrap();
    let known: Vec<&Organisation> = circle.organisations.iter().collect();
    let mut second = Node::start(&credentials, &known);
    let space = circle.space;
    circle.owner.give(&mut second, &space);
    second
}

fn learn_everywhere(circle: &mut Circle) {
    let Circle { organisations, owner, member, colleague, outsider, .. } = circle;
    for node in [owner, member, colleague, outsider] {
        node.learn(&organisations[0]);
    }
}

pub fn name_primary(circle: &mut Circle, second: &mut Node) {
    circle.organisations[0].say(IdentityOperation::SetPrimary { node: second.id() });
    learn_everywhere(circle);
    second.learn(&circle.organisations[0]);
}

#[test]
fn what_a_replaced_primary_wrote_does_not_hold_and_nobodys_edit_is_lost() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    circle.owner.give(&mut circle.member, &space);
    circle.owner.give(&mut circle.colleague, &space);
    // The first machine, lost since, removes the member; only the colleague hears of it.
    circle.remove_member();
    circle.owner.give(&mut circle.colleague, &space);
    let under_it = circle.colleague.note(&space, "dopo la rimozione");
    let members = circle.member.note(&space, "chi non lo sapeva");
    // The second is named primary and gives the space a new key, not knowing that.
    name_primary(&mut circle, &mut second);
    second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();

    meet_all(&mut circle, &mut second);
    let shown = second.shows(&space);
    for node in [&circle.member, &circle.colleague, &circle.owner] {
        assert_eq!((node.shows(&space), node.digests()), (shown.clone(), second.digests()));
    }
    assert_eq!(second.title(&space, &under_it).as_deref(), Some("dopo la rimozione"));
    assert_eq!(second.title(&space, &members).as_deref(), Some("chi non lo sapeva"));
    let member = circle.member.organisation();
    assert_eq!(second.replica.summary(&space).unwrap().role(&member), Some(Role::Contributor));
    let aside = second.replica.set_aside(&second.disk, &space).unwrap();
    let [removal] = aside.as_slice() else { panic!("one entry set aside: {aside:?}") };
    assert!(!removal.contradicts);
    let removed = |operation: &AccessOperation| match operation {
        AccessOperation::Revoke { organisation, .. } => Some(*organisation),
        _ => None,
    };
    assert_eq!(removed(&removal.operation), Some(member));
    // All of it is on disk.
    for node in [&mut circle.member, &mut circle.colleague, &mut second] {
        let before = (node.shows(&space), node.digests());
        node.restart();
        assert_eq!((node.shows(&space), node.digests()), before);
        assert_eq!(node.replica.set_aside(&node.disk, &space).unwrap(), aside);
    }
}

/// What a primary that was replaced had done was listed for ever, as something to be done again,
/// although the one of now had done it.
#[test]
fn what_the_primary_of_now_did_again_is_no_more_to_be_done() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    circle.remove_member();
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    name_primary(&mut circle, &mut second);
    let outsider = circle.outsider.organisation();
    second.grant(&space, outsider, Role::Reader, History::Start).unwrap();
    meet_all(&mut circle, &mut second);
    let left = |second: &mut Node| {
        let aside = second.replica.space_view(&second.disk, &space).unwrap().aside;
        aside.into_iter().map(|one| one.operation).collect::<Vec<_>>()
    };
    let before = left(&mut second);
    let [AccessOperation::Revoke { .. }, AccessOperation::Rotate { .. }] = before.as_slice() else {
        panic!("the removal and the new key are to be done: {before:?}")
    };
    let member = circle.member.organisation();
    second.act(|replica, disk, random| replica.revoke(disk, &space, member, random)).unwrap();
    assert_eq!(left(&mut second), [], "a removal brings a new key, too");
    assert_eq!(second.replica.set_aside(&second.disk, &space).unwrap().len(), 2, "all is kept");
}

/// Whoever was admitted from the start, or took the space over, beside what a replaced primary
/// wrote, never got the keys of that: the others showed what it did not, and all were in sync.
#[test]
fn who_comes_later_reads_what_counts_of_a_branch_that_does_not_hold() {
    for (history, takes) in [(History::Start, false), (History::Start, true), (History::Now, true)]
    {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut second = second_machine(&mut circle);
        circle.owner.give(&mut circle.colleague, &space);
        circle.owner.try_rotate(&space).unwrap();
        circle.owner.give(&mut circle.colleague, &space);
        let under_it = circle.colleague.note(&space, "sotto la chiave di prima");
        name_primary(&mut circle, &mut second);
        let outsider = circle.outsider.organisation();
        second.grant(&space, outsider, Role::Contributor, history).unwrap();
        second.give(&mut circle.outsider, &space);
        if takes {
            second.act(|replica, disk, _| replica.offer(disk, &space, outsider)).unwrap();
            second.give(&mut circle.outsider, &space);
            circle.outsider.act(|replica, disk, _| replica.take_over(disk, &space)).unwrap();
        }
        for _ in 0..2 {
            meet(&mut circle.colleague, &mut second);
            meet(&mut circle.outsider, &mut circle.colleague);
            meet(&mut circle.outsider, &mut second);
        }
        let shown = circle.colleague.shows(&space);
        assert_eq!((circle.outsider.shows(&space), second.shows(&space)), (shown.clone(), shown));
        let title = circle.outsider.title(&space, &under_it);
        assert_eq!(title.as_deref(), Some("sotto la chiave di prima"));
    }
}

/// Who was admitted from now on, and later, is given nothing of it.
#[test]
fn who_reads_from_now_on_reads_nothing_of_a_branch_that_parted_before() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    circle.owner.try_rotate(&space).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    let under_it = circle.colleague.note(&space, "sotto la chiave di prima");
    name_primary(&mut circle, &mut second);
    let outsider = circle.outsider.organisation();
    second.grant(&space, outsider, Role::Contributor, History::Now).unwrap();
    second.give(&mut circle.outsider, &space);
    for _ in 0..2 {
        meet(&mut circle.colleague, &mut second);
        talk(&mut circle.outsider, &mut second);
    }
    assert!(second.title(&space, &under_it).is_some());
    assert_eq!(circle.outsider.title(&space, &under_it), None);
}

/// A key of a branch that does not hold keeps nobody apart, since whoever made it may have told
/// nobody. Who came to have everything else from others was never given it, for no two that are in
/// sync ask each other for anything, and showed less than they for ever.
#[test]
fn a_key_of_an_abandoned_branch_is_given_also_between_two_that_are_in_sync() {
    for restarts in [false, true] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut second = second_machine(&mut circle);
        meet(&mut circle.owner, &mut circle.member);
        meet(&mut circle.owner, &mut circle.colleague);
        // The first machine has not heard that it was replaced; the colleague hears of what it did.
        circle.owner.try_rotate(&space).unwrap();
        let record = circle.owner.note(&space, "sotto la vecchia chiave");
        meet(&mut circle.owner, &mut circle.colleague);
        name_primary(&mut circle, &mut second);
        second.try_rotate(&space).unwrap();
        meet(&mut second, &mut circle.member);
        meet(&mut second, &mut circle.colleague);
        meet(&mut second, &mut circle.owner);
        meet(&mut circle.member, &mut circle.colleague);
        assert_eq!(circle.member.digests(), circle.owner.digests());
        assert_eq!(circle.member.title(&space, &record), None);
        if restarts {
            circle.member.restart();
        }
        meet(&mut circle.owner, &mut circle.member);
        assert_eq!(circle.member.shows(&space), circle.owner.shows(&space));
        assert!(circle.member.title(&space, &record).is_some());
    }
}

#[test]
fn a_replaced_primary_can_no_longer_extend_what_holds() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    name_primary(&mut circle, &mut second);
    let outsider = circle.outsider.organisation();
    let refused = circle.owner.grant(&space, outsider, Role::Reader, History::Start);
    assert_eq!(refused, Err(ReplicaError::NotPrimary(Some(second.id()))));
}

/// A copy of the owner's node: the same keys, the same disk.
pub fn copy_of(node: &Node, circle: &Circle) -> Node {
    let known: Vec<&Organisation> = circle.organisations.iter().collect();
    let mut twin = Node::start(&node.credentials, &known);
    twin.disk = node.disk.clone();
    twin.restart();
    twin
}

#[test]
fn threat_24_of_two_branches_both_removals_hold_and_only_common_grants_until_it_is_healed() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    circle.owner.give(&mut circle.member, &space);
    circle.owner.give(&mut circle.colleague, &space);
    let mut twin = copy_of(&circle.owner, &circle);
    let [member, colleague, outsider] =
        [&circle.member, &circle.colleague, &circle.outsider].map(Node::organisation);
    // One copy removes the member, the other admits an outsider; each tells one partner.
    circle.owner.revoke(&space, member).unwrap();
    twin.grant(&space, outsider, Role::Reader, History::Start).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    twin.give(&mut second, &space);
    let of_colleague = circle.colleague.note(&space, "del collega");

    // Keys that the first copy made for the second machine are nowhere else.
    talk(&mut circle.colleague, &mut second);
    let role =
        |node: &Node, organisation| node.replica.summary(&space).unwrap().role(&organisation);
    for node in [&circle.colleague, &second] {
        assert_eq!(role(node, member), None, "removed by one is removed");
        assert_eq!(role(node, outsider), None, "admitted by one is not admitted");
        assert_eq!(role(node, colleague), Some(Role::Contributor));
    }
    let aside = second.replica.set_aside(&second.disk, &space).unwrap();
    assert!(!aside.is_empty() && aside.iter().all(|one| one.contradicts), "{aside:?}");

    // The owner's own machines find out and stop; the root key names another primary.
    talk(&mut circle.colleague, &mut twin);
    assert!(twin.replica.is_cloned());
    let refused = twin.act(|replica, disk, random| replica.rotate(disk, &space, random));
    assert_eq!(refused, Err(ReplicaError::Cloned));
    name_primary(&mut circle, &mut second);
    circle.owner.give(&mut second, &space);
    second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    meet(&mut circle.colleague, &mut second);
    assert_eq!(circle.colleague.digests(), second.digests());
    let aside = second.replica.set_aside(&second.disk, &space).unwrap();
    assert!(aside.iter().all(|one| !one.contradicts), "healed: {aside:?}");
    for node in [&circle.colleague, &second] {
        assert_eq!(node.title(&space, &of_colleague).as_deref(), Some("del collega"));
    }
    let held = [member, outsider].map(|organisation| role(&second, organisation));
    let expected = [[None, None], [Some(Role::Contributor), Some(Role::Reader)]];
    assert!(expected.contains(&held), "one of the branches holds, whole: {held:?}");
}

/// Whoever was admitted by one of two copies, or removed by one, went on as a member as long as
/// nobody told it what the other had said, and never came to terms with those who knew.
#[test]
fn whoever_only_one_of_two_branches_admits_is_told_so_and_nothing_more() {
    let mut lengths = BTreeSet::new();
    for role in [Role::Carrier, Role::Reader, Role::Contributor] {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut twin = copy_of(&circle.owner, &circle);
        let [member, outsider] = [&circle.member, &circle.outsider].map(Node::organisation);
        twin.grant(&space, outsider, role, History::Start).unwrap();
        for node in [&mut circle.outsider, &mut circle.member, &mut circle.colleague] {
            twin.give(node, &space);
        }
        circle.owner.revoke(&space, member).unwrap();
        circle.owner.try_rotate(&space).unwrap();
        circle.owner.give(&mut circle.colleague, &space);
        lengths.insert(circle.colleague.replica.summary(&space).unwrap().access.length);

        for node in [&mut circle.outsider, &mut circle.member] {
            assert!(node.replica.own_role(&space).is_some());
            let known = entries_known(node, &space);
            meet(node, &mut circle.colleague);
            assert_eq!(node.replica.own_role(&space), None);
            assert_eq!(entries_known(node, &space), known + 1, "the contradiction, no more");
        }
    }
    assert_eq!(lengths.len(), 2, "now the one branch holds, now the other");
}

/// Entries of an access log that are here, on all branches.
/// The copy that removed may be lost, and whoever it did not know of be the only one to tell the
/// owner's other machine, which heard the other copy, that the two contradict each other; it also
/// hands in what it wrote meanwhile.
#[test]
fn the_owner_learns_of_a_contradiction_from_whoever_only_one_of_two_branches_admits() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut second = second_machine(&mut circle);
    for node in [&mut circle.member, &mut circle.colleague] {
        circle.owner.give(node, &space);
    }
    let mut twin = copy_of(&circle.owner, &circle);
    let [member, outsider] = [&circle.member, &circle.outsider].map(Node::organisation);
    twin.grant(&space, outsider, Role::Contributor, History::Start).unwrap();
    twin.give(&mut second, &space);
    twin.give(&mut circle.outsider, &space);
    circle.outsider.note(&space, "di chi non lo sapeva");
    circle.owner.revoke(&space, member).unwrap();
    circle.owner.give(&mut circle.colleague, &space);
    meet(&mut circle.outsider, &mut circle.colleague);
    let role = |node: &Node| node.replica.summary(&space).unwrap().role(&outsider);
    assert_eq!((role(&circle.outsider), role(&second)), (None, Some(Role::Contributor)));
    talk(&mut circle.outsider, &mut second);
    assert_eq!(role(&second), None, "admitted by one is not admitted");
    let own = second.organisation();
    let known = second.replica.heads_for(&second.disk, &own, &space).unwrap().unwrap().authors;
    let wrote = circle.outsider.id();
    assert!(known.iter().any(|(author, _)| *author == wrote), "what it wrote is handed in");
    let aside = second.replica.set_aside(&second.disk, &space).unwrap();
    assert!(aside.iter().any(|one| one.contradicts), "{aside:?}");
}

fn entries_known(node: &mut Node, space: &SpaceId) -> u64 {
    let aside = node.replica.set_aside(&node.disk, space).unwrap();
    node.replica.summary(space).unwrap().access.length + aside.len() as u64
}

/// Two nodes talk for a while; what comes of it is for the caller to see.
fn talk(one: &mut Node, other: &mut Node) {
    Line::open(one, other).run_for(3);
}

#[test]
fn an_owner_hands_a_space_over_and_both_sides_sign() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "di prima");
    circle.settle();
    let [owner, member, colleague] =
        [&circle.owner, &circle.member, &circle.colleague].map(Node::organisation);
    let outsider = circle.outsider.organisation();
    let not_asked = circle.member.act(|replica, disk, _| replica.take_over(disk, &space));
    assert_eq!(not_asked, Err(ReplicaError::NotPermitted));
    let stranger = circle.owner.act(|replica, disk, _| replica.offer(disk, &space, outsider));
    assert_eq!(stranger, Err(AccessError::Operation.into()));

    circle.owner.act(|replica, disk, _| replica.offer(disk, &space, member)).unwrap();
    circle.settle();
    // Meanwhile the old owner admits an outsider: it hands over at the same time.
    circle.member.act(|replica, disk, _| replica.take_over(disk, &space)).unwrap();
    circle.owner.grant(&space, outsider, Role::Reader, History::Start).unwrap();
    meet(&mut circle.owner, &mut circle.colleague);
    meet(&mut circle.member, &mut circle.colleague);
    meet(&mut circle.owner, &mut circle.colleague);

    for node in [&circle.owner, &circle.member, &circle.colleague] {
        let summary = node.replica.summary(&space).unwrap();
        assert_eq!(summary.owner, member);
        assert_eq!(summary.role(&outsider), None, "what the old owner wrote does not hold");
        assert_eq!(node.digests(), circle.colleague.digests());
    }
    // The new owner does what owners do, the old one no more.
    let refused = circle.owner.revoke(&space, colleague);
    assert_eq!(refused, Err(ReplicaError::NotPermitted));
    circle.member.revoke(&space, owner).unwrap();
    let later = circle.member.note(&space, "di dopo");
    meet(&mut circle.member, &mut circle.colleague);
    assert_eq!(circle.colleague.title(&space, &record).as_deref(), Some("di prima"));
    assert_eq!(circle.colleague.title(&space, &later).as_deref(), Some("di dopo"));
    circle.colleague.give(&mut circle.owner, &space);
    assert_eq!(circle.owner.title(&space, &later), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever order the entries of a forked and then healed access log arrive in, every replica
    /// ends with the same branch, members, records and digest.
    #[test]
    fn branches_are_chosen_alike_in_any_order(order in Just((0..32).collect::<Vec<usize>>())
        .prop_shuffle(), heal in any::<bool>())
    {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let mut second = second_machine(&mut circle);
        circle.owner.give(&mut circle.colleague, &space);
        let mut twin = copy_of(&circle.owner, &circle);
        let [member, outsider] = [&circle.member, &circle.outsider].map(Node::organisation);
        circle.owner.revoke(&space, member).unwrap();
        twin.grant(&space, outsider, Role::Reader, History::Start).unwrap();
        twin.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
        if heal {
            name_primary(&mut circle, &mut second);
            second.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
        }
        let colleague = circle.colleague.organisation();
        let mut parcels = Vec::new();
        for node in [&mut circle.owner, &mut twin, &mut second] {
            parcels.extend(node.access_parcels(&space, &colleague));
        }
        let mut shuffled: Vec<_> = parcels.iter().enumerate().collect();
        shuffled.sort_by_key(|(index, _)| order.get(*index).copied().unwrap_or(*index));
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, parcel)| parcel.clone()).collect();
        let mut other = copy_of(&circle.colleague, &circle);
        circle.colleague.take_all(&parcels);
        other.take_all(&shuffled);
        prop_assert_eq!(circle.colleague.digests(), other.digests());
        prop_assert_eq!(
            circle.colleague.replica.summary(&space).map(|one| one.members.clone()),
            other.replica.summary(&space).map(|one| one.members.clone()),
        );
    }
}
