//! Nodes that move: their signed addresses reach partners through those that both have.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

#[test]
fn two_that_moved_at_once_find_each_other_through_a_common_partner() {
    let common = Node::found("Azienda USL Toscana nord ovest");
    let mut one = Node::found("Comune di Aulla");
    let mut other = Node::found("Comune di Fivizzano");
    for (node, host) in [(&one, &common), (&other, &common), (&other, &one)] {
        let _ = node.join(host);
    }
    for node in [&common, &one, &other] {
        node.wait_in_sync();
    }
    // Neither is where the other knows it.
    let _taken = [one.move_away(), other.move_away()];
    one.start();
    let before = common.organisation.as_str();
    one.wait("the common partner", |client| {
        let partners = client.partners().unwrap();
        partners
            .iter()
            .any(|partner| partner.organisation == before && partner.sync.phase == "in_sync")
    });
    other.start();
    for node in [&other, &one] {
        node.wait_in_sync();
    }
}
