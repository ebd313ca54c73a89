//! Two running copies of one node, as a copied virtual machine makes them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::json;
use sincronia_node::api::{ConventionRequest, ErrorCode};
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

#[test]
fn threat_27_of_two_running_copies_one_stops() {
    let partner = Node::found("Azienda USL Toscana nord ovest");
    let mut original = Node::found("Comune di Aulla");
    let _ = original.join(&partner);
    original.wait_in_sync();
    original.kill();
    let mut copy = original.copy();
    original.start();
    original.wait_in_sync();
    copy.start();
    original.wait("it hears of the copy", |client| client.status().unwrap().cloned);
    assert!(!copy.client().status().unwrap().cloned, "the one that started last goes on");
    let title = json!({"fields": {"title": "Scritta dalla prima"}, "operator": "segreteria"});
    let request: ConventionRequest = serde_json::from_value(title).unwrap();
    let refused = original.client().create_convention(&request);
    assert_eq!(refused.unwrap_err().code, ErrorCode::Cloned);
    let checks = original.client().doctor().unwrap();
    let check = checks.iter().find(|one| one.name == "one_copy").unwrap();
    assert!(!check.ok && check.remedy.is_some());
}
