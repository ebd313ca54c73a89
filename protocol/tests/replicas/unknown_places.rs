//! Entries that say that their author had seen a place of the access log that nobody knows, where
//! an owner changed its root key: they count for nothing that their author could not have had by
//! naming a place that is known, and in whatever order all comes readers judge them alike.

use super::adversary::{Forger, access_points, keys_within_reach, last_grant, payload};
use super::circle::Circle;
use super::order::cases;
use super::organisation::{Node, Organisation, practice};
use super::origin::agree;
use super::parcel::Parcel;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sincronia_protocol::access::{AccessEntry, History, Role};
use sincronia_protocol::ids::{EntryHash, RecordId};
use sincronia_protocol::log::{AccessPoint, LogPosition, Payload};
use sincronia_protocol::record::{Author, Edits, Kind, Record, derive_id};
use sincronia_protocol::replica::Credentials;
use sincronia_protocol::storage::Table;
use std::collections::BTreeMap;

/// What the owner says, and the change of its root key somewhere in between.
fn live(circle: &mut Circle, steps: &[u8], changes_at: usize) {
    for (number, step) in (0..).zip(steps.iter().map(Some).chain([None])) {
        if number == changes_at.min(steps.len()) {
            circle.organisations[0].rotate_root();
            circle.owner.learn(&circle.organisations[0]);
        }
        if let Some(step) = step {
            say(circle, *step);
        }
    }
}

/// What the owner says of member or outsider, at random.
fn say(circle: &mut Circle, step: u8) {
    let Circle { owner, member, outsider, space, .. } = circle;
    let whom = [member.organisation(), outsider.organisation()][usize::from(step % 2)];
    let node = [member.id(), outsider.id()][usize::from(step % 2)];
    let _ = match step / 2 {
        0 => owner.grant(space, whom, Role::Contributor, History::Start),
        1 => owner.grant(space, whom, Role::Contributor, History::Now),
        2 => owner.grant(space, whom, Role::Reader, History::Start),
        3 | 4 => owner.revoke(space, whom),
        5 => owner.act(|replica, disk, random| replica.cut_node(disk, space, node, random)),
        _ => owner.try_rotate(space).map(drop),
    };
}

fn new_record(secrets: &Credentials, grant: u64, number: u8) -> Payload {
    let (node, organisation) = (secrets.node_key.id(), secrets.organisation);
    let nonce = [number; 8];
    let record = derive_id(Kind::Practice, &node, nonce);
    let author = Author { node, organisation, grant };
    let fields = practice(&format!("Numero {number}")).as_object().unwrap().clone();
    let document = Record::new(record).unwrap();
    payload(record, &document.edit(&author, &Edits { fields }, Some(nonce)).unwrap())
}

/// The last place of the access log at which each epoch was the last.
fn last_places(access: &[AccessEntry]) -> Vec<AccessPoint> {
    let points = access_points(access);
    let begins = |entry: &AccessEntry| entry.statement.operation.rotation().is_some();
    let ends = (1..points.len()).filter(|at| begins(&access[*at])).map(|at| points[at - 1]);
    ends.chain(points.last().copied()).collect()
}

/// Which author, which of its keys, and the place that it says it has seen.
type Claim = (bool, prop::sample::Index, u64);

fn claim() -> impl Strategy<Value = Claim> {
    (any::<bool>(), any::<prop::sample::Index>(), 1..30_u64)
}

/// What two authors sign by these claims, or naming the last known place in place of each.
fn forge(
    circle: &mut Circle,
    (claims, seen): (&[Claim], &[AccessPoint]),
    is_hidden: bool,
) -> Vec<Parcel> {
    let access = circle.owner.access_log(&circle.space);
    let sealed = circle.owner.disk.values(Table::Sealed);
    let sealed: Vec<_> = sealed.map(|(_, sealed)| sealed.to_vec()).collect();
    let last = last_places(&access);
    let space = circle.space;
    let mut forgers: Vec<_> = [&circle.member, &circle.outsider]
        .into_iter()
        .filter_map(|node| {
            let secrets = node.credentials.clone();
            let keys = keys_within_reach(&secrets, &space, &access, &sealed);
            let epoch = keys.clone().pop_first()?;
            let (key, access) = (secrets.node_key.clone(), last[0]);
            let position = LogPosition::origin(&space, &key.id(), &secrets.organisation);
            Some((secrets, keys, Forger { space, key, position, access, epoch }))
        })
        .collect();
    let mut signed = Vec::new();
    for (number, (who, key, length)) in (0..).zip(claims) {
        let count = forgers.len();
        let Some((secrets, keys, forger)) = forgers.get_mut(usize::from(*who) % count.max(1))
        else {
            continue;
        };
        let keys: Vec<_> = keys.iter().collect();
        let (epoch, key) = keys[key.index(keys.len())];
        forger.epoch = (*epoch, key.clone());
        let unknown = AccessPoint { length: *length, head: EntryHash::from_bytes([7; 32]) };
        let unknown = seen.get(usize::from(number)).copied().unwrap_or(unknown);
        forger.access = if is_hidden { unknown } else { last[usize::try_from(*epoch).unwrap()] };
        let grant = last_grant(&access, secrets);
        signed.push(Parcel::Run(forger.sign(&new_record(secrets, grant, number))));
    }
    signed
}

fn shuffled(mut parcels: Vec<Parcel>, seed: u64) -> Vec<Parcel> {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    for place in (1..parcels.len()).rev() {
        let bound = place as u64 + 1;
        parcels.swap(place, usize::try_from(random.next_u64() % bound).unwrap());
    }
    parcels
}

fn titles(node: &Node, circle: &Circle) -> BTreeMap<RecordId, Option<String>> {
    let shown = node.shows(&circle.space).into_keys();
    shown.map(|record| (record, node.title(&circle.space, &record))).collect()
}

/// A machine that only a stolen root key names primary, and which goes on with the access log.
fn thief(circle: &mut Circle, step: u8) -> (Node, Organisation) {
    let (mut thief, stolen) = circle.thief();
    circle.colleague.learn(&stolen);
    agree(&mut circle.colleague, &mut thief);
    let (space, outsider) = (circle.space, circle.outsider.organisation());
    match step % 4 {
        0 => thief.grant(&space, outsider, Role::Contributor, History::Start).unwrap(),
        1 => thief.revoke(&space, circle.member.organisation()).unwrap(),
        2 => drop(thief.try_rotate(&space).unwrap()),
        _ => thief.grant(&space, outsider, Role::Reader, History::Now).unwrap(),
    }
    (thief, stolen)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn threat_17_a_place_that_nobody_knows_gives_nothing_that_a_known_one_does_not(
        steps in prop::collection::vec(0..14_u8, 0..8),
        changes_at in 0..8_usize,
        claims in prop::collection::vec(claim(), 1..8),
        theft in prop::option::of(any::<u8>()),
        seed in any::<u64>(),
    ) {
        let mut circle = Circle::of_contributors();
        let space = circle.space;
        let before: Vec<_> = circle.organisations.iter().map(Organisation::elsewhere).collect();
        let colleague = circle.colleague.credentials.clone();
        let reader = || Node::start(&colleague, &before.iter().collect::<Vec<_>>());
        let mut theft = theft.map(|step| thief(&mut circle, step));
        let mut stolen_parcels = Vec::new();
        let mut seen = Vec::new();
        if let Some((thief, _)) = &mut theft {
            let log = thief.access_log(&space);
            seen.extend(access_points(&log).last().copied());
            let organisation = circle.colleague.organisation();
            stolen_parcels = thief.access_parcels(&space, &organisation);
        }
        live(&mut circle, &steps, changes_at);
        let organisation = circle.colleague.organisation();
        let log = circle.owner.access_parcels(&space, &organisation);
        let hidden = forge(&mut circle, (&claims, &seen), true);
        let open = forge(&mut circle, (&claims, &[]), false);
        let [mut first, mut second, mut third, mut other] = [(); 4].map(|()| reader());
        let parcels: Vec<_> = log.iter().chain(&hidden).cloned().collect();
        // One knows of the change first, one last, one in between, having heard of the thief.
        first.learn(&circle.organisations[0]);
        first.take_all(&parcels);
        second.take_all(&shuffled(parcels.clone(), seed));
        second.learn(&circle.organisations[0]);
        if let Some((_, stolen)) = &theft {
            third.learn(stolen);
            third.take_all(&stolen_parcels);
        }
        let mixed = shuffled(parcels.clone(), !seed);
        let (some, rest) = mixed.split_at(mixed.len() / 2);
        for parcel in some {
            let _ = third.take(parcel);
        }
        third.learn(&circle.organisations[0]);
        third.take_all(rest);
        for node in [&mut first, &mut second, &mut third] {
            node.take_all(&parcels);
        }
        other.learn(&circle.organisations[0]);
        other.take_all(&log);
        other.take_all(&open);
        let shown = titles(&first, &circle);
        prop_assert_eq!(&shown, &titles(&other, &circle));
        let aside = first.replica.quarantine(&first.disk).unwrap();
        for node in [&mut first, &mut second, &mut third] {
            for _ in 0..2 {
                prop_assert_eq!(&titles(node, &circle), &shown);
                prop_assert_eq!(&node.replica.quarantine(&node.disk).unwrap(), &aside);
                node.restart();
            }
        }
        prop_assert_eq!(first.digests(), second.digests());
        prop_assert_eq!(first.digests(), third.digests());
    }
}
