//! `kill -9` again and again, while one node writes and two synchronise.

use crate::federation::{Node, practice};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use sincronia_client::api::Client;
use sincronia_node::api::{RecordsQuery, VerifyStoreRequest};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The longest that a round lasts before somebody is killed.
const ROUND_MS_MAX: u64 = 250;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kills {
    /// Processes killed.
    pub kills: usize,
    /// Of these, the one that wrote.
    pub of_the_writer: usize,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Of these, missing on either node at the end.
    pub lost: usize,
    /// What the nodes find wrong in their stores at the end.
    pub problems: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Kills one of two nodes in each of so many rounds, and counts what is missing at the end.
///
/// # Panics
/// When a node does not start again, or they do not agree in the end.
#[must_use]
pub fn kills(rounds: usize, seed: u64, told: impl Fn(&Kills)) -> Kills {
    let started = Instant::now();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut nodes = [Node::found("Comune di Aulla"), Node::found("Casa di accoglienza")];
    let space = shared_space(&nodes);
    let mut found = Kills::default();
    let mut written = BTreeSet::new();
    for round in 0..rounds {
        let pause = Duration::from_millis(random.next_u64() % ROUND_MS_MAX);
        let victim = usize::from(random.next_u64() % 3 == 0);
        let acknowledged = write_until_killed(&nodes, victim, pause, (round, &space));
        written.extend(acknowledged);
        if let Some(node) = nodes.get_mut(victim) {
            node.kill();
            node.start();
        }
        found.kills += 1;
        found.of_the_writer += usize::from(victim == 0);
        found.acknowledged = written.len();
        told(&found);
    }
    for node in &nodes {
        node.wait("everything that was acknowledged", |client| {
            written.is_subset(&titles(client, &space))
        });
        node.wait_in_sync();
        found.lost += written.difference(&titles(node.client(), &space)).count();
        let checked = node.client().verify(&VerifyStoreRequest { deep: true });
        found.problems.extend(checked.expect("an answer").problems);
        assert!(!node.client().status().expect("an answer").cloned, "a log forked");
    }
    found.elapsed = started.elapsed();
    found
}

fn shared_space(nodes: &[Node; 2]) -> String {
    let [one, other] = nodes;
    let _ = other.join(one);
    let space = one.client().create_space().expect("a space").id;
    let member = json!({
        "organisation": other.organisation, "role": "contributor", "history": "start",
    });
    let member = serde_json::from_value(member).expect("a member");
    one.client().add_member(&space, &member).expect("a member");
    other.wait("the space", |client| client.space(&space).is_ok_and(|one| one.has_key));
    space
}

/// Writes on the first node until a node was killed; the titles that were acknowledged.
fn write_until_killed(
    nodes: &[Node; 2],
    victim: usize,
    pause: Duration,
    (round, space): (usize, &str),
) -> Vec<String> {
    let [writer, _] = nodes;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| write(&writer.directory, round, space, &over));
        std::thread::park_timeout(pause);
        nodes[victim].kill_now();
        over.store(true, Ordering::SeqCst);
        writing.join().expect("nobody panics")
    })
}

fn write(directory: &Path, round: usize, space: &str, over: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(client) = Client::connect(directory) else { return acknowledged };
    for number in 0.. {
        let title = format!("giro {round}, scheda {number}");
        if client.create_record(space, &practice(&title)).is_err() || over.load(Ordering::SeqCst) {
            // The last one may have been written; nobody was told so.
            break;
        }
        acknowledged.push(title);
    }
    acknowledged
}

fn titles(client: &Client, space: &str) -> BTreeSet<String> {
    let query = RecordsQuery {
        kind: Some("practice".into()),
        space: Some(space.to_owned()),
        ..RecordsQuery::default()
    };
    let records = client.records(&query).expect("an answer");
    let title = |fields: &serde_json::Map<String, serde_json::Value>| {
        fields.get("title").and_then(|title| title.as_str()).map(str::to_owned)
    };
    records.iter().filter_map(|record| title(&record.fields)).collect()
}
