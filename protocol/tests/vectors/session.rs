//! Whole sessions, frame by frame: a first exchange, and comparisons of many spaces.

use super::cast::{NOW, Organisation, random, secret};
use super::golden::Golden;
use rand_chacha::ChaCha20Rng;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::crypto::StorageKey;
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{
    Credentials, Growth, Partner, Portion, Replica, Trust, WriteRequest, WriteTarget,
};
use sincronia_protocol::storage::MemoryStorage;
use sincronia_protocol::sync::{Effect, Input, Message, Session, Side, SyncPhase};
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// A node on a disk in memory, with its end of a session.
pub struct End {
    pub replica: Replica,
    pub disk: MemoryStorage,
    pub random: ChaCha20Rng,
    session: Option<Session>,
}

impl End {
    pub fn new(own: &Organisation, other: &Organisation) -> Self {
        let seat = own.seats[0].clone();
        let credentials = Credentials {
            organisation: own.id(),
            node_key: seat.key,
            sealing: seat.sealing,
            storage: StorageKey::from_seed(&secret(own.number)),
        };
        let disk = MemoryStorage::default();
        let replica = Replica::open(credentials, &disk).unwrap();
        let mut end = Self { replica, disk, random: random(own.number), session: None };
        for organisation in [own, other] {
            end.replica.admit_identity(&end.disk, &organisation.entries).unwrap();
        }
        let partner = Partner {
            name: String::new(),
            trust: Trust::Verified,
            joined_at: NOW,
            addresses: Vec::new(),
            last_exchange: None,
        };
        end.replica.put_partner(other.id(), partner).unwrap();
        end.commit();
        end
    }

    pub fn commit(&mut self) -> Vec<Growth> {
        while self.replica.project(&self.disk, Portion::of(100)).unwrap() {}
        self.disk.commit(&self.replica.take_batch());
        self.replica.take_growth()
    }

    /// A space shared with a contributor.
    pub fn share(&mut self, with: &Organisation) -> SpaceId {
        let space = self.replica.create_space(&self.disk, &mut self.random).unwrap();
        let (role, history) = (Role::Contributor, History::Start);
        self.replica.grant(&self.disk, &space, with.id(), role, history, &mut self.random).unwrap();
        self.commit();
        space
    }

    pub fn write(&mut self, space: SpaceId, title: &str) {
        let fields =
            serde_json::json!({ "title": title, "area": "lavoro", "maturity": "proposta" });
        let request = WriteRequest {
            space,
            target: WriteTarget::New(Kind::Practice),
            edits: Edits { fields: fields.as_object().unwrap().clone() },
            operator: "operator".to_owned(),
            comment: None,
        };
        self.replica.write(&self.disk, request, NOW, &mut self.random).unwrap();
        self.commit();
    }

    fn dial(&mut self, side: Side, to: &Self) {
        let addresses = vec![format!("/ip4/192.0.2.{}/tcp/4001", side as u8)];
        self.session = Some(Session::new(side, to.replica.node(), addresses, NOW));
    }

    /// What the session sends when this happens.
    fn handle(&mut self, input: Input) -> Vec<Vec<u8>> {
        let session = self.session.as_mut().unwrap();
        let effects = session.handle(NOW, input, &mut self.replica, &self.disk);
        let grown = self.commit();
        let frame = |effect: &Effect| match effect {
            Effect::Send(message) => message.encode(),
            other => panic!("{other:?}"),
        };
        let mut frames: Vec<_> = effects.iter().map(frame).collect();
        if !grown.is_empty() {
            frames.extend(self.handle(Input::Grown(grown)));
        }
        frames
    }

    pub fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        let visit = &mut |row: sincronia_protocol::replica::RecordRow| {
            let view = serde_json::to_value(&row.view).unwrap();
            titles.push(view["fields"]["title"].as_str().unwrap().to_owned());
            ControlFlow::Continue(())
        };
        self.replica.rows(&self.disk, None, None, visit).unwrap();
        titles
    }

    fn phase(&self) -> SyncPhase {
        self.session.as_ref().unwrap().status().phase
    }
}

/// The owner of a space with a record dials the contributor, who knows nothing of it yet.
fn ends() -> (End, End) {
    let (owner, member) = (Organisation::found(1, 1), Organisation::found(2, 1));
    let (mut one, mut other) = (End::new(&owner, &member), End::new(&member, &owner));
    let space = one.share(&member);
    one.write(space, "Dal primo scambio");
    one.dial(Side::Initiator, &other);
    other.dial(Side::Responder, &one);
    (one, other)
}

/// Carries frames until it is quiet; each with the side it came from.
fn carry(one: &mut End, other: &mut End) -> Vec<(usize, Vec<u8>)> {
    let mut ends = [one, other];
    let mut under_way: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
    for (side, end) in ends.iter_mut().enumerate() {
        under_way.extend(end.handle(Input::Opened).into_iter().map(|frame| (side, frame)));
    }
    let mut carried = Vec::new();
    while let Some((from, frame)) = under_way.pop_front() {
        let answers = ends[1 - from].handle(Input::Frame(frame.clone()));
        carried.push((from, frame));
        under_way.extend(answers.into_iter().map(|frame| (1 - from, frame)));
        assert!(carried.len() < 200, "the session does not come to rest");
    }
    carried
}

fn name_of(number: usize, from: usize, frame: &[u8]) -> String {
    let message = format!("{:?}", Message::decode(frame).unwrap());
    let end = message.find(|one: char| !one.is_alphanumeric()).unwrap_or(message.len());
    let side = ["initiator", "responder"][from];
    format!("{number:02} {side}: {}", &message[..end])
}

#[test]
fn a_first_exchange_frame_by_frame() {
    let (mut one, mut other) = ends();
    let mut golden = Golden::new(
        "A session, message by message in the order of arrival: the owner (entropy 01, initiator) \
         has a space with one record that the contributor (entropy 02, responder) lacks.",
    );
    for (number, (from, frame)) in carry(&mut one, &mut other).into_iter().enumerate() {
        golden.hex(&name_of(number, from, &frame), &frame);
    }
    assert_eq!([one.phase(), other.phase()], [SyncPhase::InSync, SyncPhase::InSync]);
    let recorded = golden.settle("session.json");

    // The contributor hears the recorded owner, and says what was recorded of itself.
    let (_, mut other) = ends();
    let mut said = other.handle(Input::Opened);
    let mut expected = Vec::new();
    for name in recorded.names("") {
        let frame = recorded.bytes(&name);
        if name.contains("responder") {
            expected.push(frame);
        } else {
            said.extend(other.handle(Input::Frame(frame)));
        }
    }
    assert_eq!(said, expected);
    assert_eq!(other.phase(), SyncPhase::InSync);
    assert_eq!(other.titles(), ["Dal primo scambio"]);
}

#[test]
fn a_comparison_of_many_spaces() {
    let (owner, member) = (Organisation::found(1, 1), Organisation::found(2, 1));
    let (mut one, mut other) = (End::new(&owner, &member), End::new(&member, &owner));
    for _ in 0..40 {
        one.share(&member);
    }
    let mut items: Vec<_> =
        one.replica.items(&member.id()).into_iter().map(|item| item.id).collect();
    items.sort_unstable();
    let mut golden = Golden::new(
        "Comparisons of 42 items: their ids in order, and the steps when the other side has none \
         of the 40 spaces and when it has all.",
    );
    for (number, item) in items.iter().enumerate() {
        golden.hex(&format!("item {number:02}"), item);
    }
    for name in ["first", "again"] {
        one.dial(Side::Initiator, &other);
        other.dial(Side::Responder, &one);
        let steps = carry(&mut one, &mut other).into_iter().filter_map(|(from, frame)| {
            match Message::decode(&frame).unwrap() {
                Message::Reconcile { bytes, .. } => Some((from, bytes)),
                _ => None,
            }
        });
        let taken = if name == "first" { 2 } else { usize::MAX };
        for (number, (from, bytes)) in steps.take(taken).enumerate() {
            let side = ["initiator", "responder"][from];
            golden.hex(&format!("{name} {number}: {side}"), bytes);
        }
    }
    let recorded = golden.settle("comparison.json");
    assert_eq!(recorded.names("again").len(), 2, "nothing changed costs one round");
    let opening = recorded.bytes("again 0: initiator");
    assert_eq!(recorded.bytes("again 1: responder"), [0x61]);
    one.dial(Side::Initiator, &other);
    other.dial(Side::Responder, &one);
    let steps = carry(&mut one, &mut other);
    let first = Message::Reconcile { first: true, bytes: opening }.encode();
    assert!(steps.contains(&(0, first)));
}
