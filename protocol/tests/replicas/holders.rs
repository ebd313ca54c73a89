//! Machines that several organisations certify: a stolen key is enough for that.

use super::adversary::{last_grant, new_practice};
use super::circle::Circle;
use super::forging::{forger, take};
use super::line::Line;
use super::organisation::{Node, Organisation};
use super::origin::{MEMBER, SECOND, agree, circle_with_thief, is_cut};
use sincronia_protocol::access::Role;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::limits::ORIGINS_MAX;
use sincronia_protocol::log::RunError;
use sincronia_protocol::replica::Credentials;

/// A machine that wrote nothing, and that two organisations certify: the word of each ends it.
#[test]
fn a_machine_that_wrote_nothing_is_cut_when_any_of_its_holders_revokes_it() {
    for is_thief in [false, true] {
        let (mut circle, mut thief) = circle_with_thief();
        let (space, node) = (circle.space, circle.member.id());
        let revoking = if is_thief { &mut thief } else { &mut circle.organisations[1] };
        revoking.say(IdentityOperation::RevokeNode { node });
        circle.owner.learn(revoking);
        let organisation = revoking.id();
        circle
            .owner
            .act(|replica, disk, random| replica.maintain(disk, &organisation, random))
            .unwrap();
        assert!(is_cut(&mut circle.owner, &space, &node), "by the thief: {is_thief}");
    }
}

/// The key was sealed as the thief certified the machine, which it could not open.
#[test]
fn a_machine_is_handed_keys_as_the_organisation_for_which_it_speaks_certified_it() {
    let (mut circle, mut thief) = circle_with_thief();
    let space = circle.space;
    let record = circle.member.note(&space, "Per tutti");
    circle.settle();
    thief.add_node(SECOND);
    let other = circle.colleague.credentials.sealing.public().clone();
    let second = circle.organisations[1].add_node(SECOND);
    let node = second.node_key.id();
    thief.say(IdentityOperation::RotateSealing { node, sealing: other });
    for reader in [&mut circle.owner, &mut circle.member] {
        reader.learn(&thief);
        reader.learn(&circle.organisations[1]);
    }
    let mut second = Node::start(&second, &circle.organisations.iter().collect::<Vec<_>>());
    Line::open(&mut second, &mut circle.owner).run_sound();
    assert_eq!(second.title(&space, &record).as_deref(), Some("Per tutti"));
}

/// Anybody can found organisations without end that certify one machine.
#[test]
fn of_many_organisations_that_certify_a_machine_those_admitted_first_are_tried() {
    let mut circle = Circle::new();
    let space = circle.space;
    let member = circle.member.organisation();
    let founded = (0..=ORIGINS_MAX).map(|number| {
        let mut other = Organisation::found(100 + u8::try_from(number).expect("a byte"));
        other.add_node(MEMBER);
        other
    });
    let others: Vec<_> = founded.collect();
    for other in &others {
        circle.owner.learn(other);
    }
    // The member is the last of those that are tried.
    for other in &others[..ORIGINS_MAX - 1] {
        circle.admit(other.id(), Role::Reader);
    }
    circle.admit(member, Role::Contributor);
    circle.admit(others[ORIGINS_MAX - 1].id(), Role::Contributor);
    circle.admit(others[ORIGINS_MAX].id(), Role::Contributor);
    let secrets = circle.member.credentials.clone();
    for (organisation, refused) in
        [(others[ORIGINS_MAX].id(), Some(RunError::Origin)), (member, None)]
    {
        let secrets = Credentials { organisation, ..secrets.clone() };
        let access = circle.owner.access_log(&space);
        let grant = last_grant(&access, &secrets);
        let mut forger = forger(&mut circle, &secrets, access.len(), 0);
        let run = forger.sign(&new_practice(&secrets, grant, "Da chi viene"));
        assert_eq!(take(&mut circle.owner, &run), refused.map_or(Ok(()), |why| Err(why.into())));
    }
}

/// A receipt is the word of a machine: where it wrote nothing, each that certified it has it.
#[test]
fn a_receipt_of_a_machine_that_wrote_nothing_is_that_of_each_of_its_holders() {
    for has_written in [false, true] {
        let (mut circle, thief) = circle_with_thief();
        let (space, node, member) =
            (circle.space, circle.member.id(), circle.member.organisation());
        let record = circle.owner.note(&space, "Da cancellare");
        if has_written {
            circle.member.note(&space, "Della derubata");
        }
        circle.settle();
        circle.owner.erase(&space, &record).unwrap();
        agree(&mut circle.owner, &mut circle.member);
        let certificates = circle.owner.replica.certificates(&circle.owner.disk, &space).unwrap();
        let confirmed = |organisation| certificates[0].confirmed.contains(&(organisation, node));
        assert_eq!((confirmed(member), confirmed(thief.id())), (true, !has_written));
    }
}
