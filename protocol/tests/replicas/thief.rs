//! Somebody has the key of another organisation's machine, and founds an organisation that
//! certifies this machine, too.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use sincronia_protocol::access::Role;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::sync::SyncPhase;

/// The seed of the circle's member, and of the machine's keys with it.
const MEMBER: u8 = 2;

/// Organisations of thieves, one with a lesser id than the member's and one with a greater.
fn thieves(member: OrganisationId) -> Vec<Organisation> {
    let found = |seed| {
        let mut thief = Organisation::found(seed);
        thief.add_node(MEMBER);
        thief
    };
    let all: Vec<_> = (50..90).map(found).collect();
    let (lesser, greater): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.id() < member);
    lesser.into_iter().take(1).chain(greater.into_iter().take(1)).collect()
}

/// Who wrote a record, by its history at a node.
pub fn writers(
    node: &mut Node,
    space: &SpaceId,
    record: &RecordId,
) -> Vec<(NodeId, OrganisationId)> {
    let history = node.act(|replica, disk, _| replica.history(disk, space, record));
    history
        .expect("a record")
        .into_iter()
        .map(|one| (one.origin.node, one.origin.organisation))
        .collect()
}

#[test]
fn what_a_stolen_machine_wrote_stays_whose_it_is() {
    let member = Circle::new().member.organisation();
    for thief in thieves(member) {
        let mut circle = Circle::of_contributors();
        let before = circle.member.note(&circle.space, "Prima nota");
        circle.settle();
        // The owner hears of the thief, and the colleague only after it has judged.
        circle.owner.learn(&thief);
        let after = circle.member.note(&circle.space, "Dopo il furto");
        circle.settle();
        circle.colleague.learn(&thief);
        for (record, title) in [(before, "Prima nota"), (after, "Dopo il furto")] {
            assert_eq!(circle.agreed_title(&record).as_deref(), Some(title));
        }
        circle.owner.restart();
        assert_eq!(circle.agreed_title(&before).as_deref(), Some("Prima nota"));
        assert_eq!(circle.quarantine(), vec![]);
    }
}

#[test]
fn a_thief_that_is_admitted_later_does_not_take_over_what_was_written() {
    let member = Circle::new().member.organisation();
    for thief in thieves(member) {
        let mut circle = Circle::of_contributors();
        let before = circle.member.note(&circle.space, "Prima nota");
        circle.settle();
        circle.owner.learn(&thief);
        circle.admit(thief.id(), Role::Reader);
        circle.colleague.learn(&thief);
        circle.settle();
        let after = circle.member.note(&circle.space, "Dopo il furto");
        circle.settle();
        assert_eq!(circle.agreed_title(&before).as_deref(), Some("Prima nota"));
        assert_eq!(circle.agreed_title(&after).as_deref(), Some("Dopo il furto"));
        let (node, space) = (circle.member.id(), circle.space);
        for record in [before, after] {
            for reader in [&mut circle.owner, &mut circle.colleague] {
                reader.restart();
                assert_eq!(writers(reader, &space, &record), vec![(node, member)]);
            }
        }
        // Removed, the thief takes nothing with it.
        circle.owner.revoke(&circle.space, thief.id()).expect("a member");
        circle.settle();
        assert_eq!(circle.agreed_title(&after).as_deref(), Some("Dopo il furto"));
        assert_eq!(circle.quarantine(), vec![]);
    }
}

/// In each space the organisation that was admitted first had what the machine wrote: a thief that
/// came before its victim took it over, and with its removal it was gone.
#[test]
fn threat_12_a_thief_that_was_admitted_first_takes_over_nothing() {
    let member = Circle::new().member.organisation();
    for thief in thieves(member) {
        let mut circle = Circle::new();
        circle.owner.learn(&thief);
        for organisation in [thief.id(), member, circle.colleague.organisation()] {
            circle.admit(organisation, Role::Contributor);
        }
        circle.colleague.learn(&thief);
        circle.settle();
        let record = circle.member.note(&circle.space, "Della derubata");
        circle.settle();
        let (node, space) = (circle.member.id(), circle.space);
        for reader in [&mut circle.owner, &mut circle.colleague] {
            reader.restart();
            assert_eq!(writers(reader, &space, &record), vec![(node, member)]);
        }
        circle.owner.revoke(&space, thief.id()).expect("a member");
        circle.settle();
        assert_eq!(circle.agreed_title(&record).as_deref(), Some("Della derubata"));
        assert_eq!(circle.quarantine(), vec![]);
    }
}

#[test]
fn the_rightful_machine_is_still_let_in() {
    let member = Circle::new().member.organisation();
    for thief in thieves(member) {
        let mut circle = Circle::of_contributors();
        circle.owner.learn(&thief);
        let record = circle.member.note(&circle.space, "Prima nota");
        let mut line = Line::open(&mut circle.owner, &mut circle.member);
        line.run_sound();
        assert_eq!(line.phases(), [SyncPhase::InSync; 2], "{:?}", line.closed);
        assert_eq!(circle.owner.title(&circle.space, &record).as_deref(), Some("Prima nota"));
    }
}

#[test]
fn a_thief_that_revokes_the_machine_has_it_cut_for_nobody_else() {
    let member = Circle::new().member.organisation();
    for mut thief in thieves(member) {
        let mut circle = Circle::of_contributors();
        let node = circle.member.id();
        circle.member.note(&circle.space, "Prima nota");
        circle.settle();
        circle.owner.learn(&thief);
        circle.admit(thief.id(), Role::Reader);
        thief.say(IdentityOperation::RevokeNode { node });
        circle.owner.learn(&thief);
        circle
            .owner
            .act(|replica, disk, random| replica.maintain(disk, &thief.id(), random))
            .expect("a primary");
        circle.colleague.learn(&thief);
        circle.settle();
        let record = circle.member.note(&circle.space, "Dopo il furto");
        circle.settle();
        assert_eq!(circle.agreed_title(&record).as_deref(), Some("Dopo il furto"));
    }
}
