//! The running network.

use super::address_book::AddressBook;
use super::data::Data;
use super::pairs::Pairs;
use super::patience::{Found, Patience};
use super::plan::{PlannedSpace, plan};
use super::process::Process;
use super::report::Report;
use super::stage::Stage;
use super::{DemoError, Moment, Narrator};
use crate::api::Client;
use sincronia_node::api::ApiError;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One organisation's node.
#[derive(Debug)]
pub(super) struct Node {
    pub key: String,
    pub name: String,
    /// Its organisation's identifier.
    pub organisation: String,
    pub directory: PathBuf,
    pub client: Client,
    pub process: Process,
}

impl Node {
    /// Asks, and says who refused what.
    pub(super) fn ask<T>(
        &self,
        what: &str,
        question: impl FnOnce(&Client) -> Result<T, ApiError>,
    ) -> Result<T, DemoError> {
        question(&self.client).map_err(|error| self.refused(what, &error))
    }

    fn refused(&self, what: &str, error: &ApiError) -> DemoError {
        let problems = error.problems.iter().map(|one| format!("{}: {}", one.field, one.message));
        let reason: Vec<_> = std::iter::once(error.message.clone()).chain(problems).collect();
        let reason = reason.join("; ");
        DemoError::Refused { key: self.key.clone(), what: what.to_owned(), reason }
    }
}

/// Every node, and what is written where.
pub(super) struct Network<'a> {
    pub data: Data,
    pub pairs: Pairs,
    pub plan: Vec<PlannedSpace>,
    pub patience: Patience,
    pub nodes: BTreeMap<String, Node>,
    /// Identifiers of spaces by their name in the plan.
    pub spaces: BTreeMap<String, String>,
    /// Identifiers of records by their name in the plan.
    pub records: BTreeMap<String, String>,
    pub stage: Stage,
    /// Held by whoever carries files.
    pub carrying: Mutex<()>,
    /// Files carried.
    pub carried: AtomicUsize,
    narrator: Narrator<'a>,
    book: Option<AddressBook>,
}

impl<'a> Network<'a> {
    pub(super) fn new(
        data: Data,
        stage: Stage,
        patience: Patience,
        narrator: Narrator<'a>,
    ) -> Self {
        let pairs = Pairs::of(&data);
        let plan = plan(&data, &pairs);
        Self {
            data,
            pairs,
            plan,
            patience,
            nodes: BTreeMap::new(),
            spaces: BTreeMap::new(),
            records: BTreeMap::new(),
            stage,
            carrying: Mutex::new(()),
            carried: AtomicUsize::new(0),
            narrator,
            book: None,
        }
    }

    /// Starts those who are there from the beginning, lets them join and writes what is theirs.
    pub(super) fn open(&mut self, report: &mut Report) -> Result<(), DemoError> {
        let first = self.keys(|late| !late);
        report.timed("start", || self.start(&first))?;
        report.timed("join", || self.join(&first))?;
        report.timed("write", || self.write(&first))
    }

    /// Those who join while the network runs.
    pub(super) fn newcomers(&self) -> Vec<String> {
        self.keys(|late| late)
    }

    fn keys(&self, wanted: impl Fn(bool) -> bool) -> Vec<String> {
        let bodies = self.data.organisations.iter();
        let wanted = bodies.filter(|body| wanted(body.extra_provincial));
        wanted.map(|body| body.key.clone()).collect()
    }

    /// The keys of all nodes that run.
    pub(super) fn present(&self) -> BTreeSet<String> {
        self.nodes.keys().cloned().collect()
    }

    /// The node with this key.
    pub(super) fn node(&self, key: &str) -> Result<&Node, DemoError> {
        let node = self.nodes.get(key);
        node.ok_or_else(|| DemoError::Missing(format!("the node {key} does not run")))
    }

    /// The identifier of a space of the plan.
    pub(super) fn space(&self, name: &str) -> Result<&str, DemoError> {
        let space = self.spaces.get(name).map(String::as_str);
        space.ok_or_else(|| DemoError::Missing(format!("{name} was not written")))
    }

    pub(super) fn tell(&self, key: &'static str, done: usize, all: usize) {
        (self.narrator)(Moment { key, done, all });
    }

    /// Creates and starts nodes, several at a time, and waits until each answers.
    pub(super) fn start(&mut self, keys: &[String]) -> Result<(), DemoError> {
        let names: Vec<_> = keys
            .iter()
            .filter_map(|key| self.data.organisation(key))
            .map(|body| (body.key.clone(), body.name.clone()))
            .collect();
        let started = self.each("demo-starting", &names, |(key, name)| {
            Process::initialise(&self.stage, key, name)?;
            let closed = self.has_no_line(key, key);
            self.awaited(key, name, Process::start(&self.stage, key, closed)?)
        })?;
        self.nodes.extend(started.into_iter().map(|node| (node.key.clone(), node)));
        let directories = self.nodes.iter();
        let directories =
            directories.map(|(key, node)| (key.clone(), node.directory.clone())).collect();
        // A demonstration without its address book still works; `--node` does not.
        self.book = AddressBook::write(directories).ok();
        Ok(())
    }

    /// Waits until a process answers as the node of an organisation.
    pub(super) fn awaited(
        &self,
        key: &str,
        name: &str,
        mut process: Process,
    ) -> Result<Node, DemoError> {
        let directory = self.stage.directory(key);
        let what = format!("the node {key} answers");
        let (client, organisation) = self.patience.until(&what, || {
            process.check()?;
            let answer = Client::connect(&directory).and_then(|client| {
                client.health()?;
                let organisation = client.status()?.organisation;
                Ok((client, organisation))
            });
            Ok(match answer {
                Ok(answer) => Found::Done(answer),
                Err(error) => Found::Behind(format!("{key}: {error}")),
            })
        })?;
        let (key, name) = (key.to_owned(), name.to_owned());
        Ok(Node { key, name, organisation, directory, client, process })
    }

    /// Does something with each of many, several at a time; the first error wins.
    pub(super) fn each<T: Sync, R: Send>(
        &self,
        moment: &'static str,
        items: &[T],
        work: impl Fn(&T) -> Result<R, DemoError> + Sync,
    ) -> Result<Vec<R>, DemoError> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let workers = std::thread::available_parallelism().map_or(2, usize::from) * 2;
        self.tell(moment, 0, items.len());
        std::thread::scope(|scope| {
            let labour = || -> Result<(), DemoError> {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    self.patience.check()?;
                    let result = work(item).inspect_err(|_| {
                        // The others stop at their next item.
                        next.store(items.len(), Ordering::SeqCst);
                    })?;
                    if let Ok(mut done) = done.lock() {
                        done.push(result);
                        self.tell(moment, done.len(), items.len());
                    }
                }
                Ok(())
            };
            let workers: Vec<_> =
                (0..workers.min(items.len())).map(|_| scope.spawn(labour)).collect();
            let joined = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|_| Err(DemoError::Missing("a worker broke".into())))
            });
            joined.collect::<Result<Vec<_>, _>>()
        })?;
        Ok(done.into_inner().unwrap_or_default())
    }

    /// Ends all nodes: all are told first, then each is waited for.
    pub(super) fn close(mut self) {
        self.nodes.values_mut().for_each(|node| node.process.release());
        self.nodes.clear();
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        self.nodes.values_mut().for_each(|node| node.process.release());
    }
}
