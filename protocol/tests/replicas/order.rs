//! Any order of arrival, any duplication: the same accepted entries and the same records.

use super::organisation::{Node, Organisation};
use super::parcel::Parcel;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::{RecordId, SpaceId};

/// Contributors-to-be beside the owner.
const MEMBERS: usize = 3;

/// One step of a history. Steps that are not possible where they stand are passed over.
#[derive(Clone, Debug)]
enum Step {
    Note { who: usize },
    Rename { who: usize, which: usize },
    Give { from: usize, to: usize },
    Grant { whom: usize, role: Role, history: History },
    Revoke { whom: usize },
    CutNode { whom: usize },
    Rotate,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..=MEMBERS;
    let whom = 1..=MEMBERS;
    let role = prop_oneof![Just(Role::Contributor), Just(Role::Contributor), Just(Role::Reader)];
    let history = prop_oneof![Just(History::Start), Just(History::Start), Just(History::Now)];
    prop_oneof![
        3 => who.clone().prop_map(|who| Step::Note { who }),
        6 => (who.clone(), any::<usize>()).prop_map(|(who, which)| Step::Rename { who, which }),
        6 => (who.clone(), who).prop_map(|(from, to)| Step::Give { from, to }),
        3 => (whom.clone(), role, history)
            .prop_map(|(whom, role, history)| Step::Grant { whom, role, history }),
        2 => whom.clone().prop_map(|whom| Step::Revoke { whom }),
        1 => whom.prop_map(|whom| Step::CutNode { whom }),
        1 => Just(Step::Rotate),
    ]
}

struct Past {
    nodes: Vec<Node>,
    space: SpaceId,
    records: Vec<RecordId>,
}

impl Past {
    /// A space that everybody contributes to already when `settled`, else the owner's alone.
    fn begin(settled: bool) -> (Self, [Node; 3]) {
        let founded: Vec<_> =
            (1..=5).map(|seed| Organisation::with_node(u8::try_from(seed).unwrap())).collect();
        let known: Vec<_> = founded.iter().map(|(organisation, _)| organisation).collect();
        let mut nodes: Vec<_> =
            founded.iter().map(|(_, credentials)| Node::start(credentials, &known)).collect();
        let space = nodes[0].create_space();
        let observer = founded[4].0.id();
        nodes[0].grant(&space, observer, Role::Reader, History::Start).unwrap();
        let observers = [0; 3].map(|_| Node::start(&founded[4].1, &known));
        nodes.truncate(4);
        let mut past = Self { nodes, space, records: Vec::new() };
        for whom in (1..=MEMBERS).filter(|_| settled) {
            past.perform(
                0,
                &Step::Grant { whom, role: Role::Contributor, history: History::Start },
            );
            past.perform(0, &Step::Give { from: 0, to: whom });
        }
        (past, observers)
    }

    fn perform(&mut self, number: usize, step: &Step) {
        let space = self.space;
        match *step {
            Step::Note { who } => {
                let title = format!("pratica {number}");
                self.records.extend(self.nodes[who].try_note(&space, &title));
            }
            Step::Rename { who, which } => {
                if let Some(record) = self.records.get(which % self.records.len().max(1)) {
                    let title = format!("titolo {number}");
                    let _ = self.nodes[who].rename(&space, *record, &title);
                }
            }
            Step::Give { from, to } if from != to => {
                let [one, other] = self.nodes.get_disjoint_mut([from, to]).unwrap();
                one.give(other, &space);
            }
            Step::Give { .. } => {}
            Step::Grant { whom, role, history } => {
                let organisation = self.nodes[whom].organisation();
                let _ = self.nodes[0].grant(&space, organisation, role, history);
            }
            Step::Revoke { whom } => {
                let organisation = self.nodes[whom].organisation();
                let _ = self.nodes[0].revoke(&space, organisation);
            }
            Step::CutNode { whom } => {
                let node = self.nodes[whom].id();
                let _ = self.nodes[0]
                    .act(|replica, disk, random| replica.cut_node(disk, &space, node, random));
            }
            Step::Rotate => {
                let _ = self.nodes[0]
                    .act(|replica, disk, random| replica.rotate(disk, &space, random).map(drop));
            }
        }
    }

    /// Everything that was ever written, as its authors hold it.
    fn everything(&mut self, reader: &Node) -> Vec<Parcel> {
        let mut parcels = self.nodes[0].access_parcels(&self.space, &reader.organisation());
        for node in &mut self.nodes {
            let own = node.id();
            let written = node.author_parcels(&self.space).into_iter();
            parcels
                .extend(written.filter(|one| matches!(one, Parcel::Run(run) if run.author == own)));
        }
        parcels
    }
}

/// Two copies of everything, in an order that the seed decides.
fn shuffled(parcels: &[Parcel], seed: u64) -> Vec<Parcel> {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut order: Vec<_> = parcels.iter().chain(parcels).cloned().collect();
    for place in (1..order.len()).rev() {
        let bound = place as u64 + 1;
        order.swap(place, usize::try_from(random.next_u64() % bound).unwrap());
    }
    order
}

/// So many cases, unless `PROPTEST_CASES` says otherwise.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(usual),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn threat_22_any_order_and_duplication_gives_the_same_records(
        steps in prop::collection::vec(step(), 1..40),
        settled in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let (mut past, [mut first, mut second, mut third]) = Past::begin(settled);
        for (number, step) in steps.iter().enumerate() {
            past.perform(number, step);
        }
        let parcels = past.everything(&first);
        first.take_all(&parcels);
        let backwards: Vec<_> = parcels.iter().rev().cloned().collect();
        second.take_all(&backwards);
        second.restart();
        third.take_all(&shuffled(&parcels, seed));
        let space = past.space;
        prop_assert_eq!(first.digests(), second.digests());
        prop_assert_eq!(first.digests(), third.digests());
        prop_assert_eq!(first.shows(&space), second.shows(&space));
        prop_assert_eq!(first.shows(&space), third.shows(&space));
        let [one, two, three] = [&first, &second, &third]
            .map(|node| node.replica.quarantine(&node.disk).unwrap());
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(&one, &three);
        // The owner, which lived through it all, agrees once it has everything.
        past.nodes[0].take_all(&parcels);
        prop_assert_eq!(first.shows(&space), past.nodes[0].shows(&space));
        prop_assert_eq!(&one, &past.nodes[0].replica.quarantine(&past.nodes[0].disk).unwrap());
    }
}
