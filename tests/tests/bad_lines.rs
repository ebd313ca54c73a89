//! Two nodes with a bad line between them: slow, breaking, deaf on one side, cut. In the end both
//! have everything.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::json;
use sincronia_client::api::Client;
use sincronia_node::api::RecordsQuery;
use sincronia_tests::federation::{self, Node};
use sincronia_tests::impairment::Relay;
use std::sync::atomic::Ordering;

const SEED: u64 = 4_711;
/// Records that each writes in each weather.
const RECORDS: usize = 15;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn practice(node: &Node, space: &str, title: &str) {
    node.client().create_record(space, &federation::practice(title)).unwrap();
}

fn count(client: &Client, space: &str) -> usize {
    let query = RecordsQuery {
        kind: Some("practice".into()),
        space: Some(space.to_owned()),
        ..RecordsQuery::default()
    };
    client.records(&query).unwrap().len()
}

#[test]
fn whatever_the_line_does_both_have_everything_in_the_end() {
    println!("seed {SEED}");
    let relays = [Relay::start(SEED), Relay::start(SEED + 1)];
    let names = ["Comune di Aulla", "Casa di accoglienza"];
    let nodes: Vec<Node> = relays
        .iter()
        .zip(names)
        .map(|(relay, name)| {
            let node = Node::found_behind(name, &relay.multiaddress());
            relay.lead_to(&node.listening());
            node
        })
        .collect();
    let [one, other] = nodes.as_slice() else { panic!("two nodes") };
    let _ = other.join(one);
    one.wait_in_sync();
    let space = one.client().create_space().unwrap().id;
    let member = serde_json::from_value(json!({
        "organisation": other.organisation, "role": "contributor", "history": "start",
    }));
    one.client().add_member(&space, &member.unwrap()).unwrap();
    other.wait("the space", |client| client.space(&space).is_ok_and(|one| one.has_key));

    let mut written = 0;
    let mut write = |weather: &str| {
        for at in 0..RECORDS {
            practice(one, &space, &format!("{weather} {at}, di qua"));
            practice(other, &space, &format!("{weather} {at}, di là"));
            written += 2;
        }
    };
    for line in relays.iter().map(|relay| &relay.line) {
        line.delay_ms.store(30, Ordering::SeqCst);
        line.breaks.store(25, Ordering::SeqCst);
    }
    write("linea lenta che cade");
    for line in relays.iter().map(|relay| &relay.line) {
        line.deaf.store(true, Ordering::SeqCst);
    }
    write("linea che sente da una parte sola");
    for line in relays.iter().map(|relay| &relay.line) {
        line.cut.store(true, Ordering::SeqCst);
    }
    write("nessuna linea");
    for line in relays.iter().map(|relay| &relay.line) {
        line.deaf.store(false, Ordering::SeqCst);
        line.cut.store(false, Ordering::SeqCst);
    }
    write("linea di nuovo cattiva");
    for node in &nodes {
        node.wait("everything", |client| count(client, &space) == written);
    }
    let through: u64 = relays.iter().map(|relay| relay.line.bytes.load(Ordering::SeqCst)).sum();
    let broken: u64 = relays.iter().map(|relay| relay.line.broken.load(Ordering::SeqCst)).sum();
    assert!(through > 10_000, "{through} bytes: the nodes found another way");
    println!("{written} records, {through} bytes through the relays, {broken} breaks");
}
