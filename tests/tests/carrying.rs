//! Real nodes of which one carries what two others share: each says what it knows of that, and no
//! more.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use sincronia_node::api::{MemberRequest, SpaceView};
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

/// A convention of both, carried by a third.
fn carried_convention(owner: &Node, party: &Node, carrier: &Node) -> String {
    let parties = [(owner, "inviante"), (party, "gestore")];
    let request = federation::agreement("Tirocini in comune", &parties);
    let space = owner.client().create_convention(&request).unwrap().space.id;
    let organisation = carrier.organisation.clone();
    let member = MemberRequest { organisation, role: "carrier".into(), history: None };
    owner.client().add_member(&space, &member).unwrap();
    space
}

fn space(node: &Node, id: &str) -> Option<SpaceView> {
    node.client().spaces().unwrap().into_iter().find(|space| space.id == id)
}

#[test]
fn who_carries_sees_what_it_carries_and_who_sends_sees_through_whom() {
    let owner = Node::found("Comune di Aulla");
    let (carrier, mut party) = (Node::found("Unione dei comuni"), Node::found("ASL"));
    let _ = carrier.join(&owner);
    let _ = party.join(&owner);
    let id = carried_convention(&owner, &party, &carrier);
    let entries = space(&owner, &id).unwrap().entries;
    assert!(entries > 0);
    carrier.wait("the entries", |_| space(&carrier, &id).is_some_and(|one| one.entries == entries));
    let kept = space(&carrier, &id).unwrap();
    assert_eq!((kept.role.as_deref(), kept.records), (Some("carrier"), 0));
    assert_eq!(kept.owner, owner.organisation);
    assert!(kept.members.iter().any(|one| one.organisation == party.organisation));
    assert_eq!(carrier.client().status().unwrap().counts.carried, 1);
    assert_eq!(owner.client().status().unwrap().counts.carried, 0);
    let seen = || owner.client().partner(&party.organisation).unwrap();
    owner.wait("a session", |_| seen().sync.connected);
    assert!(seen().carriers.is_empty(), "a session tells more than a carrier");
    party.kill_now();
    owner.wait("it left", |_| !seen().sync.connected);
    owner.wait("the carrier has all", |_| {
        seen().carriers.iter().all(|one| one.in_sync_at.is_some())
    });
    let carriers = seen().carriers;
    assert_eq!((carriers.len(), carriers[0].spaces), (1, 1));
    assert_eq!(carriers[0].organisation, carrier.organisation);
    party.kill();
}

/// Reached was told as in sync: a member that wrote and met a carrier whose share in the space had
/// ended read at each start that the carrier had everything.
#[test]
fn who_meets_a_carrier_that_carries_no_more_is_not_told_that_it_has_everything() {
    let mut owner = Node::found("Comune di Aulla");
    let (mut carrier, party) = (Node::found("Unione dei comuni"), Node::found("ASL"));
    let _ = carrier.join(&owner);
    let _ = party.join(&owner);
    let _ = party.join(&carrier);
    let id = carried_convention(&owner, &party, &carrier);
    let is_carrier = |node: &Node| {
        let member =
            |one: &sincronia_node::api::MemberView| one.organisation == carrier.organisation;
        space(node, &id).is_some_and(|one| one.members.iter().any(member))
    };
    party.wait("the carrier", |_| is_carrier(&party));
    party.wait_in_sync();
    let offline = |online| {
        let request = sincronia_node::api::NetworkRequest { online };
        party.client().network(&request).unwrap();
    };
    offline(false);
    owner.client().remove_member(&id, &carrier.organisation).unwrap();
    carrier.wait("the removal", |_| space(&carrier, &id).is_none_or(|one| one.role.is_none()));
    owner.kill();
    let edit = serde_json::json!({ "fields": { "seats_total": 5 } });
    let edit = serde_json::from_value(edit).unwrap();
    let made = party.client().edit_convention(&id, &edit).unwrap();
    let written = made.convention.changed.unwrap().written_at;
    let with = || party.client().partner(&carrier.organisation).unwrap();
    let told = || party.client().partner(&owner.organisation).unwrap().carriers[0].in_sync_at;
    for _ in 0..2 {
        offline(true);
        party.wait("that they differ", |_| with().sync.differences > 0);
        assert!(told() < Some(written), "{:?} of {written}", told());
        offline(false);
        party.wait("the end", |_| !with().sync.connected);
        assert!(told() < Some(written), "{:?} of {written}", told());
        assert!(with().last_exchange < Some(written));
    }
    carrier.kill();
    owner.start();
    offline(true);
    owner.wait("the edit", |client| {
        let view = client.convention(&id).unwrap();
        view.convention.fields.get("seats_total") == Some(&5.into())
    });
}

#[test]
fn a_partner_that_never_said_where_it_is_has_no_line() {
    let (comune, asl) = (Node::found("Comune di Aulla"), Node::found("ASL"));
    let prison = Node::found_closed("Casa di reclusione");
    let _ = asl.join(&comune);
    let invitation = comune.client().invite(&sincronia_node::api::InviteRequest::default());
    let request = sincronia_node::api::JoinByBundleRequest { invitation: invitation.unwrap().text };
    let answer = prison.client().join_by_bundle(&request).unwrap().bytes;
    comune.client().import_bundle(&answer).unwrap();
    assert!(comune.client().partner(&prison.organisation).unwrap().no_line);
    assert!(!comune.client().partner(&asl.organisation).unwrap().no_line);
}
