//! Real nodes without a line: they exchange files, and nothing else.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use serde_json::{Map, Value, json};
use sincronia_client::api::Client;
use sincronia_node::api::{
    ConventionsQuery, EditRequest, ErrorCode, ExportBundleRequest, InviteRequest,
    JoinByBundleRequest, JoinRequest, NetworkRequest, PartnerBundles, ReadBundle,
    VerifyStoreRequest,
};
use sincronia_protocol::bundle::read_parts;
use sincronia_tests::federation::{self, Node};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Writes a bundle as files of at most 4,096 bytes.
fn write(from: &Node, to: &Node, stick: &Path) -> Vec<PathBuf> {
    let request = ExportBundleRequest {
        organisation: to.organisation.clone(),
        part_bytes: Some(4_096),
        all: false,
    };
    let made = from.client().export_bundle(&request).unwrap();
    assert!(made.is_complete);
    let parts = read_parts(&made.bytes).unwrap();
    let files = parts.iter().map(|part| {
        let path = stick.join(format!("{}-{}", part.number, &to.organisation[..12]));
        std::fs::write(&path, part.bytes).unwrap();
        path
    });
    files.collect()
}

/// Imports files, the last first; gives what the bundle brought.
fn import(to: &Node, files: &[PathBuf]) -> ReadBundle {
    let mut read = None;
    for (waiting, file) in files.iter().enumerate().rev() {
        let views = to.client().import_bundle(&std::fs::read(file).unwrap()).unwrap();
        let [view] = views.as_slice() else { panic!("{views:?}") };
        assert_eq!(view.missing.len(), waiting, "{view:?}");
        read.clone_from(&view.read);
    }
    read.unwrap()
}

fn carry(from: &Node, to: &Node) -> ReadBundle {
    let stick = TempDir::new().unwrap();
    let read = import(to, &write(from, to, stick.path()));
    assert!(read.refused.is_empty(), "{read:?}");
    read
}

fn bundles(node: &Node, with: &Node) -> PartnerBundles {
    node.client().partner(&with.organisation).unwrap().bundles.unwrap()
}

fn field(client: &Client, name: &str) -> Value {
    let found = client.conventions(&ConventionsQuery::default()).unwrap();
    found.first().and_then(|one| one.fields.get(name).cloned()).unwrap_or_default()
}

fn join_by_files(guest: &Node, host: &Node) {
    let invitation = host.client().invite(&InviteRequest::default()).unwrap().text;
    let request = JoinByBundleRequest { invitation };
    let answer = guest.client().join_by_bundle(&request).unwrap().bytes;
    let views = host.client().import_bundle(&answer).unwrap();
    assert!(views[0].read.as_ref().unwrap().joined);
    assert!(carry(host, guest).joined);
    let again = host.client().import_bundle(&answer).unwrap();
    assert_eq!(again[0].state, "known");
    let other = TempDir::new().unwrap();
    let foreign = write(host, guest, other.path());
    let refused = host.client().import_bundle(&std::fs::read(&foreign[0]).unwrap()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Bundle, "it is not for its maker");
}

fn edit(node: &Node, id: &str, fields: &Value) {
    let request = EditRequest {
        fields: object(fields),
        seen: None,
        operator: Some("prova".into()),
        comment: None,
    };
    node.client().edit_convention(id, &request).unwrap();
}

#[test]
fn a_prison_without_a_line_takes_part_by_files_alone() {
    let (comune, mut carcere) =
        (Node::found("Comune di Aulla"), Node::found_closed("Casa di reclusione"));
    join_by_files(&carcere, &comune);
    let id = comune.agree(&carcere, "Articolo 21 in comune").convention.id;
    assert!(bundles(&comune, &carcere).unacknowledged > 0);
    let read = carry(&comune, &carcere);
    assert!(read.spaces.iter().any(|space| space.entries > 0 && space.access), "{read:?}");
    carcere.wait("the convention", |client| field(client, "end_date") == "2027-12-31");
    edit(&carcere, &id, &json!({"seats_total": 3}));
    // A restart in between takes nothing away, and opens no line.
    carcere.kill();
    carcere.start_closed();
    carry(&carcere, &comune);
    comune.wait("the edit", |client| field(client, "seats_total") == 3);
    assert_eq!(bundles(&comune, &carcere).unacknowledged, 0);
    carry(&comune, &carcere);
    assert_eq!(bundles(&carcere, &comune).unacknowledged, 0);
    let status = carcere.client().status().unwrap();
    assert!(status.closed && status.addresses.is_empty() && status.counts.connected == 0);
    assert_eq!((status.bytes_sent, status.bytes_received), (0, 0));
    for node in [&comune, &carcere] {
        let report = node.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
}

#[test]
fn a_closed_node_goes_nowhere_whatever_it_is_told() {
    let (comune, carcere) =
        (Node::found("Comune di Aulla"), Node::found_closed("Casa di reclusione"));
    let refused = carcere.client().network(&NetworkRequest { online: true }).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    let invitation = comune.client().invite(&InviteRequest::default()).unwrap().text;
    let request = JoinRequest { invitation, addresses: Vec::new() };
    let refused = carcere.client().join(&request).unwrap_err();
    assert!(refused.remedy.contains("--bundle"), "{refused:?}");
    carcere.client().sync().unwrap();
    let status = carcere.client().status().unwrap();
    assert_eq!((status.online, status.bytes_sent, status.bytes_received), (false, 0, 0));
}

#[test]
fn what_a_prison_writes_reaches_its_partners_partner_over_the_line() {
    let comune = Node::found("Comune di Aulla");
    let asl = Node::found("ASL");
    let carcere = Node::found_closed("Casa di reclusione");
    let _ = asl.join(&comune);
    join_by_files(&carcere, &comune);
    let parties = [(&comune, "inviante"), (&asl, "ospitante"), (&carcere, "gestore")];
    let request = federation::agreement("Tirocini in comune", &parties);
    let id = comune.client().create_convention(&request).unwrap().convention.id;
    carry(&comune, &carcere);
    carcere.wait("the convention", |client| field(client, "title") == "Tirocini in comune");
    edit(&carcere, &id, &json!({"seats_total": 7}));
    carry(&carcere, &comune);
    asl.wait("what the prison wrote", |client| field(client, "seats_total") == 7);
}

/// Whether `node` is warned that a partner by files knows only machines that are gone, and whether
/// `doctor` names it.
fn is_unknown_there(node: &Node, partner: &Node) -> (bool, bool) {
    let checks = node.client().doctor().unwrap();
    let check = checks.into_iter().find(|check| check.name == "bundles_open").unwrap();
    assert!(check.ok || check.warning, "the node itself is well: {check:?}");
    (bundles(node, partner).unknown_there, !check.ok)
}

/// What a partner without a line sends to a machine that was lost opens nowhere: nobody said so,
/// and its files were refused one after another.
#[test]
fn a_partner_that_knows_only_the_lost_machine_is_named_until_it_read_of_the_new_one() {
    let (mut comune, words) = Node::found_with_words("Comune di Aulla");
    let carcere = Node::found_closed("Casa di reclusione");
    join_by_files(&carcere, &comune);
    carry(&carcere, &comune);
    assert_eq!(is_unknown_there(&comune, &carcere), (false, false));
    let mut backup = Vec::new();
    comune.client().backup(&mut backup).unwrap();
    comune.kill();

    let (mut restored, _) = Node::restore(&backup, &words);
    restored.start();
    restored.client().finish_catching_up().unwrap();
    assert_eq!(is_unknown_there(&restored, &carcere), (true, true));
    carry(&restored, &carcere);
    assert_eq!(is_unknown_there(&restored, &carcere), (true, true), "nobody knows if it was read");
    carry(&carcere, &restored);
    assert_eq!(is_unknown_there(&restored, &carcere), (false, false));
}
