//! Traps that others fell into, each told as a test. `docs/traps.md` lists them all.

use super::circle::Circle;
use super::line::Line;
use super::parcel::Parcel;
use sincronia_protocol::access::{AccessEntry, AccessOperation, Role};
use sincronia_protocol::codec;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::log::LogPosition;
use sincronia_protocol::replica::{ReplicaError, SpaceHeads};
use sincronia_protocol::sync::{CloseReason, Hello, Input, Message, SyncPhase};

#[test]
fn trap_replicas_with_the_same_entries_and_other_rights_look_equal() {
    let mut circle = Circle::of_contributors();
    let before = circle.owner.digests();
    assert_eq!(before, circle.member.digests(), "nothing differs yet");
    circle.admit(circle.outsider.organisation(), Role::Reader);
    assert_ne!(circle.owner.digests(), before, "the access log is in the digest");
}

#[test]
fn trap_replicas_of_which_one_lacks_its_key_look_equal() {
    let mut circle = Circle::new();
    circle.admit(circle.member.organisation(), Role::Contributor);
    let parcels = circle.owner.access_parcels(&circle.space, &circle.member.organisation());
    let (keyrings, access): (Vec<_>, Vec<_>) =
        parcels.into_iter().partition(|one| matches!(one, Parcel::Sealed { .. }));
    for parcel in access.iter().take(1) {
        let Parcel::Access { space, .. } = parcel else { continue };
        let entries = circle.owner.access_log(space);
        circle.member.take(&Parcel::Access { space: *space, entries, is_complete: true }).unwrap();
    }
    let keyless = circle.member.digests();
    assert_ne!(keyless, circle.owner.digests(), "sync would not bring the key any more");
    circle.member.take_all(&keyrings);
    assert_eq!(circle.member.digests(), circle.owner.digests());
}

#[test]
fn trap_synced_is_said_before_comparing_again() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.owner.note(&space, "ancora da portare");
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    let mut compared = false;
    while let Some((to, frame)) = line.frames.pop_front() {
        compared |= Message::decode(&frame) == Ok(Message::Compared(0));
        line.input(to, Input::Frame(frame));
        let in_sync = line.phases().contains(&SyncPhase::InSync);
        assert!(!in_sync || line.nodes[0].digests() == line.nodes[1].digests());
        assert!(
            !in_sync
                || compared
                || line
                    .frames
                    .iter()
                    .any(|(_, frame)| { Message::decode(frame) == Ok(Message::Compared(0)) })
        );
    }
    assert_eq!(line.phases(), [SyncPhase::InSync; 2]);
}

#[test]
fn trap_synced_is_shown_while_something_new_has_not_been_compared() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    line.run_sound();
    assert_eq!(line.phases(), [SyncPhase::InSync; 2]);
    line.nodes[0].try_note(&space, "appena scritta").unwrap();
    let entries =
        sincronia_protocol::replica::Growth::Entries { space, author: line.nodes[0].id(), from: 0 };
    line.input(0, Input::Grown(vec![entries]));
    assert_eq!(line.phases()[0], SyncPhase::Exchanging);
    line.run_sound();
    assert_eq!(line.phases(), [SyncPhase::InSync; 2]);
}

#[test]
fn trap_a_signature_over_a_place_that_moves_cannot_be_checked_after_a_merge() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "un titolo");
    circle.settle();
    circle.member.rename(&space, record, "dal membro").unwrap();
    circle.colleague.rename(&space, record, "dal collega").unwrap();
    circle.settle();
    let deep = circle.member.replica.verify(&circle.member.disk, true).unwrap();
    assert_eq!((deep.author_entries, deep.problems.len()), (3, 0));
}

#[test]
fn trap_a_partner_names_a_space_it_may_not_see() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.owner.note(&space, "non per chi sta fuori");
    let nowhere = SpaceId::from_bytes([3; 32]);
    let answers = [space, nowhere].map(|asked| {
        let mut line = Line::open(&mut circle.outsider, &mut circle.owner);
        line.run_sound();
        let heads = vec![SpaceHeads::absent(asked)];
        let question = Message::Heads { is_answer: false, heads };
        line.input(1, Input::Frame(question.encode()));
        let sent: Vec<_> = line.frames.drain(..).map(|(_, frame)| frame).collect();
        let named = |frame: &Vec<u8>| contains(frame, asked.as_bytes());
        let shape: Vec<_> = sent.iter().map(|frame| (frame.len(), named(frame))).collect();
        (shape, line.phases())
    });
    let [hidden, absent] = answers;
    assert_eq!(hidden, absent, "a hidden space and none at all look the same");
}

#[test]
fn trap_a_removal_comes_without_its_rotation() {
    let mut circle = Circle::of_contributors();
    circle.remove_member();
    let log = circle.owner.access_log(&circle.space);
    let entry = log.last().unwrap();
    let AccessOperation::Revoke { organisation, cuts, .. } = entry.statement.operation.clone()
    else {
        panic!("a removal");
    };
    // The same removal, its rotation left out: there is no such thing to decode.
    let whole = codec::encode(&entry.statement.operation);
    let bare = codec::encode(&(2_u8, (organisation, cuts)));
    assert!(codec::decode::<AccessOperation>(&whole).is_ok());
    assert!(codec::decode::<AccessOperation>(&bare).is_err());
}

#[test]
fn trap_a_member_admitted_while_the_key_changed_never_learns_it() {
    let mut circle = Circle::new();
    let space = circle.space;
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    circle.admit(circle.member.organisation(), Role::Contributor);
    circle.owner.act(|replica, disk, random| replica.rotate(disk, &space, random)).unwrap();
    let record = circle.owner.note(&space, "sotto la terza chiave");
    Line::open(&mut circle.owner, &mut circle.member).run_sound();
    let title = circle.member.title(&space, &record);
    assert_eq!(title.as_deref(), Some("sotto la terza chiave"));
}

#[test]
fn trap_the_organisation_claimed_in_the_greeting_is_believed() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.owner.note(&space, "solo per il membro");
    let claimed = circle.member.organisation();
    let own_identity = circle.organisations[1].identity.position();
    let hello = Message::Hello(Hello {
        version_min: 1,
        version_max: 1,
        organisation: claimed,
        own_identity,
        known_identity: LogPosition { length: 100, head: own_identity.head },
        addresses: Vec::new(),
    });
    // The transport authenticated the outsider's node; it says that it is the member.
    let mut line = Line::open(&mut circle.outsider, &mut circle.owner);
    line.frames.clear();
    line.input(1, Input::Frame(hello.encode()));
    assert_eq!(line.closed, [CloseReason::NotCertified]);
    for (_, frame) in &line.frames {
        assert!(!contains(frame, space.as_bytes()), "it told a stranger of a space");
    }
}

#[test]
fn trap_the_first_share_goes_out_in_clear() {
    let mut circle = Circle::new();
    let space = circle.space;
    circle.owner.note(&space, "riservatissima");
    circle.admit(circle.member.organisation(), Role::Contributor);
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    let mut carried = 0;
    line.run(|_, frame| {
        assert!(!contains(&frame, b"riservatissima"), "plaintext in a frame");
        assert!(!contains(&frame, b"operator"), "an operator's name in a frame");
        carried += frame.len();
        vec![frame]
    });
    assert!(carried > 2_000, "the share did travel");
    assert_eq!(circle.member.shows(&space).len(), 1);
}

#[test]
fn trap_entries_are_dropped_after_so_many_attempts() {
    let mut circle = Circle::new();
    let space = circle.space;
    circle.admit(circle.member.organisation(), Role::Contributor);
    let record = circle.owner.note(&space, "aspetta la chiave");
    let entries = circle.owner.access_log(&space);
    circle.member.take(&Parcel::Access { space, entries, is_complete: true }).unwrap();
    circle.member.take_all(&circle.owner.author_parcels(&space));
    for _ in 0..50 {
        circle.admit_and_forget();
        circle.member.restart();
        let entries = circle.owner.access_log(&space);
        circle.member.take(&Parcel::Access { space, entries, is_complete: true }).unwrap();
        assert_eq!(circle.member.title(&space, &record), None);
    }
    circle.owner.give(&mut circle.member, &space);
    let title = circle.member.title(&space, &record);
    assert_eq!(title.as_deref(), Some("aspetta la chiave"));
}

#[test]
fn trap_part_of_an_answer_is_taken_for_all_of_it() {
    let mut circle = Circle::new();
    let space = circle.space;
    // The member's own grant stands beyond the part that arrives first.
    circle.admit(circle.colleague.organisation(), Role::Reader);
    circle.admit(circle.member.organisation(), Role::Contributor);
    let log = circle.owner.access_log(&space);
    let part = |entries: &[AccessEntry], is_complete| Parcel::Access {
        space,
        entries: entries.to_vec(),
        is_complete,
    };
    let refused = circle.member.take(&part(&log[..2], true));
    assert_eq!(refused, Err(ReplicaError::NotPermitted), "complete, and grants it nothing");
    circle.member.take(&part(&log[..2], false)).expect("more is to come");
    circle.member.take(&part(&log[2..], true)).expect("the rest");
    circle.owner.give(&mut circle.member, &space);
    circle.member.note(&space, "ora sì");
}

#[test]
fn trap_an_old_copy_is_started_and_the_log_forks() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "prima della copia");
    circle.settle();
    let copy = circle.member.disk.clone();
    let lost = circle.member.note(&space, "dopo la copia");
    circle.settle();
    // The machine dies; an old copy of its disk is put in its place.
    circle.member.disk = copy;
    circle.member.restart();
    circle.owner.give(&mut circle.member, &space);
    assert!(circle.member.replica.is_cloned());
    assert_eq!(circle.member.try_note(&space, "ramo nuovo"), Err(ReplicaError::Cloned));
    assert_eq!(circle.agreed_title(&lost).as_deref(), Some("dopo la copia"), "nothing is lost");
}

#[test]
fn trap_two_copies_of_one_node_both_write() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let common = circle.member.note(&space, "comune ai due");
    circle.settle();
    let mut twin = circle.twin_of_member();
    let here = circle.member.note(&space, "scritta qui");
    let there = twin.note(&space, "scritta là");
    circle.member.give(&mut circle.owner, &space);
    twin.give(&mut circle.colleague, &space);
    // Whoever hears both sees the proof; none of the two branches counts, and all agree.
    for _ in 0..2 {
        Line::open(&mut circle.owner, &mut circle.colleague).run_sound();
    }
    assert_eq!(circle.owner.digests(), circle.colleague.digests());
    assert_eq!(circle.agreed_title(&common).as_deref(), Some("comune ai due"));
    assert_eq!(circle.agreed_title(&here), None);
    assert_eq!(circle.agreed_title(&there), None);
}

fn contains(frame: &[u8], text: &[u8]) -> bool {
    frame.windows(text.len()).any(|window| window == text)
}
