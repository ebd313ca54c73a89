//! A disk that is nearly full: partners wait, people go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use sincronia_client::api::Client;
use sincronia_node::api::ConventionsQuery;
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn has(client: &Client, id: &str) -> bool {
    let all = client.conventions(&ConventionsQuery::default()).unwrap();
    all.iter().any(|one| one.id == id)
}

#[test]
fn threat_29_a_node_short_of_room_takes_nothing_and_its_people_go_on() {
    let mut comune = Node::found("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&comune);
    comune.wait_in_sync();
    comune.kill();
    comune.start_short();
    comune.wait("that there is no room", |client| client.status().unwrap().short_of_room);
    let theirs = casa.agree(&comune, "Laboratorio").convention.id;
    let own = comune.agree(&casa, "Accoglienza residenziale").convention.id;
    comune.client().sync().unwrap();
    casa.client().sync().unwrap();
    let status = comune.client().status().unwrap();
    assert_eq!(status.counts.connected, 0, "nothing is exchanged");
    assert!(has(comune.client(), &own), "its people go on");
    assert!(!has(comune.client(), &theirs) && !has(casa.client(), &own));
    let checks = comune.client().doctor().unwrap();
    assert!(checks.iter().any(|one| one.name == "room" && !one.ok && one.remedy.is_some()));
    // There is room again.
    comune.kill();
    comune.start();
    comune.wait("what waited", |client| has(client, &theirs));
    casa.wait("what was written meanwhile", |client| has(client, &own));
}
