//! Bounds that no honest organisation reaches: what is beyond is refused, what is within is taken,
//! and nobody else pays for it.

use super::adversary::{Forger, new_practice};
use super::circle::Circle;
use super::forging::{forger, take};
use super::line::Line;
use super::organisation::{Node, Organisation};
use super::parcel::Parcel;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{RootKey, Secret};
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityOperation};
use sincronia_protocol::ids::{OrganisationId, RecordId, SpaceId};
use sincronia_protocol::limits::{
    ACCESS_ENTRIES_MAX, DAY_STRANGERS_MAX, DECISIONS_AHEAD_MAX, ERASURES_SETTLED_UNTIL,
    SPACE_AUTHORS_OF_ONE_MAX, SPACES_OF_OWNER_MAX,
};
use sincronia_protocol::log::LogPosition;
use sincronia_protocol::replica::{PartnerRecord, ReplicaError, Summary, Trust};
use sincronia_protocol::storage::{Batch, Table};
use sincronia_protocol::sync::{Effect, Input, Message};
use sincronia_protocol::time::Timestamp;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// How long the owner's access log is.
fn length(owner: &mut Node, space: &SpaceId) -> u64 {
    owner.access_log(space).len() as u64
}

fn settle_until(owner: &mut Node, space: &SpaceId, length_max: u64) {
    owner
        .act(|replica, disk, _| replica.settle_erasures_until(disk, space, length_max))
        .expect("a primary");
}

/// A member wrote into a record that it did not know to be erased, and the owner has heard of it.
fn with_a_late_entry() -> (Circle, RecordId) {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.settle();
    circle.member.rename(&space, record, "senza saperlo").unwrap();
    circle.owner.erase(&space, &record).unwrap();
    circle.member.give(&mut circle.owner, &space);
    (circle, record)
}

/// Members that write into erased records make the owner's entries, which must never take the
/// places that their own removal needs.
#[test]
fn erasures_that_nobody_asked_for_leave_half_of_the_access_log_to_removals() {
    let (mut circle, record) = with_a_late_entry();
    let space = circle.space;
    let full = length(&mut circle.owner, &space);
    assert_eq!(circle.owner.replica.erasures_due(), [space], "a late entry is to be named");

    settle_until(&mut circle.owner, &space, full - 1);
    assert_eq!(length(&mut circle.owner, &space), full, "nothing is said by itself");
    assert_eq!(circle.owner.replica.erasures_due(), [space], "the debt stays");
    // A person may say it once more, and a removal has its place.
    circle.remove_member();
    let removed = length(&mut circle.owner, &space);
    settle_until(&mut circle.owner, &space, removed - 1);
    assert_eq!(length(&mut circle.owner, &space), removed);
    circle.owner.erase(&space, &record).unwrap();
    assert!(length(&mut circle.owner, &space) > removed);
    assert_eq!(circle.owner.replica.erasures_due(), []);
    assert_eq!(ERASURES_SETTLED_UNTIL, ACCESS_ENTRIES_MAX as u64 / 2, "what is used by itself");
}

#[test]
fn erasures_are_settled_while_there_is_room() {
    let (mut circle, _) = with_a_late_entry();
    let space = circle.space;
    let full = length(&mut circle.owner, &space);
    settle_until(&mut circle.owner, &space, full);
    assert_eq!(length(&mut circle.owner, &space), full + 1);
    assert_eq!(circle.owner.replica.erasures_due(), []);
}

/// An organisation that nobody knows; anybody can found any number.
fn stranger(number: u64) -> (OrganisationId, Vec<IdentityEntry>) {
    let mut seed = [0xee; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let entropy = Secret::from_bytes(seed);
    let next = RootKey::derive(&entropy, 1).public();
    let genesis = Identity::found(&RootKey::derive(&entropy, 0), &next);
    (genesis.statement.organisation, vec![genesis])
}

/// Brings a stranger to the second node of a line, at a time; whether it was taken.
fn brings(line: &mut Line<'_>, number: u64, at: Timestamp) -> bool {
    let (organisation, entries) = stranger(number);
    let frame = Message::Identities(entries).encode();
    let node = &mut *line.nodes[1];
    let session = &mut line.sessions[1];
    let effects = session.handle(at, Input::Frame(frame), &mut node.replica, &node.disk);
    let is_over = effects.iter().any(|effect| matches!(effect, Effect::Close(_)));
    assert!(!is_over, "what does not fit is refused, and the session goes on");
    let batch = node.replica.take_batch();
    node.disk.commit(&batch);
    node.replica.identity(&organisation).is_some()
}

#[test]
fn one_partner_brings_so_many_strangers_a_day_and_keeps_no_other_from_it() {
    let mut circle = Circle::of_contributors();
    let today = Timestamp::from_milliseconds(2_000);
    let mut line = Line::open(&mut circle.member, &mut circle.owner);
    line.run_sound();
    for number in 0..DAY_STRANGERS_MAX {
        assert!(brings(&mut line, number, today), "{number} of {DAY_STRANGERS_MAX}");
    }
    assert!(!brings(&mut line, DAY_STRANGERS_MAX, today), "one too many");
    // Another partner has a day of its own; this one has tomorrow.
    let mut other = Line::open(&mut circle.colleague, line.nodes[1]);
    other.run_sound();
    assert!(brings(&mut other, DAY_STRANGERS_MAX + 1, today));
    let mut line = Line::open(&mut circle.member, &mut circle.owner);
    line.run_sound();
    assert!(!brings(&mut line, DAY_STRANGERS_MAX, today), "a new session is no new day");
    let tomorrow = Timestamp::from_milliseconds(2_000 + DAY_MS);
    assert!(brings(&mut line, DAY_STRANGERS_MAX, tomorrow));
}

/// Nodes are revoked and replaced without end; a log each is kept for ever.
#[test]
fn so_many_nodes_of_one_organisation_write_in_a_space_and_others_go_on() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let member = circle.member.credentials.clone();
    let seen = circle.owner.access_log(&space).len();
    let reader = forger(&mut circle, &member, seen, 0);
    let mut outcomes = Vec::new();
    for number in 0..=SPACE_AUTHORS_OF_ONE_MAX {
        let secrets = u8::try_from(10 + number).expect("a byte");
        let organisation: &mut Organisation = &mut circle.organisations[1];
        let credentials = organisation.add_node(secrets);
        let key = credentials.node_key.clone();
        let node = key.id();
        circle.owner.learn(&circle.organisations[1]);
        let position = LogPosition::origin(&space, &node, &credentials.organisation);
        let epoch = reader.epoch.clone();
        let mut author = Forger { space, key, position, access: reader.access, epoch };
        let run = author.sign(&new_practice(&credentials, 1, "scritta da un nodo nuovo"));
        outcomes.push(take(&mut circle.owner, &run));
        circle.organisations[1].say(IdentityOperation::RevokeNode { node });
        circle.owner.learn(&circle.organisations[1]);
    }
    let beyond = outcomes.pop().expect("the last");
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(beyond, Err(ReplicaError::Limit("nodes that write in one space")));
    // Of another organisation, a node that never wrote there still may.
    circle.colleague.note(&space, "scritta dalla collega");
    let runs = circle.colleague.author_parcels(&space);
    let runs: Vec<_> = runs.iter().filter(|one| matches!(one, Parcel::Run(_))).collect();
    assert!(!runs.is_empty() && runs.iter().all(|run| circle.owner.take(run).is_ok()));
}

/// One partner could have a node keep so many spaces every day, for ever.
#[test]
fn threat_29_so_many_spaces_of_one_owner_are_taken_and_those_that_are_here_go_on() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let summary = circle.member.replica.summary(&space).unwrap().clone();
    let [owner, other] = [summary.owner, circle.outsider.organisation()];
    let handed_over = Summary { owner: other, owners: vec![owner], ..summary.clone() };
    // As if as many were here: the access log of none of them is looked at.
    let mut batch = Batch::default();
    for number in 2..SPACES_OF_OWNER_MAX as u64 {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let one = if number % 2 == 0 { &summary } else { &handed_over };
        batch.put(Table::Spaces, id.to_vec(), codec::encode(one));
    }
    circle.member.disk.commit(&batch);
    circle.member.restart();
    let mut taken = [(); 2].map(|()| admitted_into_another(&mut circle)).into_iter();
    assert_eq!(taken.next(), Some(Ok(())), "the last");
    assert_eq!(taken.next(), Some(Err(ReplicaError::Limit("spaces of one owner"))));
    assert_eq!(circle.member.replica.summaries().count(), SPACES_OF_OWNER_MAX);
    let record = circle.owner.note(&space, "Da prima");
    circle.owner.give(&mut circle.member, &space);
    assert_eq!(circle.member.title(&space, &record).as_deref(), Some("Da prima"));
    // Another owner has room.
    let of_another = circle.colleague.create_space();
    let member = circle.member.organisation();
    circle.colleague.grant(&of_another, member, Role::Reader, History::Start).unwrap();
    circle.colleague.give(&mut circle.member, &of_another);
    assert!(circle.member.replica.summary(&of_another).is_some());
}

/// The owner creates another space, and the member is given its access log.
fn admitted_into_another(circle: &mut Circle) -> Result<(), ReplicaError> {
    let space = circle.owner.create_space();
    let member = circle.member.organisation();
    circle.owner.grant(&space, member, Role::Reader, History::Start).unwrap();
    let entries = circle.owner.access_log(&space);
    circle.member.take(&Parcel::Access { space, entries, is_complete: true })
}

/// A count of decisions at its end would make the last one final.
#[test]
fn a_machine_whose_count_of_decisions_runs_away_is_not_followed() {
    let mut circle = Circle::of_contributors();
    let partner = circle.owner.organisation();
    let blocked = |decision: u64| PartnerRecord {
        organisation: partner,
        name: "Comune".into(),
        trust: Trust::Blocked,
        decision,
        joined_at: Timestamp::default(),
        addresses: Vec::new(),
    };
    let replica = &mut circle.member.replica;
    let known = replica.partner_record(&partner).expect("a partner").decision;
    for decision in [u64::MAX, known + DECISIONS_AHEAD_MAX + 1] {
        let refused = replica.admit_partner_record(blocked(decision));
        assert_eq!(refused, Err(ReplicaError::Limit("decisions about a partner")));
        assert!(replica.is_partner(&partner), "nobody is blocked by it");
    }
    replica.admit_partner_record(blocked(known + DECISIONS_AHEAD_MAX)).unwrap();
    assert!(!replica.is_partner(&partner));
    // A person here still decides otherwise, and that comes after.
    let record = replica.partner_record(&partner).unwrap();
    let name = record.name.clone();
    let joined = sincronia_protocol::replica::Partner {
        name,
        trust: Trust::Joined,
        joined_at: record.joined_at,
        addresses: Vec::new(),
        last_exchange: None,
    };
    replica.put_partner(partner, joined).unwrap();
    assert!(replica.is_partner(&partner));
    let decision = replica.partner_record(&partner).unwrap().decision;
    assert_eq!(decision, known + DECISIONS_AHEAD_MAX + 1);
}
