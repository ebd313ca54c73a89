//! What a machine denies a node: room on its disk, a disk that takes writes, file descriptors, or a
//! partner that runs. Nothing that was acknowledged is lost, people are told, and it goes on when
//! the machine gives again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use serde_json::json;
use sincronia_client::api::Client;
use sincronia_node::api::{ApiError, ConventionsQuery};
use sincronia_tests::federation::{self, Node};
use std::collections::BTreeSet;
use std::net::TcpStream;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn convention(owner: &Node, party: &Node, title: &str) -> Result<String, ApiError> {
    let request = federation::agreement(title, &[(owner, "inviante"), (party, "gestore")]);
    owner.client().create_convention(&request).map(|view| view.convention.id)
}

fn conventions(client: &Client) -> BTreeSet<String> {
    let all = client.conventions(&ConventionsQuery::default()).unwrap();
    all.into_iter().map(|one| one.id).collect()
}

fn pair() -> (Node, Node) {
    let comune = Node::found("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&comune);
    comune.wait_in_sync();
    (comune, casa)
}

/// More than fits into what is left of the disk.
const WRITES_MAX: usize = 5_000;

#[test]
fn threat_42_a_node_whose_disk_fills_says_so_keeps_what_it_said_and_goes_on_with_room() {
    let (mut comune, casa) = pair();
    comune.kill();
    let store = std::fs::metadata(comune.directory.join("store.redb")).unwrap().len();
    // Files end a megabyte beyond what the store has now; the signal that says so is not heard.
    let blocks = store / 512 + 2_048;
    let full = format!("trap '' XFSZ; ulimit -f {blocks}");
    comune.start_after(&full);
    let mut written = BTreeSet::new();
    let mut refused = None;
    for number in 0..WRITES_MAX {
        match convention(&comune, &casa, &format!("Accoglienza {number}")) {
            Ok(id) => assert!(written.insert(id)),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.unwrap_or_else(|| panic!("{} were written", written.len()));
    assert_eq!(json!(refused.code), "disk_full", "{refused:?}");
    assert!(refused.remedy.contains("free some room"), "{refused:?}");
    println!("{} acknowledged before the disk was full", written.len());
    // It stopped by itself: whoever goes on after such an error does not know what is on the disk.
    comune.wait_stopped();
    comune.start_after(&full);
    assert_eq!(conventions(comune.client()), written, "what was acknowledged can be read");
    comune.kill();
    comune.start();
    assert_eq!(conventions(comune.client()), written);
    written.insert(convention(&comune, &casa, "Con il posto di nuovo").unwrap());
    casa.wait("all of them", |client| conventions(client).is_superset(&written));
}

/// The last file for which there is room says where the node listens; the one after it would have
/// told programs how to reach the node. That was blamed on the address of the local API.
#[test]
fn a_start_on_a_full_disk_names_the_disk() {
    let (mut comune, _casa) = pair();
    comune.kill();
    let directory = comune.directory.display().to_string();
    let aside = format!("{directory}.aside");
    let full = format!(
        "rm -f {directory}/last-listen {directory}/api-* && cp -a {directory} {aside} \
         && files=$(ls -A {aside} | wc -l) \
         && mount -t tmpfs -o nr_inodes=$((files + 2)),mode=700 none {directory} \
         && cp -a {aside}/. {directory} && rm -r {aside} && exec \"$0\" \"$@\""
    );
    let words = comune.refusal_after(&format!("exec unshare -rm sh -c '{full}' \"$0\" \"$@\""));
    if words.contains("unshare: ") || words.contains("mount: ") {
        println!("this machine lets nobody mount a disk: {words}");
    } else {
        assert!(words.contains("No space left") && words.contains(&directory), "{words}");
        assert!(!words.contains("api.address"), "{words}");
    }
}

#[test]
fn a_disk_that_takes_no_writes_is_named_and_harms_nothing() {
    let (mut comune, casa) = pair();
    let id = convention(&comune, &casa, "Prima del guasto").unwrap();
    comune.kill();
    let directory = comune.directory.display().to_string();
    let frozen = format!(
        "mount --bind {directory} {directory} && mount -o remount,ro,bind {directory} \
         && exec \"$0\" \"$@\""
    );
    let words = comune.refusal_after(&format!("exec unshare -rm sh -c '{frozen}' \"$0\" \"$@\""));
    if words.contains("unshare: ") || words.contains("mount: ") {
        println!("this machine lets nobody freeze a directory: {words}");
    } else {
        assert!(words.contains("failed: ") && words.contains(&directory), "{words}");
        assert!(!words.contains("panicked"), "{words}");
    }
    comune.start();
    assert!(conventions(comune.client()).contains(&id));
}

/// What a node is left with: its files, and room for a few connections.
const DESCRIPTORS: usize = 64;

#[test]
fn a_node_without_file_descriptors_goes_on_when_it_has_some() {
    let (mut comune, casa) = pair();
    comune.kill();
    comune.start_after(&format!("ulimit -n {DESCRIPTORS}"));
    let address = comune.listening();
    let port: u16 = address.rsplit('/').next().unwrap().parse().unwrap();
    let strangers: Vec<_> =
        (0..2 * DESCRIPTORS).map_while(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
    assert!(strangers.len() >= DESCRIPTORS, "{} connected", strangers.len());
    drop(strangers);
    comune.wait_in_sync();
    let id = convention(&comune, &casa, "Dopo la folla").unwrap();
    casa.wait("what was written", |client| conventions(client).contains(&id));
}

#[test]
fn a_partner_that_is_stopped_keeps_nobody_waiting() {
    let (comune, casa) = pair();
    let usl = Node::found("Azienda USL Toscana nord ovest");
    let _ = usl.join(&comune);
    comune.wait_in_sync();
    casa.signal("STOP");
    let mut written = BTreeSet::new();
    for number in 0..200 {
        let party = if number % 2 == 0 { &casa } else { &usl };
        written.insert(convention(&comune, party, &format!("Inserimento {number}")).unwrap());
    }
    assert_eq!(conventions(comune.client()), written, "people go on");
    usl.wait("its half", |client| conventions(client).len() == 100);
    casa.signal("CONT");
    casa.wait("its half, late", |client| conventions(client).len() == 100);
}
