//! Bundles: what is carried by hand arrives as if there were a line, in any order and any number
//! of times.

mod hostile;
mod joining;
mod returning;
mod withdrawn;

use super::erasure::Canaries;
use super::organisation::{Node, Organisation, practice};
use serde_json::json;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::bundle::{
    BundleError, ExportRequest, Exported, Imported, Outcome, export, import,
};
use sincronia_protocol::ids::{OrganisationId, SpaceId};
use sincronia_protocol::limits;
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::WriteTarget;
use sincronia_protocol::storage::Table;
use sincronia_protocol::time::Timestamp;

const NOW: Timestamp = Timestamp::from_milliseconds(1_767_225_600_000);

impl Node {
    fn bundle_as(&mut self, request: &ExportRequest) -> Result<Exported, BundleError> {
        let (replica, disk, random) = (&mut self.replica, &self.disk, &mut self.random);
        let outcome = export(request, replica, disk, NOW, random);
        self.keep(outcome)
    }

    /// The next bundle for an organisation, in one file.
    pub fn bundle(&mut self, recipient: OrganisationId) -> Vec<u8> {
        self.bundle_as(&request(recipient)).expect("a partner").parts.concat()
    }

    fn take_in(&mut self, file: &[u8]) -> Result<Vec<Outcome>, BundleError> {
        self.take_in_at(file, NOW)
    }

    fn take_in_at(&mut self, file: &[u8], now: Timestamp) -> Result<Vec<Outcome>, BundleError> {
        let (replica, disk, random) = (&mut self.replica, &self.disk, &mut self.random);
        let outcome = import(file, replica, disk, now, random);
        self.keep(outcome)
    }

    /// Imports a whole bundle that is sound.
    pub fn read(&mut self, file: &[u8]) -> Imported {
        match self.take_in(file).expect("a sound bundle").pop() {
            Some(Outcome::Imported(imported)) => *imported,
            other => panic!("{other:?}"),
        }
    }

    fn keep<T>(&mut self, outcome: Result<T, BundleError>) -> Result<T, BundleError> {
        match outcome {
            Ok(_) => drop(self.commit()),
            Err(_) => self.replica.forget(&self.disk).expect("a sound disk"),
        }
        outcome
    }

    fn unacknowledged_by(&mut self, partner: &OrganisationId) -> u64 {
        self.replica.unacknowledged(&self.disk, partner).expect("a sound disk")
    }
}

pub fn request(recipient: OrganisationId) -> ExportRequest {
    ExportRequest {
        recipient,
        name: "Ente di prova".to_owned(),
        all: false,
        part_bytes: limits::PART_BYTES_DEFAULT,
        content_bytes: limits::BUNDLE_CONTENT_BYTES_MAX,
    }
}

/// Two partners without a line, and a space of the first that both write in.
struct Pair {
    owner: Node,
    member: Node,
    space: SpaceId,
    organisations: [Organisation; 2],
}

fn pair() -> Pair {
    let (first, owner) = Organisation::with_node(1);
    let (second, member) = Organisation::with_node(2);
    let known = [&first, &second];
    let (mut owner, member) = (Node::start(&owner, &known), Node::start(&member, &known));
    let space = owner.create_space();
    owner.grant(&space, second.id(), Role::Contributor, History::Start).expect("an owner");
    Pair { owner, member, space, organisations: [first, second] }
}

impl Pair {
    /// So many records of the owner.
    fn write(&mut self, count: usize) {
        for at in 0..count {
            self.owner.note(&self.space, &format!("Scheda {at}"));
        }
    }

    /// A bundle there and one back.
    fn exchange(&mut self) {
        let there = self.owner.bundle(self.member.organisation());
        self.member.read(&there);
        let back = self.member.bundle(self.owner.organisation());
        self.owner.read(&back);
    }

    fn agree(&self) -> bool {
        self.owner.shows(&self.space) == self.member.shows(&self.space)
            && self.owner.replica.summary(&self.space).map(|one| one.digest)
                == self.member.replica.summary(&self.space).map(|one| one.digest)
    }
}

#[test]
fn what_is_carried_there_and_back_is_the_same_on_both_sides() {
    let mut pair = pair();
    let first = pair.owner.note(&pair.space, "Una scheda");
    let there = pair.owner.bundle(pair.member.organisation());
    let imported = pair.member.read(&there);
    assert_eq!(imported.brought[&pair.space].entries, 1);
    assert!(imported.is_complete && imported.refused.is_empty(), "{imported:?}");
    pair.member.rename(&pair.space, first, "Un titolo migliore").unwrap();
    pair.member.note(&pair.space, "Un'altra scheda");
    let back = pair.member.bundle(pair.owner.organisation());
    assert_eq!(pair.owner.read(&back).brought[&pair.space].entries, 2);
    assert!(pair.agree());
    assert_eq!(pair.owner.title(&pair.space, &first).as_deref(), Some("Un titolo migliore"));
}

#[test]
fn a_bundle_holds_only_what_was_not_acknowledged() {
    let mut pair = pair();
    pair.write(40);
    let member = pair.member.organisation();
    let full = pair.owner.bundle(member);
    assert!(pair.owner.unacknowledged_by(&member) >= 40);
    pair.member.read(&full);
    assert!(pair.owner.bundle(member).len() >= full.len(), "nothing was acknowledged yet");
    let back = pair.member.bundle(pair.owner.organisation());
    pair.owner.read(&back);
    assert_eq!(pair.owner.unacknowledged_by(&member), 0);
    pair.owner.restart();
    let small = pair.owner.bundle_as(&request(member)).unwrap();
    assert_eq!(small.messages, 0, "everything was acknowledged");
    let everything = ExportRequest { all: true, ..request(member) };
    assert!(pair.owner.bundle_as(&everything).unwrap().messages >= 3);
}

#[test]
fn bundles_in_any_order_and_again_end_alike() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
        let mut pair = pair();
        let member = pair.member.organisation();
        let bundles: Vec<_> = (0..3)
            .map(|at| {
                let record = pair.owner.note(&pair.space, &format!("Scheda {at}"));
                pair.owner.rename(&pair.space, record, &format!("Titolo {at}")).unwrap();
                pair.owner.bundle(member)
            })
            .collect();
        for at in order.into_iter().chain(order) {
            pair.member.take_in(&bundles[at]).unwrap();
        }
        assert!(pair.agree(), "{order:?}");
        assert_eq!(pair.member.take_in(&bundles[0]), Ok(vec![Outcome::Known]));
    }
}

#[test]
fn an_older_word_of_a_partner_does_not_replace_a_newer_one() {
    let mut pair = pair();
    let owner = pair.owner.organisation();
    let early = pair.member.bundle(owner);
    pair.owner.note(&pair.space, "Una scheda");
    let there = pair.owner.bundle(pair.member.organisation());
    pair.member.read(&there);
    let late = pair.member.bundle(owner);
    pair.owner.read(&late);
    pair.owner.read(&early);
    assert_eq!(pair.owner.unacknowledged_by(&pair.member.organisation()), 0);
}

#[test]
fn parts_come_in_any_order_and_again_and_wait_over_a_restart() {
    let mut pair = pair();
    pair.write(40);
    let small =
        ExportRequest { part_bytes: limits::PART_BYTES_MIN, ..request(pair.member.organisation()) };
    let parts = pair.owner.bundle_as(&small).unwrap().parts;
    let count = u32::try_from(parts.len()).unwrap();
    assert!(count >= 3, "{count} parts");
    for (taken, part) in parts.iter().enumerate().rev().take(parts.len() - 1) {
        for _ in 0..2 {
            let outcome = pair.member.take_in(part).unwrap();
            let missing: Vec<_> = (1..=u32::try_from(taken).unwrap()).collect();
            assert_eq!(outcome, [Outcome::Waiting { missing, count }]);
        }
        pair.member.restart();
    }
    assert_eq!(pair.member.read(&parts[0]).brought[&pair.space].entries, 40);
    assert!(pair.agree());
    assert_eq!(pair.member.take_in(&parts[1]), Ok(vec![Outcome::Known]), "it is not awaited anew");
}

/// Parts that waited for the last one kept what was erased meanwhile, for as long as it did not
/// come, and their node had signed that nothing of it was left.
#[test]
fn parts_that_wait_keep_nothing_of_what_is_erased_meanwhile() {
    let mut pair = pair();
    pair.write(40);
    let canaries = Canaries::of(&mut pair.owner, &pair.space);
    let erased = *pair.owner.shows(&pair.space).keys().next().unwrap();
    let small =
        ExportRequest { part_bytes: limits::PART_BYTES_MIN, ..request(pair.member.organisation()) };
    let parts = pair.owner.bundle_as(&small).unwrap().parts;
    let (last, first) = parts.split_last().unwrap();
    for part in first {
        pair.member.take_in(part).unwrap();
    }
    pair.owner.erase(&pair.space, &erased).unwrap();
    let log = pair.owner.access_parcels(&pair.space, &pair.member.organisation());
    pair.member.take_all(&log);
    assert_eq!(pair.member.disk.values(Table::Parts).count(), 0);
    let missing: Vec<_> = (1..parts.len()).map(|one| u32::try_from(one).unwrap()).collect();
    let count = u32::try_from(parts.len()).unwrap();
    assert_eq!(pair.member.take_in(last), Ok(vec![Outcome::Waiting { missing, count }]));
    // The files are still there, and the old bundle brings nothing of it back.
    assert_eq!(pair.member.read(&first.concat()).brought[&pair.space].entries, 40);
    assert_eq!(pair.member.disk.values(Table::Parts).count(), 0);
    let held = Canaries::of_author(&mut pair.member, &pair.space, &pair.owner.id());
    assert_eq!((canaries.0.len(), held.0.len()), (40, 39));
    assert!(!pair.member.shows(&pair.space).contains_key(&erased));
    pair.exchange();
    pair.exchange();
    assert!(pair.agree());
}

#[test]
fn what_does_not_fit_goes_into_the_bundle_after_the_acknowledgement() {
    let mut pair = pair();
    let text = "Molte parole che riempiono lo spazio. ".repeat(100);
    for at in 0..200 {
        let mut fields = practice(&format!("Scheda {at}"));
        fields["procedure"] = json!(text);
        pair.owner.write(&pair.space, WriteTarget::New(Kind::Practice), &fields).unwrap();
    }
    let member = pair.member.organisation();
    let tight = ExportRequest { content_bytes: 600 * 1024, ..request(member) };
    let mut rounds = 0;
    loop {
        let made = pair.owner.bundle_as(&tight).unwrap();
        assert_eq!(pair.member.read(&made.parts.concat()).is_complete, made.is_complete);
        let back = pair.member.bundle(pair.owner.organisation());
        pair.owner.read(&back);
        rounds += 1;
        if made.is_complete {
            break;
        }
        assert!(rounds < 20, "no end");
    }
    assert!(rounds > 1 && pair.agree(), "{rounds} rounds");
}

#[test]
fn two_members_that_never_meet_exchange_over_a_third() {
    let (first, hub) = Organisation::with_node(1);
    let (second, left) = Organisation::with_node(2);
    let (third, right) = Organisation::with_node(3);
    // The two at the ends do not know each other: the hub's bundles tell them.
    let mut hub = Node::start(&hub, &[&first, &second, &third]);
    let mut left = Node::start(&left, &[&first, &second]);
    let mut right = Node::start(&right, &[&first, &third]);
    let space = hub.create_space();
    for member in [second.id(), third.id()] {
        hub.grant(&space, member, Role::Contributor, History::Start).unwrap();
    }
    let carry = |from: &mut Node, to: &mut Node| to.read(&from.bundle(to.organisation()));
    carry(&mut hub, &mut left);
    carry(&mut hub, &mut right);
    let record = left.note(&space, "Dal primo");
    carry(&mut left, &mut hub);
    carry(&mut hub, &mut right);
    right.rename(&space, record, "Dal secondo").unwrap();
    carry(&mut right, &mut hub);
    let imported = carry(&mut hub, &mut left);
    assert!(imported.refused.is_empty(), "{imported:?}");
    assert_eq!(left.title(&space, &record).as_deref(), Some("Dal secondo"));
    assert_eq!(left.shows(&space), right.shows(&space));
}

#[test]
fn a_carrier_takes_what_it_cannot_read_from_one_member_to_another() {
    let (first, owner) = Organisation::with_node(1);
    let (second, carrier) = Organisation::with_node(2);
    let (third, reader) = Organisation::with_node(3);
    let all = [&first, &second, &third];
    let mut owner = Node::start(&owner, &all);
    let mut carrier = Node::start(&carrier, &all);
    let mut reader = Node::start(&reader, &all);
    let space = owner.create_space();
    owner.grant(&space, second.id(), Role::Carrier, History::Start).unwrap();
    owner.grant(&space, third.id(), Role::Reader, History::Start).unwrap();
    let record = owner.note(&space, "Una scheda");
    carrier.read(&owner.bundle(second.id()));
    assert!(carrier.shows(&space).is_empty());
    reader.read(&carrier.bundle(third.id()));
    assert_eq!(reader.title(&space, &record).as_deref(), Some("Una scheda"));
}

#[test]
fn a_member_that_was_removed_learns_it_and_hands_in_what_it_wrote() {
    let mut pair = pair();
    pair.exchange();
    let (owner, member) = (pair.owner.organisation(), pair.member.organisation());
    pair.owner.revoke(&pair.space, member).unwrap();
    pair.owner.note(&pair.space, "Dopo la rimozione");
    pair.member.note(&pair.space, "Scritto senza saperlo");
    let farewell = pair.owner.bundle(member);
    let imported = pair.member.read(&farewell);
    assert!(imported.brought[&pair.space].access, "{imported:?}");
    assert_eq!(imported.brought[&pair.space].entries, 0, "nothing of afterwards");
    let role = pair.member.replica.summary(&pair.space).unwrap().role(&member);
    assert_eq!(role, None);
    let late = pair.member.bundle(owner);
    assert!(pair.owner.read(&late).refused.is_empty());
    let shown = pair.owner.shows(&pair.space);
    assert_eq!(pair.owner.replica.summary(&pair.space).unwrap().quarantined, 1, "{shown:?}");
    let again = pair.member.bundle_as(&request(owner)).unwrap();
    assert_eq!(again.messages, 1, "until it is known to have arrived");
    let last = pair.owner.bundle(member);
    pair.member.read(&last);
    assert_eq!(pair.member.bundle_as(&request(owner)).unwrap().messages, 0);
}

/// Whoever was removed told of another's removal over a line, and not in a bundle: who is reached
/// by bundles alone may meet nobody else.
#[test]
fn who_was_removed_tells_another_of_its_removal_and_nothing_to_who_stayed() {
    let founded = [1, 2, 3, 4].map(Organisation::with_node);
    let all: Vec<_> = founded.iter().map(|(organisation, _)| organisation).collect();
    let [mut owner, mut first, mut second, mut third] =
        founded.each_ref().map(|(_, credentials)| Node::start(credentials, &all));
    let space = owner.create_space();
    for member in [&first, &second, &third] {
        let member = member.organisation();
        owner.grant(&space, member, Role::Contributor, History::Start).unwrap();
    }
    for member in [&mut first, &mut second, &mut third] {
        member.read(&owner.bundle(member.organisation()));
    }
    for other in [&mut second, &mut third] {
        first.read(&other.bundle(first.organisation()));
        other.read(&first.bundle(other.organisation()));
    }
    let role = |node: &Node| node.replica.own_role(&space);
    owner.revoke(&space, second.organisation()).unwrap();
    owner.revoke(&space, first.organisation()).unwrap();
    first.read(&owner.bundle(first.organisation()));
    assert_eq!((role(&first), role(&second)), (None, Some(Role::Contributor)));
    let told = second.read(&first.bundle(second.organisation()));
    assert!(told.refused.is_empty(), "{told:?}");
    assert_eq!(role(&second), None);
    let told = third.read(&first.bundle(third.organisation()));
    assert!(told.brought.is_empty() && told.refused.is_empty(), "{told:?}");
    assert_eq!(third.access_log(&space).len(), 4, "the owner tells it");
}

#[test]
fn that_somebody_lives_is_told_without_a_line_too() {
    let mut pair = pair();
    let (owner, member) = (pair.owner.organisation(), pair.member.organisation());
    let (at, addresses) = (Timestamp::from_milliseconds(5_000), Vec::new());
    pair.owner.act(|replica, disk, _| replica.sign_beacon(disk, &addresses, at)).unwrap();
    let bundle = pair.owner.bundle(member);
    assert!(pair.member.read(&bundle).refused.is_empty());
    assert_eq!(pair.member.replica.confirmed(&owner, at), Some(at));
}

/// As far as was known when it came, the sender had no part in it; the access log that came after
/// it in the same bundle said otherwise.
/// Whoever took part by bundles alone was never told of whom a partner presented to it: in the
/// conventions that it shares with them it read identifiers in place of names.
#[test]
fn an_introduction_is_told_without_a_line_too() {
    let Pair { mut owner, mut member, organisations: [first, second], .. } = pair();
    let (third, _) = Organisation::with_node(3);
    owner.learn(&third);
    owner.accept(&third.id());
    let mut partner = owner.replica.partner(&third.id()).expect("a partner").clone();
    partner.name = "Comunità di prova".to_owned();
    owner.replica.put_partner(third.id(), partner).expect("its identity is known");
    owner.replica.introduce(second.id(), third.id(), NOW).expect("two partners");
    owner.commit();
    for _ in 0..2 {
        let imported = member.read(&owner.bundle(second.id()));
        assert!(imported.refused.is_empty(), "{imported:?}");
        let told: Vec<_> = member.replica.introduced(NOW).collect();
        let told: Vec<_> = told.iter().map(|one| (one.by, &*one.presentation.name)).collect();
        assert_eq!(told, [(first.id(), "Comunità di prova")]);
    }
    let accepted = member
        .act(|replica, disk, _| replica.accept_introduction(disk, &third.id(), NOW))
        .and_then(|()| member.act(|replica, _, _| Ok(replica.is_partner(&third.id()))));
    assert_eq!(accepted, Ok(true));
    member.read(&owner.bundle(second.id()));
    assert_eq!(member.replica.introduced(NOW).count(), 0, "and it is not asked for again");
}

#[test]
fn an_identity_log_that_comes_before_the_space_it_belongs_to_is_taken_after_it() {
    let mut pair = pair();
    let (mut third, _) = Organisation::with_node(3);
    for node in [&mut pair.owner, &mut pair.member] {
        node.learn(&third);
    }
    let before = pair.member.replica.identity_position(&third.id());
    third.add_node(9);
    pair.owner.learn(&third);
    pair.owner.accept(&third.id());
    let space = pair.owner.create_space();
    for member in [third.id(), pair.member.organisation()] {
        pair.owner.grant(&space, member, Role::Contributor, History::Start).unwrap();
    }
    let bundle = pair.owner.bundle(pair.member.organisation());
    assert!(pair.member.read(&bundle).refused.is_empty());
    let after = pair.member.replica.identity_position(&third.id());
    assert_eq!(after.length, before.length + 1);
}

/// What a bundle brought was judged as if it were the first of January 1970: every sign of life of
/// a partner without a line told of a clock that is decades ahead, and what it may bring within a
/// day was all that it might ever bring.
#[test]
fn what_a_bundle_brings_is_judged_by_the_time_of_its_reader() {
    let mut pair = pair();
    pair.owner.act(|replica, disk, _| replica.sign_beacon(disk, &[], NOW)).unwrap();
    let file = pair.owner.bundle(pair.member.organisation());
    pair.member.read(&file);
    let owner = pair.owner.organisation();
    assert_eq!(pair.member.replica.confirmed(&owner, NOW), Some(NOW), "its sign of life came");
    assert_eq!(pair.member.replica.clock_apart(&owner, NOW, &[]), None);
}
