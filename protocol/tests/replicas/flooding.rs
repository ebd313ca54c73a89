//! One partner that sends what it likes: it can neither stop a node nor speak for others, and what
//! one message sets in motion is bounded.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation, practice};
use super::parcel::Parcel;
use sincronia_protocol::access::{AccessError, AccessOperation, ErasedEntries, Rotation};
use sincronia_protocol::crypto::{KeyCommitment, SealingSecret, Secret};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::limits::{
    DAY_ENTRIES_MAX, FRAME_BYTES_MAX, IDENTITY_NODES_MAX, KEYS_NAMED_MAX, RUN_ENTRIES_MAX,
};
use sincronia_protocol::log::LogPosition;
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::{Admitted, ReplicaError, SpaceHeads, WriteTarget};
use sincronia_protocol::sync::{CloseReason, Hello, Input, Message, SyncPhase};
use sincronia_protocol::time::Timestamp;

/// Somebody wrote another's name on an access entry, and that node signed nothing any more.
#[test]
fn threat_27_nobody_stops_a_node_by_writing_its_name() {
    let mut circle = Circle::of_contributors();
    let (space, member) = (circle.space, circle.member.id());
    let mut entry = circle.owner.access_log(&space).last().unwrap().clone();
    entry.statement.author = member;
    // What it did sign, but in a space of its own.
    let other = circle.member.create_space();
    let elsewhere = circle.member.access_log(&other).pop().unwrap();
    for sequence in [entry.statement.sequence, entry.statement.sequence + 1, 1_000_000] {
        entry.statement.sequence = sequence;
        for entries in [vec![entry.clone()], vec![elsewhere.clone()]] {
            let parcel = Parcel::Access { space, entries, is_complete: true };
            assert!(circle.member.take(&parcel).is_err());
            assert!(!circle.member.replica.is_cloned());
        }
    }
    let record = circle.member.note(&space, "si va avanti");
    circle.settle();
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("si va avanti"));
}

/// Runs that hold nowhere were counted against the organisation whose name stood on them.
#[test]
fn threat_29_what_does_not_hold_takes_nothing_of_its_supposed_authors_day() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.member.note(&space, "scritta davvero");
    let author = circle.member.id();
    let (replica, disk) = (&mut circle.member.replica, &circle.member.disk);
    let real = replica.read_run(disk, &space, &author, 0, usize::MAX).unwrap().unwrap();
    let mut forged = real.clone();
    forged.space = SpaceId::from_bytes([9; 32]);
    forged.entries = vec![real.entries[0].clone(); RUN_ENTRIES_MAX];
    let now = Timestamp::from_milliseconds(1_000);
    let (replica, disk) = (&mut circle.owner.replica, &circle.owner.disk);
    for _ in 0..=DAY_ENTRIES_MAX / RUN_ENTRIES_MAX as u64 {
        let refused = replica.admit_run_of_today(disk, forged.clone(), now);
        assert_eq!(refused, Err(ReplicaError::NotPermitted));
    }
    let taken = replica.admit_run_of_today(disk, real, now).unwrap();
    assert_eq!(taken, Admitted::Grown { from: 0, to: 1 });
}

/// One frame asked for one space thirty thousand times, and was answered as often.
#[test]
fn threat_31_a_question_repeated_in_one_message_is_answered_once_or_not_at_all() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.owner.note(&space, "da portare");
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    // As far as the comparison: then the responder knows what an item stands for.
    let mut asked = None;
    while let (None, Some((to, frame))) = (&asked, line.frames.pop_front()) {
        match Message::decode(&frame) {
            Ok(Message::Resolve(ids)) if !ids.is_empty() => asked = Some(ids),
            Ok(Message::Heads { .. } | Message::Asked) => {}
            _ => line.input(to, Input::Frame(frame)),
        }
    }
    line.frames.clear();
    let id = asked.expect("a difference")[0];
    line.input(1, Input::Frame(Message::Resolve(vec![id; 8_192]).encode()));
    let answered = |frame: &Vec<u8>| match Message::decode(frame) {
        Ok(Message::Heads { heads, .. }) => heads.len(),
        _ => 0,
    };
    let heads: usize = line.frames.iter().map(|(_, frame)| answered(frame)).sum();
    assert_eq!(heads, 1);
    line.input(1, Input::Frame(Message::Resolve(vec![id; 8_193]).encode()));
    assert!(matches!(line.closed[..], [CloseReason::Misbehaved(_)]), "{:?}", line.closed);
}

#[test]
fn threat_31_heads_that_name_a_space_twice_end_the_session() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    line.run_sound();
    let heads = vec![SpaceHeads::absent(space); 2];
    line.input(1, Input::Frame(Message::Heads { is_answer: true, heads }.encode()));
    assert!(matches!(line.closed[..], [CloseReason::Misbehaved(_)]), "{:?}", line.closed);
}

/// An owner that signs many entries at one place made each member copy the log as often.
#[test]
fn threat_24_a_log_that_parts_into_many_is_refused_before_it_is_copied() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let last = circle.owner.access_log(&space).last().unwrap().statement.clone();
    let key = circle.owner.credentials.node_key.clone();
    let sibling = |number: u16| {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let record = RecordId::from_bytes(id);
        let entries =
            vec![ErasedEntries { node: last.author, stretches: vec![(0, 1)], forked: Vec::new() }];
        let mut statement = last.clone();
        (statement.sequence, statement.previous) = (last.sequence + 1, last.hash());
        statement.operation = AccessOperation::Erase { record, entries };
        statement.sign(&key)
    };
    let entries: Vec<_> = (0..2_000).map(sibling).collect();
    let before = circle.member.access_log(&space);
    let parcel = Parcel::Access { space, entries, is_complete: true };
    assert_eq!(circle.member.take(&parcel), Err(AccessError::TooLong.into()));
    assert!(circle.member.access_log(&space).starts_with(&before));
}

/// A member is removed while much is queued for it and it acknowledges nothing: what was written
/// afterwards is not sent when it does.
#[test]
fn threat_18_what_is_queued_for_a_member_ends_with_its_removal() {
    let mut circle = Circle::of_contributors();
    let (space, colleague) = (circle.space, circle.colleague.id());
    for number in 0..800 {
        let mut fields = practice(&format!("Scheda numero {number}"));
        fields["procedure"] = "a".repeat(9_000).into();
        circle.colleague.write(&space, WriteTarget::New(Kind::Practice), &fields).unwrap();
    }
    let organisation = circle.member.organisation();
    let colleague_entries = |frames: &mut Vec<Message>| -> usize {
        let runs = frames.drain(..).filter_map(|message| match message {
            Message::Run(run) if run.author == colleague => Some(run.entries.len()),
            _ => None,
        });
        runs.sum()
    };
    circle.colleague.give(&mut circle.owner, &space);
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    // The member takes everything and acknowledges nothing, until the window is full.
    let (mut told, mut held) = (Vec::new(), Vec::new());
    while let Some((to, frame)) = line.frames.pop_front() {
        let message = Message::decode(&frame).unwrap();
        if to == 0 && matches!(message, Message::Acknowledge(_)) {
            held.push(frame);
            continue;
        }
        if to == 1 {
            told.push(message);
        }
        line.input(to, Input::Frame(frame));
    }
    let before = colleague_entries(&mut told);
    assert!(before > 0 && before < 800, "{before} of 800 fill the window");
    let grown = {
        let owner = &mut *line.nodes[0];
        owner.revoke(&space, organisation).unwrap();
        owner.commit()
    };
    line.input(0, Input::Grown(grown));
    for frame in held {
        line.input(0, Input::Frame(frame));
    }
    while let Some((to, frame)) = line.frames.pop_front() {
        if to == 1 {
            told.push(Message::decode(&frame).unwrap());
        }
        line.input(to, Input::Frame(frame));
    }
    assert_eq!(colleague_entries(&mut told), 0, "it was removed");
}

/// Heads that name thousands of keys as lacking fitted no frame, and ended every session.
#[test]
fn threat_31_heads_fit_a_frame_however_many_keys_are_lacking() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let key = circle.owner.credentials.node_key.clone();
    let mut statement = circle.member.access_log(&space).pop().unwrap().statement;
    let rotations = (1..=KEYS_NAMED_MAX as u64 + 100).map(|epoch| {
        (statement.previous, statement.sequence) = (statement.hash(), statement.sequence + 1);
        let commitment = [epoch.to_be_bytes(); 4].concat().try_into().unwrap();
        let rotation = Rotation {
            epoch,
            commitment: KeyCommitment::from_bytes(commitment),
            previous: None,
            recipients: Vec::new(),
        };
        statement.operation = AccessOperation::Rotate { rotation };
        statement.clone().sign(&key)
    });
    let entries = rotations.collect();
    circle.member.take(&Parcel::Access { space, entries, is_complete: true }).unwrap();
    let owner = circle.owner.organisation();
    let (replica, disk) = (&mut circle.member.replica, &circle.member.disk);
    let heads = replica.heads_for(disk, &owner, &space).unwrap().unwrap();
    assert_eq!(heads.lacking.len(), KEYS_NAMED_MAX);
    let message = Message::Heads { is_answer: false, heads: vec![heads] };
    assert!(message.encode().len() < FRAME_BYTES_MAX);
}

/// An introduction of an organisation with a long history ended the session it was to travel in.
#[test]
fn threat_31_an_introduction_that_fills_no_frame_ends_no_session() {
    let mut circle = Circle::new();
    let node = circle.member.id();
    for seed in 0..850_u16 {
        if seed % 50 == 49 {
            circle.organisations[1].rotate_root();
        }
        let seed = Secret::from_bytes(seed.to_be_bytes().repeat(16).try_into().unwrap());
        let sealing = SealingSecret::from_seed(&seed).public().clone();
        circle.organisations[1].say(IdentityOperation::RotateSealing { node, sealing });
    }
    circle.owner.learn(&circle.organisations[1]);
    let (one, other) = (circle.member.organisation(), circle.colleague.organisation());
    let now = Timestamp::from_milliseconds(1_000);
    circle.owner.act(|replica, _, _| replica.introduce(one, other, now)).unwrap();
    let mut line = Line::open(&mut circle.owner, &mut circle.colleague);
    line.run(|_, frame| {
        assert!(frame.len() <= FRAME_BYTES_MAX, "a frame of {} bytes", frame.len());
        vec![frame]
    });
    assert_eq!(line.closed, vec![]);
    assert_eq!(line.phases(), [SyncPhase::InSync; 2]);
}

/// Where machines had been that an organisation replaced long ago was told on, and after more of
/// them than it may have at a time nobody heard of it through a partner any more.
#[test]
fn threat_31_an_introduction_tells_where_the_machines_of_today_are() {
    let [(common, secrets), (mut moving, moved), (other, others)] =
        [1, 2, 3].map(Organisation::with_node);
    let mut presenter = Node::start(&secrets, &[&common, &moving, &other]);
    let mut colleague = Node::start(&others, &[&common, &other]);
    let now = Timestamp::from_milliseconds(1_000);
    let meet = |presenter: &mut Node, organisation: &Organisation, node: NodeId| {
        presenter.learn(organisation);
        let (id, place) = (organisation.id(), vec![String::from("/ip4/192.0.2.1/tcp/4001")]);
        presenter.act(|replica, _, _| replica.note_contact(&id, &node, place, now)).unwrap();
    };
    for seed in 0..=u8::try_from(IDENTITY_NODES_MAX).unwrap() {
        let node = moving.add_node(100 + seed).node_key.id();
        meet(&mut presenter, &moving, node);
        moving.say(IdentityOperation::RevokeNode { node });
    }
    meet(&mut presenter, &moving, moved.node_key.id());
    let known = presenter.replica.partner(&moving.id()).unwrap();
    assert_eq!(known.addresses.len(), 1, "those of machines that are gone are forgotten");

    presenter.act(|replica, _, _| replica.introduce(moving.id(), other.id(), now)).unwrap();
    let mut line = Line::open(&mut presenter, &mut colleague);
    line.run_sound();
    assert_eq!(line.closed, vec![]);
    let told: Vec<_> = colleague.replica.introduced(now).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].organisation, moving.id());
    assert_eq!(told[0].presentation.addresses.len(), 1);
}

/// A node of one organisation that claimed to be of another was told identity logs before it was
/// turned away.
#[test]
fn threat_01_a_node_that_claims_to_be_of_another_organisation_is_told_nothing() {
    let mut circle = Circle::of_contributors();
    let organisation = circle.colleague.organisation();
    let mut line = Line::open(&mut circle.owner, &mut circle.member);
    line.frames.clear();
    let hello = Hello {
        version_min: 1,
        version_max: 1,
        organisation,
        own_identity: LogPosition::START,
        known_identity: LogPosition::START,
        addresses: Vec::new(),
    };
    line.input(0, Input::Frame(Message::Hello(hello).encode()));
    assert_eq!(line.closed, [CloseReason::NotCertified]);
    let told = line.frames.iter().map(|(_, frame)| Message::decode(frame).unwrap());
    assert!(!told.into_iter().any(|one| matches!(one, Message::Identities(_))));
}
