//! Two nodes, one of them with all the records.

use super::api::Api;
use super::node::Node;
use super::plan::{Plan, Shape};
use super::{Failure, content};
use serde_json::{Map, Value, json};
use sincronia_node::api::{
    BatchRequest, BatchResult, ConventionView, NewInvitation, PartnerView, RecordView, Status,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Rows of one batch while loading.
const BATCH_ROWS: usize = 1_000;
/// Writers at once while loading: they share commits.
const WRITERS: usize = 64;
/// How often a state is looked at that has no event.
const GLANCE: Duration = Duration::from_millis(1);

/// Where a record is.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its space.
    pub space: String,
    /// The record.
    pub record: String,
}

/// A node with its API, running or not.
pub struct Side {
    /// The process.
    pub node: Node,
    /// Its API, as it was at the last start.
    pub api: Api,
}

impl Side {
    /// Founds and starts a node.
    fn found(plan: &Plan, parent: &std::path::Path, name: &str) -> Result<Self, Failure> {
        let mut node = Node::found(&plan.program, parent.join(name), &format!("Comune di {name}"))?;
        let api = node.start()?;
        Ok(Self { node, api })
    }

    /// Stops the process.
    pub fn stop(&mut self) -> Result<(), Failure> {
        self.node.stop(&self.api)
    }

    /// Starts the process.
    pub fn start(&mut self) -> Result<(), Failure> {
        self.api = self.node.start()?;
        Ok(())
    }

    /// Where synchronisation with `other` stands.
    pub fn phase(&self, other: &Self) -> Result<String, Failure> {
        let path = format!("/partners/{}", other.node.organisation);
        Ok(self.api.get::<PartnerView>(&path)?.sync.phase)
    }

    /// Waits until synchronisation with `other` stands at `phase`.
    pub fn wait_for_phase(&self, other: &Self, phase: &str) -> Result<(), Failure> {
        while self.phase(other)? != phase {
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Bytes of frames so far, both directions.
    pub fn traffic(&self) -> Result<u64, Failure> {
        let status: Status = self.api.get("/status")?;
        Ok(status.bytes_sent + status.bytes_received)
    }

    /// Changes fields of a record.
    pub fn edit(&self, place: &Place, fields: &Map<String, Value>) -> Result<RecordView, Failure> {
        let path = format!("/spaces/{}/records/{}", place.space, place.record);
        self.api.patch(&path, &json!({ "fields": fields, "operator": "assistente sociale" }))
    }

    /// Makes an invitation, for `other` to join with.
    pub fn invite(&self) -> Result<String, Failure> {
        Ok(self.api.post::<NewInvitation>("/invitations", &json!({}))?.text)
    }

    /// Joins by an invitation.
    pub fn join(&self, invitation: &str) -> Result<(), Failure> {
        self.api.post::<PartnerView>("/join", &json!({ "invitation": invitation })).map(drop)
    }
}

/// Two nodes, one of them with all the records.
pub struct Pair {
    /// Holds the records.
    pub a: Side,
    /// Joins later.
    pub b: Side,
    /// The records of A.
    pub records: Vec<Place>,
    /// Records that B changes.
    pub of_b: Vec<Place>,
    /// How the records lie.
    pub shape: Shape,
    /// Changes of each record.
    pub changes: usize,
    edits: AtomicUsize,
    _directory: tempfile::TempDir,
}

impl Pair {
    /// Founds both, and gives A its records. A has been restarted since: its peak memory is not
    /// that of loading.
    pub fn load(plan: &Plan, shape: Shape) -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("benchmark").tempdir_in(&plan.directory)?;
        let a = Side::found(plan, directory.path(), "Aulla")?;
        let b = Side::found(plan, directory.path(), "Bagnone")?;
        let records = match shape {
            Shape::Directory => load_contacts(&a, plan.records)?,
            Shape::Spaces => load_conventions(plan, &a, &b, directory.path())?,
        };
        let mut pair = Self {
            a,
            b,
            records,
            of_b: Vec::new(),
            shape,
            changes: plan.changes,
            edits: AtomicUsize::new(0),
            _directory: directory,
        };
        for _ in 1..plan.changes {
            at_once(&pair.records, |place| pair.edit(&pair.a, place))?;
        }
        pair.a.stop()?;
        pair.a.start()?;
        Ok(pair)
    }

    /// The kind of the records.
    pub const fn kind(&self) -> &'static str {
        match self.shape {
            Shape::Directory => "contact",
            Shape::Spaces => "convention",
        }
    }

    /// Changes a record on one side, each time differently.
    pub fn edit(&self, side: &Side, place: &Place) -> Result<(), Failure> {
        let change = self.edits.fetch_add(1, Ordering::Relaxed);
        let fields = match self.shape {
            Shape::Directory => content::contact_edit(change),
            Shape::Spaces => content::convention_edit(change),
        };
        side.edit(place, &fields).map(drop)
    }

    /// Gives B ten records that it may change: contacts of its own, or conventions it is party of.
    pub fn choose_of_b(&mut self) -> Result<(), Failure> {
        self.of_b = match self.shape {
            Shape::Directory => load_contacts(&self.b, 10)?,
            Shape::Spaces => self.records.iter().rev().take(10).cloned().collect(),
        };
        Ok(())
    }
}

fn load_contacts(side: &Side, count: usize) -> Result<Vec<Place>, Failure> {
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(BATCH_ROWS) {
        let request = BatchRequest {
            space: None,
            kind: "contact".into(),
            rows: numbers.iter().map(|number| content::contact(*number)).collect(),
            dry_run: false,
            partial: false,
            operator: Some("assistente sociale".into()),
        };
        let result: BatchResult = side.api.post("/records/batch", &request)?;
        let problem = result.rows.iter().find_map(|row| row.problems.first());
        if let Some(problem) = problem {
            return Err(format!("{}: {}", problem.field, problem.message).into());
        }
    }
    let all: Vec<RecordView> = side.api.get("/records?kind=contact")?;
    let own = |one: &RecordView| {
        let creator = one.created.as_ref().map(|origin| &origin.organisation);
        creator == Some(&side.node.organisation)
    };
    let all = all.into_iter().filter(own);
    Ok(all.map(|one| Place { space: one.space, record: one.id }).collect())
}

/// Conventions of A with B, which comes later, and with C, which joins and leaves at once.
fn load_conventions(
    plan: &Plan,
    a: &Side,
    b: &Side,
    parent: &std::path::Path,
) -> Result<Vec<Place>, Failure> {
    let mut c = Side::found(plan, parent, "Casola")?;
    c.join(&a.invite()?)?;
    c.stop()?;
    let parties = [a, b, &c].map(|side| side.node.organisation.clone());
    let places = Mutex::new(Vec::with_capacity(plan.records));
    let numbers: Vec<usize> = (0..plan.records).collect();
    at_once(&numbers, |number| {
        let fields = content::convention(*number, &parties);
        let created: ConventionView = a.api.post("/conventions", &json!({ "fields": fields }))?;
        let place = Place { space: created.space.id, record: created.convention.id };
        places.lock().map_err(|_| "a writer failed")?.push(place);
        Ok(())
    })?;
    Ok(places.into_inner().map_err(|_| "a writer failed")?)
}

/// Does something for each of `all`, many at once.
pub fn at_once<T: Sync>(
    all: &[T],
    each: impl Fn(&T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            each(one)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| Failure::from("a writer failed"))?)
    })
}
