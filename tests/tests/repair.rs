//! Stores that are damaged: what is wrong is named, rows are made again where they stand, and a new
//! node takes over what holds and has the rest from its partners.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use sincronia_client::api::Client;
use sincronia_node::api::{
    ConventionsQuery, EditRequest, ErrorCode, RecordView, VerifyStoreRequest,
};
use sincronia_node::backup::{RestoreError, RestoreOptions, salvage, salvage_again};
use sincronia_node::keystore::Strength;
use sincronia_node::repair::{Repaired, examine, repair};
use sincronia_node::setup::{InitOptions, initialise};
use sincronia_node::store::Store;
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::recovery::{WordList, restore_entropy};
use sincronia_protocol::storage::{Batch, Storage, Table};
use sincronia_tests::federation::{self, Node};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn edit(node: &Node, id: &str, seats: u64) {
    let fields = json!({"fields": {"seats_total": seats}, "operator": "segreteria"});
    let request: EditRequest = serde_json::from_value(fields).unwrap();
    node.client().edit_convention(id, &request).unwrap();
}

/// Every convention by its id, as it is shown.
fn shown(client: &Client) -> BTreeMap<String, serde_json::Value> {
    let all = client.conventions(&ConventionsQuery::default()).unwrap();
    let fields = |one: &RecordView| serde_json::to_value(&one.fields).unwrap();
    all.iter().map(|one| (one.id.clone(), fields(one))).collect()
}

/// Two partners with conventions of both, all in sync.
fn office() -> (Node, Node, String) {
    let (damaged, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&damaged);
    for number in 0..4 {
        let (owner, party) = if number % 2 == 0 { (&damaged, &casa) } else { (&casa, &damaged) };
        let id = owner.agree(party, &format!("Accoglienza {number}")).convention.id;
        party.wait("the convention", |client| shown(client).contains_key(&id));
        for seats in 0..3 {
            let [writer, reader] =
                if seats % 2 == 0 { [&damaged, &casa] } else { [&casa, &damaged] };
            edit(writer, &id, seats);
            reader.wait("the edit", |client| shown(client)[&id]["seats_total"] == json!(seats));
        }
    }
    for node in [&damaged, &casa] {
        node.wait_in_sync();
    }
    assert_eq!(shown(damaged.client()), shown(casa.client()));
    (damaged, casa, words)
}

/// Changes one byte in the middle of every `every`-th value of a table.
fn spoil(node: &Node, table: Table, every: usize) -> usize {
    let path = node.directory.join("store.redb");
    let store = Store::open(&path, &Store::organisation(&path).unwrap()).unwrap();
    let (mut batch, mut number, mut spoiled) = (Batch::default(), 0_usize, 0);
    let disk = store.snapshot().unwrap();
    let visit = &mut |key: &[u8], value: &[u8]| {
        number += 1;
        if number % every == every / 2 {
            let (mut value, middle) = (value.to_vec(), value.len() / 2);
            value[middle] ^= 1;
            batch.put(table, key.to_vec(), value);
            spoiled += 1;
        }
        ControlFlow::Continue(())
    };
    disk.scan(table, &[], &[u8::MAX; 97], visit).unwrap();
    drop(disk);
    store.commit(&batch).unwrap();
    spoiled
}

#[test]
fn rows_that_do_not_hold_are_named_and_made_again() {
    let (mut damaged, casa, _words) = office();
    damaged.kill();
    assert_eq!(repair(&damaged.directory, &damaged.unlock()).unwrap(), Repaired::Sound);
    let spoiled = spoil(&damaged, Table::Rows, 2);
    assert!(spoiled > 1);
    damaged.start();
    let found = damaged.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
    assert_eq!(found.problems.len(), spoiled, "{:?}", found.problems);
    damaged.kill();
    let repaired = repair(&damaged.directory, &damaged.unlock()).unwrap();
    assert_eq!(repaired, Repaired::Rows(spoiled as u64));
    damaged.start();
    damaged.wait_in_sync();
    assert_eq!(shown(damaged.client()), shown(casa.client()));
    let found = damaged.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
    assert_eq!(found.problems, [""; 0]);
}

#[test]
fn logs_that_do_not_hold_are_named_and_a_new_node_has_them_again_from_its_partner() {
    let (mut damaged, casa, words) = office();
    let before = shown(damaged.client());
    let old = damaged.client().status().unwrap().node;
    damaged.kill();
    for (table, every, word) in [
        (Table::Entries, 7, "entry"),
        (Table::Access, 4, "access/1"),
        (Table::Sealed, 3, "access/1"),
        (Table::Rows, 2, "access/1"),
    ] {
        assert!(spoil(&damaged, table, every) > 0, "{table:?}");
        let found = repair(&damaged.directory, &damaged.unlock()).unwrap();
        let Repaired::Beyond(problems) = found else { panic!("more than rows is damaged") };
        assert!(problems.iter().any(|problem| problem.contains(word)), "{problems:?}");
    }
    let stayed = std::fs::read(damaged.directory.join("store.redb")).unwrap();

    let (mut again, report) = Node::salvage(&damaged, &words);
    assert!(report.spaces > 0 && report.entries > 0 && !report.losses.is_empty(), "{report:?}");
    assert_eq!(std::fs::read(damaged.directory.join("store.redb")).unwrap(), stayed);
    again.start();
    again.wait("the partner", |client| client.status().unwrap().catching_up.is_none());
    for node in [&again, &casa] {
        node.wait_in_sync();
    }
    again.wait("everything", |client| shown(client) == before);
    assert_ne!(again.client().status().unwrap().node, old, "a node of its own");
    // It goes on: what it writes counts, and nothing was signed twice.
    let id = before.keys().next().unwrap();
    edit(&again, id, 9);
    casa.wait("an edit of the new node", |client| {
        shown(client).get(id).is_some_and(|one| one["seats_total"] == json!(9))
    });
    for node in [&again, &casa] {
        let found = node.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
        assert_eq!(found.problems, [""; 0]);
    }
    assert_eq!(shown(again.client()), shown(casa.client()));
}

/// A single bit that turned in a page made every file one that "cannot be repaired in place".
#[test]
fn a_bit_that_turned_is_found_named_and_turned_back_and_the_same_node_goes_on() {
    const SEED: u64 = 20_261_128;
    let (mut damaged, casa, _words) = office();
    let before = shown(damaged.client());
    let node = damaged.client().status().unwrap().node;
    damaged.kill();
    let path = damaged.directory.join("store.redb");
    // Closed in order: otherwise redb may take a page that does not hold for a write cut off.
    assert_eq!(repair(&damaged.directory, &damaged.unlock()).unwrap(), Repaired::Sound);
    let whole = std::fs::read(&path).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut repaired = 0;
    for attempt in 0..40 {
        let mut bytes = whole.clone();
        let at = usize::try_from(random.next_u64() % bytes.len() as u64).unwrap();
        bytes[at] ^= 1 << (attempt % 8);
        std::fs::write(&path, &bytes).unwrap();
        let found = examine(&damaged.directory, &damaged.unlock(), true).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes, "looking changes nothing");
        match repair(&damaged.directory, &damaged.unlock()) {
            Ok(Repaired::File(aside)) => {
                assert!(!found.file.is_empty(), "seed {SEED}, byte {at}");
                assert!(std::fs::read(aside).unwrap() == bytes, "seed {SEED}, byte {at}");
                repaired += 1;
                let left = examine(&damaged.directory, &damaged.unlock(), true).unwrap();
                assert_eq!(left.file, [""; 0], "seed {SEED}, byte {at}");
                assert_eq!(left.content.problems, [""; 0], "seed {SEED}, byte {at}");
            }
            Ok(Repaired::Sound) => {}
            // The first page has parts that nothing says twice.
            other => assert!(at < 4_096, "seed {SEED}, byte {at}: {other:?}"),
        }
    }
    assert!(repaired > 0, "seed {SEED}");
    // Damaged once more, and repaired, it goes on as the node that it was.
    std::fs::write(&path, turned(&damaged, whole)).unwrap();
    let outcome = repair(&damaged.directory, &damaged.unlock()).unwrap();
    assert!(matches!(outcome, Repaired::File(_)), "{outcome:?}");
    damaged.start();
    damaged.wait_in_sync();
    let checks = damaged.client().doctor().unwrap();
    let kept = checks.iter().find(|one| one.name == "damaged_copies").unwrap();
    assert!(kept.warning && kept.detail.contains("store.damaged-1.redb"), "{kept:?}");
    assert_eq!(damaged.client().status().unwrap().node, node);
    assert_eq!(shown(damaged.client()), before);
    let id = before.keys().next().unwrap();
    edit(&damaged, id, 9);
    casa.wait("an edit of the same node", |client| shown(client)[id]["seats_total"] == json!(9));
    let found = damaged.client().verify(&VerifyStoreRequest { deep: true }).unwrap();
    assert_eq!(found.problems, [""; 0]);
    assert!(!damaged.client().status().unwrap().cloned);
}

/// After a kill the store went back one commit in silence, and the node went on writing.
#[test]
fn a_store_that_went_back_says_so_and_its_node_waits_for_partners_before_it_signs() {
    let (mut damaged, mut casa, _words) = office();
    let id = shown(damaged.client()).keys().next().unwrap().clone();
    casa.kill();
    damaged.kill();
    let path = damaged.directory.join("store.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = if bytes[9] & 1 == 0 { 64 } else { 192 };
    bytes[last + 120] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let refused = damaged.refusal_after("true");
    assert!(refused.contains("a bit of the file turned"), "{refused}");
    let outcome = repair(&damaged.directory, &damaged.unlock()).unwrap();
    assert!(matches!(outcome, Repaired::File(_)), "{outcome:?}");
    // Three bits of the last of both commits: nothing turns them back.
    bytes[last + 120] ^= 6;
    std::fs::write(&path, &bytes).unwrap();
    let outcome = repair(&damaged.directory, &damaged.unlock()).unwrap();
    assert!(matches!(outcome, Repaired::WentBack(_)), "{outcome:?}");
    damaged.start();
    assert!(damaged.client().status().unwrap().catching_up.is_some());
    let fields = json!({"fields": {"seats_total": 8}, "operator": "segreteria"});
    let request: EditRequest = serde_json::from_value(fields).unwrap();
    let refused = damaged.client().edit_convention(&id, &request).unwrap_err();
    assert_eq!(refused.code, ErrorCode::CatchingUp, "{refused:?}");
    casa.start();
    damaged.wait("an answer of the partner", |client| {
        let status = client.status().unwrap();
        status.cloned || status.catching_up.is_none()
    });
}

/// Without `repair` the node that was killed went back one commit in silence, and went on writing.
#[test]
fn a_node_that_starts_from_an_older_commit_waits_for_partners_before_it_signs() {
    let (mut damaged, mut casa, _words) = office();
    let id = shown(damaged.client()).keys().next().unwrap().clone();
    casa.kill();
    damaged.kill();
    let path = damaged.directory.join("store.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = if bytes[9] & 1 == 0 { 64 } else { 192 };
    bytes[last + 120] ^= 7;
    std::fs::write(&path, &bytes).unwrap();
    damaged.start();
    assert!(damaged.client().status().unwrap().catching_up.is_some());
    let checks = damaged.client().doctor().unwrap();
    let check = checks.iter().find(|one| one.name == "caught_up").unwrap();
    assert!(check.detail.contains("Casa di accoglienza"), "{check:?}");
    let fields = json!({"fields": {"seats_total": 8}, "operator": "segreteria"});
    let request: EditRequest = serde_json::from_value(fields).unwrap();
    let refused = damaged.client().edit_convention(&id, &request).unwrap_err();
    assert_eq!(refused.code, ErrorCode::CatchingUp, "{refused:?}");
    // It is remembered: the file alone does not tell any more.
    damaged.kill();
    damaged.start();
    assert!(damaged.client().status().unwrap().catching_up.is_some());
    casa.start();
    damaged.wait("an answer of the partner", |client| {
        let status = client.status().unwrap();
        status.cloned || status.catching_up.is_none()
    });
}

/// It was told as damage, and "try again when a partner is online" as the way out of it.
#[test]
fn the_store_of_another_node_is_called_that_and_nothing_of_it_is_touched() {
    let (mut misplaced, mut casa, _words) = office();
    misplaced.kill();
    casa.kill();
    let path = misplaced.directory.join("store.redb");
    let own = std::fs::read(&path).unwrap();
    std::fs::copy(casa.directory.join("store.redb"), &path).unwrap();
    // Closed in order, so that nothing has to be worked out from a crash.
    let organisation = Store::organisation(&path).unwrap();
    Store::open(&path, &organisation).unwrap().close().unwrap();
    let others = std::fs::read(&path).unwrap();
    let is_told = |error: &str| error.contains("belongs to another node");
    let unlock = misplaced.unlock();
    let examined = examine(&misplaced.directory, &unlock, false).unwrap_err().to_string();
    assert!(is_told(&examined), "{examined}");
    let repaired = repair(&misplaced.directory, &unlock).unwrap_err().to_string();
    assert!(is_told(&repaired), "{repaired}");
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("nuovo");
    let options = RestoreOptions { directory, unlock: unlock.clone(), strength: Strength::Light };
    let Err(error) = salvage(options, &misplaced.directory, &unlock) else { panic!("salvaged") };
    assert!(is_told(&error.to_string()), "{error}");
    assert!(std::fs::read(&path).unwrap() == others, "nothing was written");
    let refused = misplaced.refusal_after("true");
    assert!(is_told(&refused), "{refused}");
    std::fs::write(&path, own).unwrap();
    misplaced.start();
    assert_eq!(shown(misplaced.client()).len(), 4);
}

/// `run` said repair, and `repair` said repair.
#[test]
fn a_bit_that_turned_in_what_the_file_says_of_its_length_is_turned_back() {
    let (mut damaged, _casa, _words) = office();
    damaged.kill();
    assert_eq!(repair(&damaged.directory, &damaged.unlock()).unwrap(), Repaired::Sound);
    let path = damaged.directory.join("store.redb");
    let whole = std::fs::read(&path).unwrap();
    for at in [13, 17, 22, 27, 28] {
        let mut bytes = whole.clone();
        bytes[at] ^= 8;
        std::fs::write(&path, bytes).unwrap();
        let outcome = repair(&damaged.directory, &damaged.unlock()).unwrap();
        assert!(matches!(outcome, Repaired::File(_)), "byte {at}: {outcome:?}");
    }
    // More of it than one bit: the file cannot be used, and that is what is said.
    let mut bytes = whole;
    bytes[27] ^= 0x18;
    std::fs::write(&path, bytes).unwrap();
    let outcome = repair(&damaged.directory, &damaged.unlock()).unwrap();
    assert!(matches!(outcome, Repaired::Ruined(_) | Repaired::Unreadable(_)), "{outcome:?}");
}

/// The file with a bit turned in one of the node's own entries.
fn turned(node: &Node, mut bytes: Vec<u8>) -> Vec<u8> {
    let mut entry = None;
    let path = node.directory.join("store.redb");
    let store = Store::open(&path, &Store::organisation(&path).unwrap()).unwrap();
    let disk = store.snapshot().unwrap();
    let visit = &mut |_: &[u8], value: &[u8]| {
        entry = Some(value.to_vec());
        ControlFlow::Break(())
    };
    disk.scan(Table::Entries, &[], &[u8::MAX; 97], visit).unwrap();
    let entry = entry.unwrap();
    // Pages that are free hold older copies of it.
    let places = bytes.windows(entry.len()).enumerate().filter(|(_, part)| *part == entry);
    let places: Vec<_> = places.map(|(at, _)| at).collect();
    for at in places {
        bytes[at + entry.len() / 2] ^= 4;
    }
    bytes
}

/// The process ended before its engine: the file looked as after a crash, `verify` found fault with
/// it, and `repair` went back one commit.
#[test]
fn a_node_that_was_asked_to_stop_leaves_a_file_that_is_closed() {
    let (mut comune, casa) = (Node::found("Comune di Aulla"), Node::found("Casa di accoglienza"));
    let _ = casa.join(&comune);
    for _ in 0..5 {
        comune.wait_in_sync();
        comune.client().shutdown().unwrap();
        comune.wait_stopped();
        let found = examine(&comune.directory, &comune.unlock(), false).unwrap();
        assert!(found.file.is_empty() && !found.may_be_cut_off, "{:?}", found.file);
        comune.start();
    }
}

/// Spoils every identity log in the store of a node that is stopped.
fn lose_identities(damaged: &Node) {
    let path = damaged.directory.join("store.redb");
    let store = Store::open(&path, &Store::organisation(&path).unwrap()).unwrap();
    let mut batch = Batch::default();
    let visit = &mut |key: &[u8], _: &[u8]| {
        batch.put(Table::Identity, key.to_vec(), vec![0xff]);
        ControlFlow::Continue(())
    };
    store.snapshot().unwrap().scan(Table::Identity, &[], &[u8::MAX; 97], visit).unwrap();
    store.commit(&batch).unwrap();
}

/// No node was made: the only machine of an organisation without a backup was the end of it, though
/// every partner has the log.
#[test]
fn the_organisations_own_identity_log_comes_back_from_a_partner() {
    let (mut damaged, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&damaged);
    let id = damaged.agree(&casa, "Accoglienza residenziale").convention.id;
    casa.wait("the convention", |client| client.convention(&id).is_ok());
    damaged.wait_in_sync();
    damaged.kill();
    lose_identities(&damaged);
    let (mut again, report) = Node::salvage(&damaged, &words);
    assert!(report.knows_identity && report.knows_partners, "{report:?}");
    assert!(report.spaces > 0 && report.entries > 0, "{report:?}");
    again.start();
    again.wait_in_sync();
    assert_eq!(shown(again.client()), shown(casa.client()));
    let nodes = again.client().nodes().unwrap();
    let of = |revoked: bool| nodes.iter().filter(|one| one.revoked == revoked).count();
    assert_eq!((of(false), of(true)), (1, 1), "the damaged one is revoked: {nodes:?}");
    edit(&again, &id, 5);
    casa.wait("what the new node writes", |client| {
        shown(client).get(&id).is_some_and(|fields| fields["seats_total"] == json!(5))
    });
}

#[test]
fn without_anybody_who_has_the_identity_log_no_node_is_made_and_it_is_said_why() {
    let (mut damaged, words) = Node::found_with_words("Comune di Aulla");
    damaged.kill();
    lose_identities(&damaged);
    let place = tempfile::tempdir().unwrap();
    let options = RestoreOptions {
        directory: place.path().join("node"),
        unlock: damaged.unlock(),
        strength: Strength::Light,
    };
    let salvaged = salvage(options, &damaged.directory, &damaged.unlock());
    let (mut restoration, mut report) = salvaged.unwrap();
    assert!(!report.knows_identity);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let others = Secret::from_bytes([7; 32]);
    let refused = runtime.block_on(restoration.recall(&others)).unwrap_err();
    assert!(matches!(refused, RestoreError::Words), "{refused}");
    let entropy = restore_entropy(&words).unwrap();
    let heard = runtime.block_on(restoration.recall(&entropy)).unwrap();
    assert_eq!(heard.answered, 0);
    let refused = restoration.salvage_spaces(&mut report).unwrap_err();
    assert!(matches!(refused, RestoreError::NoIdentity), "{refused}");
    drop(restoration);
    assert!(!place.path().join("node").exists(), "and nothing of it stays");
}

/// Of a log that can be read in part nobody answered words that were not its own, and it was said
/// that no partner was there.
#[test]
fn words_of_another_organisation_are_told_though_its_log_can_be_read() {
    let (mut damaged, _) = Node::found_with_words("Comune di Aulla");
    damaged.kill();
    let place = tempfile::tempdir().unwrap();
    let options = RestoreOptions {
        directory: place.path().join("node"),
        unlock: damaged.unlock(),
        strength: Strength::Light,
    };
    let salvaged = salvage(options, &damaged.directory, &damaged.unlock());
    let (mut restoration, _) = salvaged.unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = runtime.block_on(restoration.recall(&Secret::from_bytes([7; 32]))).unwrap_err();
    assert!(matches!(refused, RestoreError::Words), "{refused}");
}

/// Two nodes made one after the other of the same disk were both nodes of the organisation.
#[test]
fn a_second_node_is_not_made_of_the_same_disk_by_mistake() {
    let (mut damaged, words) = Node::found_with_words("Comune di Aulla");
    damaged.kill();
    let (again, _) = Node::salvage(&damaged, &words);
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("deep/node");
    let options = || {
        let (directory, unlock) = (directory.clone(), damaged.unlock());
        RestoreOptions { directory, unlock, strength: Strength::Light }
    };
    let Err(RestoreError::Replaced(first)) =
        salvage(options(), &damaged.directory, &damaged.unlock())
    else {
        panic!("the first is not noticed")
    };
    assert_eq!((first.directory.as_path(), first.at > 0), (again.directory.as_path(), true));
    let refused = repair(&damaged.directory, &damaged.unlock()).unwrap_err();
    assert!(matches!(refused, RestoreError::Replaced(_)), "{refused}");
    let refused = damaged.refusal_after("true");
    assert!(refused.contains("took the place"), "{refused}");

    let made = salvage_again(options(), &damaged.directory, &damaged.unlock()).unwrap();
    assert!(directory.exists());
    // Nobody makes another node there while the words are asked for.
    let name = "Comune di Mulazzo".into();
    let init = InitOptions {
        directory: directory.clone(),
        name,
        words: WordList::Italian,
        unlock: damaged.unlock(),
        strength: Strength::Light,
    };
    let refused = initialise(&init).map(drop).unwrap_err();
    assert!(refused.to_string().contains("uses this node's directory"), "{refused}");
    drop(made);
    assert!(!directory.parent().unwrap().exists(), "what did not come to be leaves nothing");
}

/// Nobody was waited for when the list of partners was lost, and members could be changed at once.
#[test]
fn who_lost_the_list_of_its_partners_changes_no_members_until_it_heard_one() {
    let (mut damaged, casa, words) = office();
    damaged.kill();
    assert!(spoil(&damaged, Table::Partners, 1) > 0);
    let (mut again, report) = Node::salvage(&damaged, &words);
    assert!(!report.knows_partners && report.losses.iter().any(|loss| loss.contains("partners")));
    again.start();
    let waiting = again.client().status().unwrap().catching_up.unwrap();
    assert!(waiting.blind && !waiting.awaited.is_empty(), "{waiting:?}");
    let _ = again.join(&casa);
    again.wait("the partner", |client| client.status().unwrap().catching_up.is_none());
}

/// Pages of the file that are overwritten, one copy of the directory after another: whatever is
/// there afterwards is sound, made again, taken over in part, or refused in words.
#[test]
fn whatever_became_of_the_file_is_repaired_taken_over_or_refused() {
    const SEED: u64 = 20_261_124;
    let (mut damaged, _casa, _words) = office();
    damaged.kill();
    let path = damaged.directory.join("store.redb");
    let whole = std::fs::read(&path).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut below = |most: usize| usize::try_from(random.next_u64() % most as u64).unwrap();
    let mut tally = BTreeMap::<&str, usize>::new();
    for attempt in 0..40 {
        let mut bytes = whole.clone();
        for _ in 0..=below(8) {
            // The first page says where everything is; without it a file is nothing.
            let at = 4_096 + below(bytes.len() - 8_192);
            let length = [1, 64, 4_096][below(3)];
            bytes[at..at + length].fill(u8::try_from(below(256)).unwrap());
        }
        std::fs::write(&path, &bytes).unwrap();
        let outcome = match repair(&damaged.directory, &damaged.unlock()) {
            Ok(Repaired::Sound | Repaired::Revoked) => "sound",
            Ok(Repaired::Rows(_)) => "rows made again",
            Ok(Repaired::WentBack(_)) => "went back",
            Ok(Repaired::File(aside)) => {
                assert!(std::fs::read(aside).unwrap() == bytes, "seed {SEED}, try {attempt}");
                let again = repair(&damaged.directory, &damaged.unlock()).unwrap();
                assert_eq!(again, Repaired::Sound, "seed {SEED}, try {attempt}");
                "file made again"
            }
            Ok(Repaired::Ruined(_)) => "ruined",
            Ok(Repaired::Beyond(problems) | Repaired::Unreadable(problems)) => {
                assert!(!problems.is_empty(), "seed {SEED}, try {attempt}");
                let place = tempfile::tempdir().unwrap();
                let directory = place.path().join("node");
                let unlock = damaged.unlock();
                let options = RestoreOptions { directory, unlock, strength: Strength::Light };
                match salvage(options, &damaged.directory, &damaged.unlock()) {
                    Ok((_, report)) if report.losses.is_empty() => "taken over whole",
                    Ok(_) => "taken over in part",
                    Err(_) => "refused",
                }
            }
            Err(_) => "refused",
        };
        *tally.entry(outcome).or_default() += 1;
    }
    println!("seed {SEED}: {tally:?}");
    assert_eq!(tally.values().sum::<usize>(), 40);
    assert!(tally.len() > 1, "{tally:?}");
}
