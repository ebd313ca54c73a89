//! Erasure: what is gone, what stays, and what comes too late.

use super::adversary::new_practice;
use super::circle::Circle;
use super::forging::forger;
use super::line::Line;
use super::organisation::Node;
use super::parcel::Parcel;
use sincronia_protocol::access::{AccessOperation, ErasedEntries, Role};
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::log::{Run, RunError};
use sincronia_protocol::replica::{Event, ReplicaError};
use sincronia_protocol::storage::Table;
use sincronia_protocol::sync::SyncPhase;

/// What must be gone: words of a record as people write them, and the sealed bodies of entries.
pub struct Canaries(pub Vec<Vec<u8>>);

impl Canaries {
    /// The bodies of an author's log, as a node that knows of no erasure would send them.
    pub fn of(node: &mut Node, space: &SpaceId) -> Self {
        let runs = node.author_parcels(space).into_iter().filter_map(|parcel| match parcel {
            Parcel::Run(run) => Some(run),
            _ => None,
        });
        let entries = runs.flat_map(|run| run.entries);
        Self(entries.map(|entry| entry.body.sealed().expect("not erased").to_vec()).collect())
    }

    /// The bodies of one author's log that are still here.
    pub fn of_author(node: &mut Node, space: &SpaceId, author: &NodeId) -> Self {
        let runs = runs(node, space).into_iter().filter(|run| run.author == *author);
        let entries = runs.flat_map(|run| run.entries);
        Self(entries.filter_map(|entry| entry.body.sealed().map(<[u8]>::to_vec)).collect())
    }

    pub fn assert_gone(&self, node: &Node) {
        for table in Table::ALL {
            for (_, value) in node.disk.values(table) {
                for canary in &self.0 {
                    let is_there = value.windows(canary.len()).any(|part| part == canary);
                    assert!(!is_there, "an erased body stands in {}", table.name());
                }
            }
        }
    }
}

impl Circle {
    /// Contributors, and the outsider as a carrier; everybody knows.
    pub fn with_carrier() -> Self {
        let mut circle = Self::of_contributors();
        circle.admit(circle.outsider.organisation(), Role::Carrier);
        circle.meet();
        circle
    }

    /// Everybody meets the owner, as often as it takes; the owner pays its debts.
    pub fn meet(&mut self) {
        for _ in 0..3 {
            for other in [&mut self.member, &mut self.colleague, &mut self.outsider] {
                let mut line = Line::open(&mut self.owner, other);
                line.run_sound();
                assert_eq!(line.phases(), [SyncPhase::InSync; 2]);
                assert_eq!(line.closed, []);
            }
            for space in self.owner.replica.erasures_due() {
                self.owner
                    .act(|replica, disk, _| replica.settle_erasures(disk, &space))
                    .expect("a primary");
            }
        }
    }

    pub fn everybody(&mut self) -> [&mut Node; 4] {
        [&mut self.owner, &mut self.member, &mut self.colleague, &mut self.outsider]
    }

    /// That everybody holds the same, sound in every chain, and nobody shows the record or holds
    /// what the canaries say.
    pub fn assert_erased(&mut self, record: &RecordId, canaries: &Canaries) {
        let space = self.space;
        let digest = self.owner.digests();
        for node in self.everybody() {
            assert_eq!(node.digests(), digest);
            assert!(!node.shows(&space).contains_key(record));
            canaries.assert_gone(node);
            let findings = node.replica.verify(&node.disk, true).expect("a readable disk");
            assert_eq!(findings.problems, Vec::<String>::new());
            node.restart();
            assert!(node.replica.is_erased(&node.disk, &space, record).expect("a space"));
            assert!(!node.shows(&space).contains_key(record));
        }
    }
}

fn runs(node: &mut Node, space: &SpaceId) -> Vec<Run> {
    let parcels = node.author_parcels(space).into_iter();
    let run = |parcel| if let Parcel::Run(run) = parcel { Some(run) } else { None };
    parcels.filter_map(run).collect()
}

#[test]
fn an_erased_record_is_gone_everywhere_and_every_chain_still_holds() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "dati di una persona");
    circle.meet();
    circle.member.rename(&space, record, "dati di una persona, corretti").unwrap();
    circle.colleague.rename(&space, record, "ancora corretti").unwrap();
    circle.meet();
    let canaries = Canaries::of(&mut circle.colleague, &space);
    let kept = circle.member.note(&space, "resta");
    circle.meet();
    circle.owner.erase(&space, &record).unwrap();
    circle.meet();

    assert_eq!(canaries.0.len(), 3);
    circle.assert_erased(&record, &canaries);
    assert_eq!(circle.agreed_title(&kept).as_deref(), Some("resta"));
    let of_kept = runs(&mut circle.outsider, &space);
    let bodies = of_kept.iter().flat_map(|run| &run.entries).filter(|one| !one.body.is_erased());
    assert_eq!(bodies.count(), 1, "the carrier keeps what was not erased");
}

#[test]
fn an_erased_record_can_be_neither_written_nor_erased_again() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.meet();
    assert_eq!(circle.member.erase(&space, &record), Err(ReplicaError::NotPermitted));
    circle.owner.erase(&space, &record).unwrap();
    circle.meet();
    for node in [&mut circle.owner, &mut circle.member] {
        assert_eq!(node.rename(&space, record, "di nuovo"), Err(ReplicaError::Erased));
        let history = node.replica.history(&node.disk, &space, &record).map(drop);
        assert_eq!(history, Err(ReplicaError::Erased));
    }
    assert_eq!(circle.owner.erase(&space, &record), Err(ReplicaError::Erased));
    let length = circle.owner.replica.summary(&space).unwrap().access.length;
    circle.meet();
    assert_eq!(circle.owner.replica.summary(&space).unwrap().access.length, length);
}

#[test]
fn threat_20_a_body_left_out_is_refused_where_no_erasure_names_it() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    circle.owner.note(&space, "nascosta da chi la porta");
    let mut run = runs(&mut circle.owner, &space).remove(0);
    for entry in &mut run.entries {
        entry.body = entry.body.erased();
    }
    let refused = circle.member.take(&Parcel::Run(run));
    assert_eq!(refused, Err(ReplicaError::Run(RunError::BodyMissing)));
    assert!(runs(&mut circle.member, &space).is_empty());
}

#[test]
fn a_body_that_arrives_after_its_erasure_is_not_kept() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "ancora in viaggio");
    let canaries = Canaries::of(&mut circle.owner, &space);
    let on_the_way = circle.owner.author_parcels(&space);
    circle.owner.erase(&space, &record).unwrap();
    let log = circle.owner.access_parcels(&space, &circle.member.organisation());
    circle.member.take_all(&log);
    circle.member.take_all(&on_the_way);
    assert_eq!(runs(&mut circle.member, &space).len(), 1);
    circle.meet();
    circle.assert_erased(&record, &canaries);
}

#[test]
fn an_edit_made_without_knowing_of_the_erasure_is_erased_too_and_its_author_told() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.meet();
    circle.member.rename(&space, record, "modifica senza linea").unwrap();
    let canaries = Canaries::of(&mut circle.member, &space);
    assert_eq!(canaries.0.len(), 2);
    circle.owner.erase(&space, &record).unwrap();

    // The member hears of it.
    let log = circle.owner.access_parcels(&space, &circle.member.organisation());
    let entries = log.iter().find_map(|parcel| match parcel {
        Parcel::Access { entries, .. }
            if matches!(entries[0].statement.operation, AccessOperation::Erase { .. }) =>
        {
            Some(entries.clone())
        }
        _ => None,
    });
    let Node { replica, disk, .. } = &mut circle.member;
    replica.admit_access(disk, &space, &entries.unwrap(), true).unwrap();
    let told = Event::Erased { space, record, own_edit: true };
    assert_eq!(replica.take_events().iter().filter(|event| **event == told).count(), 1);
    circle.member.commit();
    assert_eq!(circle.member.title(&space, &record), None);

    circle.meet();
    let erasures = circle.owner.access_log(&space).into_iter().filter(|entry| {
        let operation = &entry.statement.operation;
        matches!(operation, AccessOperation::Erase { record: one, .. } if *one == record)
    });
    assert_eq!(erasures.count(), 2, "the owner names the late entry by itself, once");
    assert_eq!(circle.owner.replica.erasures_due(), []);
    circle.assert_erased(&record, &canaries);
}

#[test]
fn the_owner_pays_its_debt_after_a_restart() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.meet();
    circle.colleague.rename(&space, record, "tardi").unwrap();
    let canaries = Canaries::of(&mut circle.colleague, &space);
    circle.owner.erase(&space, &record).unwrap();
    circle.colleague.give(&mut circle.owner, &space);
    assert!(!circle.owner.shows(&space).contains_key(&record));
    assert_eq!(circle.owner.replica.erasures_due(), [space]);
    circle.owner.restart();
    assert_eq!(circle.owner.replica.erasures_due(), [space]);
    circle.meet();
    circle.assert_erased(&record, &canaries);
}

#[test]
fn what_is_written_on_purpose_into_an_erased_record_is_hidden_and_fills_no_access_log() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "da dimenticare");
    circle.meet();
    circle.owner.erase(&space, &record).unwrap();
    circle.meet();
    // A changed program of the member, which has seen the erasure.
    let secrets = circle.member.credentials.clone();
    let seen = circle.owner.access_log(&space).len();
    let mut forger = forger(&mut circle, &secrets, seen, 0);
    let mut written = new_practice(&secrets, 1, "di nuovo qui");
    written.record = record;
    let runs: Vec<_> = (0..3).map(|_| forger.sign(&written)).collect();
    for run in runs {
        circle.owner.take(&Parcel::Run(run)).unwrap();
        assert_eq!(circle.owner.replica.erasures_due(), []);
    }
    assert_eq!(circle.owner.access_log(&space).len(), seen);
    assert!(!circle.owner.shows(&space).contains_key(&record));
    let before = Canaries::of_author(&mut circle.owner, &space, &circle.member.id());
    assert_eq!(before.0.len(), 3, "their bodies wait until the owner says so");
    circle.owner.erase(&space, &record).unwrap();
    assert_eq!(circle.owner.access_log(&space).len(), seen + 1);
    before.assert_gone(&circle.owner);
}

#[test]
fn an_old_copy_of_a_disk_erases_again_as_it_syncs() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "nel salvataggio");
    circle.meet();
    let canaries = Canaries::of(&mut circle.owner, &space);
    let backup = circle.member.disk.clone();
    circle.owner.erase(&space, &record).unwrap();
    circle.meet();
    circle.member.disk = backup;
    circle.member.restart();
    assert_eq!(circle.member.title(&space, &record).as_deref(), Some("nel salvataggio"));
    circle.meet();
    circle.assert_erased(&record, &canaries);
}

#[test]
fn who_joins_after_an_erasure_takes_the_log_without_its_bodies() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "prima che arrivasse");
    let kept = circle.owner.note(&space, "per tutti");
    circle.owner.erase(&space, &record).unwrap();
    circle.admit(circle.outsider.organisation(), Role::Reader);
    let log = circle.owner.access_parcels(&space, &circle.outsider.organisation());
    circle.outsider.take_all(&log);
    for run in runs(&mut circle.owner, &space) {
        circle.outsider.take(&Parcel::Run(run)).unwrap();
    }
    assert_eq!(circle.outsider.shows(&space).keys().collect::<Vec<_>>(), [&kept]);
    assert_eq!(circle.outsider.shows(&space), circle.owner.shows(&space));
    circle.meet();
    assert_eq!(circle.outsider.digests(), circle.owner.digests());
}

#[test]
fn places_that_belong_to_another_record_take_it_away_on_every_node_alike() {
    let mut circle = Circle::with_carrier();
    let space = circle.space;
    let named = circle.owner.note(&space, "quella nominata");
    let other = circle.member.note(&space, "un'altra");
    circle.meet();
    circle.colleague.rename(&space, other, "corretta").unwrap();
    circle.meet();
    let last = circle.owner.access_log(&space).pop().unwrap();
    let point = last.statement.hash();
    let entries = ErasedEntries::gather([(circle.member.id(), 0)]);
    let statement = sincronia_protocol::access::AccessStatement {
        sequence: last.statement.sequence + 1,
        previous: point,
        operation: AccessOperation::Erase { record: named, entries },
        ..last.statement
    };
    let entry = statement.sign(&circle.owner.credentials.node_key);
    for node in [&mut circle.member, &mut circle.colleague] {
        node.take(&Parcel::Access { space, entries: vec![entry.clone()], is_complete: true })
            .unwrap();
        assert_eq!(node.title(&space, &other), None);
        let findings = node.replica.verify(&node.disk, true).unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
    }
    assert_eq!(circle.member.shows(&space), circle.colleague.shows(&space));
}
