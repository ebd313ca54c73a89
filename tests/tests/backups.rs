//! A machine dies; a backup and the recovery words put another in its place.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use sincronia_client::api::Client;
use sincronia_client::root::Signing;
use sincronia_node::api::{ConventionsQuery, ErrorCode, RecordView};
use sincronia_node::backup::{RestoreError, inspect};
use sincronia_protocol::backup::BackupError;
use sincronia_protocol::identity::{Admission, IdentityOperation};
use sincronia_protocol::recovery::{recovery_sealing, restore_entropy};
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

fn found(client: &Client, id: &str) -> Option<RecordView> {
    let all = client.conventions(&ConventionsQuery::default()).unwrap();
    all.into_iter().find(|one| one.id == id)
}

fn backup(node: &Node) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = node.client().backup(&mut bytes).unwrap();
    assert_eq!(written, bytes.len() as u64);
    bytes
}

#[test]
fn threat_26_a_backup_restores_a_node_that_forks_nothing_and_lacks_nothing() {
    let (mut lost, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&lost);
    let before = lost.agree(&casa, "Accoglienza residenziale").convention.id;
    casa.wait("the convention", |client| found(client, &before).is_some());
    let bytes = backup(&lost);
    let entropy = restore_entropy(&words).unwrap();
    let opened = inspect(bytes.as_slice(), Some(&recovery_sealing(&entropy))).unwrap();
    assert!(opened.pairs > Some(10) && opened.bytes == bytes.len() as u64, "{opened:?}");

    // What happens after the backup is known to the partner alone when the machine dies.
    let after = lost.agree(&casa, "Accoglienza diurna").convention.id;
    casa.wait("the later convention", |client| found(client, &after).is_some());
    let theirs = casa.agree(&lost, "Laboratorio").convention.id;
    lost.wait("the partner's convention", |client| found(client, &theirs).is_some());
    let lost_id = lost.client().status().unwrap().node;
    lost.kill();

    let (mut restored, heard) = Node::restore(&bytes, &words);
    assert_eq!((heard.asked, heard.answered, heard.fresh), (1, 1, 0));
    restored.start();
    restored.wait("the partner", |client| client.status().unwrap().catching_up.is_none());
    for id in [&before, &after, &theirs] {
        restored.wait("a convention", |client| found(client, id).is_some());
    }
    let status = restored.client().status().unwrap();
    assert_ne!(status.node, lost_id, "it is a node of its own");
    assert!(!status.cloned && status.primary.as_ref() == Some(&status.node), "{status:?}");
    let fresh = restored.agree(&casa, "Accoglienza notturna").convention.id;
    for id in [&before, &after, &theirs, &fresh] {
        casa.wait("a convention", |client| found(client, id).is_some());
    }
    restored.wait("all keys replaced", |client| client.node_report(&lost_id).unwrap().waiting == 0);

    // The lost machine turns up and is started: it is told that it was revoked.
    lost.start();
    lost.wait("that it was revoked", |client| client.status().unwrap().revoked);
    assert!(found(lost.client(), &fresh).is_none());
    let refused = lost.client().backup(&mut Vec::new()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Revoked, "a backup of it would be taken for one");
    assert!(casa.client().status().unwrap().counts.quarantined == 0);
}

#[test]
fn what_was_signed_after_the_backup_is_recalled_before_anything_is_signed() {
    let (mut lost, words) = Node::found_with_words("Comune di Aulla");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&lost);
    lost.wait_in_sync();
    let bytes = backup(&lost);
    // The identity log grows after the backup.
    let (machine, request) = Node::request(&lost.organisation);
    let mut signing =
        Signing::begin(&lost.client().identity().unwrap(), restore_entropy(&words).unwrap())
            .unwrap();
    signing.say(IdentityOperation::AddNode { admission: request.admission }).unwrap();
    signing.rotate().unwrap();
    lost.client().extend_identity(&signing.request()).unwrap();
    lost.wait_in_sync();
    casa.wait("the rotated root", |client| {
        client.partners().unwrap().iter().any(|one| one.sync.phase == "in_sync")
    });
    lost.kill();
    drop(machine);
    let (mut restored, heard) = Node::restore(&bytes, &words);
    assert_eq!((heard.answered, heard.fresh), (1, 2), "a fork would have split the organisation");
    restored.start();
    restored.wait("the partner", |client| client.status().unwrap().counts.in_sync == 1);
}

/// Whether the directory of an organisation is shared with a partner of it, as the owner knows it.
fn shares_directory(owner: &Node, partner: &Node) -> bool {
    let spaces = owner.client().spaces().unwrap();
    let mut own = spaces.iter().filter(|one| one.directory && one.owner == owner.organisation);
    own.any(|one| one.members.iter().any(|member| member.organisation == partner.organisation))
}

/// A node that still waits for its partner gives nobody access. It takes a new partner, and gives
/// it what it is due once `heard` has made the waiting end.
fn shared_later(heard: impl Fn(&Node, &mut Node, &str)) {
    let (mut lost, words) = Node::found_with_words("Comune di Aulla");
    let mut casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&lost);
    lost.wait_in_sync();
    let bytes = backup(&lost);
    lost.kill();
    casa.kill();
    let (mut restored, found) = Node::restore(&bytes, &words);
    assert_eq!((found.asked, found.answered), (1, 0));
    restored.start();
    let asl = Node::found("ASL");
    assert!(!asl.join(&restored).name.is_empty());
    assert!(restored.client().status().unwrap().catching_up.is_some());
    assert!(!shares_directory(&restored, &asl), "whoever waits gives nobody access");
    heard(&restored, &mut casa, &words);
    restored
        .wait("the directory shared with the new partner", |_| shares_directory(&restored, &asl));
    let own = restored.organisation.as_str();
    asl.wait("the directory and its key", |client| {
        let spaces = client.spaces().unwrap();
        spaces.iter().any(|one| one.owner == own && one.has_key)
    });
}

#[test]
fn who_joins_a_node_that_waits_is_given_what_it_is_due_when_the_partner_was_heard() {
    shared_later(|restored, casa, _| {
        casa.start();
        restored.wait("the partner", |client| client.status().unwrap().catching_up.is_none());
    });
}

#[test]
fn who_joins_a_node_that_waits_is_given_what_it_is_due_when_it_waits_no_longer() {
    shared_later(|restored, _, _| {
        let awaited = restored.client().finish_catching_up().unwrap().awaited;
        assert_eq!(awaited, ["Casa di accoglienza"]);
    });
}

/// Where another machine blocked the one that was waited for, nobody was waited for any more, and
/// whoever had come meanwhile was never given what it was due.
#[test]
fn who_joins_a_node_that_waits_is_given_what_it_is_due_when_another_machine_blocks_the_partner() {
    shared_later(|restored, casa, words| {
        let second = second(restored, words);
        assert!(restored.client().status().unwrap().catching_up.is_some(), "it waits still");
        second.wait("the partner and its identity log", |client| {
            client.block_partner(&casa.organisation).is_ok()
        });
        restored.wait("the block", |client| client.status().unwrap().catching_up.is_none());
    });
}

#[test]
fn other_words_open_nothing_and_a_node_is_never_overwritten() {
    let (node, words) = Node::found_with_words("Comune di Aulla");
    let (_, other) = Node::found_with_words("Comune di Mulazzo");
    let bytes = backup(&node);
    let sealing = |words: &str| recovery_sealing(&restore_entropy(words).unwrap());
    let refused = inspect(bytes.as_slice(), Some(&sealing(&other))).unwrap_err();
    assert!(matches!(refused, RestoreError::Backup(BackupError::Words)), "{refused}");
    assert!(inspect(bytes.as_slice(), Some(&sealing(&words))).is_ok());
    let half = &bytes[..bytes.len() / 2];
    assert!(matches!(
        inspect(half, None).unwrap_err(),
        RestoreError::Backup(BackupError::Truncated(_))
    ));
    // A machine that was never told the key says how to tell it.
    let second = second(&node, &words);
    let error = second.client().backup(&mut Vec::new()).unwrap_err();
    assert_eq!(error.code, ErrorCode::NoRecipient);
    assert!(error.remedy.contains("backup enable"), "{}", error.remedy);
}

/// A second machine of the organisation of `first`, admitted there and running.
fn second(first: &Node, words: &str) -> Node {
    let (machine, request) = Node::request(&first.organisation);
    let mut signing =
        Signing::begin(&first.client().identity().unwrap(), restore_entropy(words).unwrap())
            .unwrap();
    signing.say(IdentityOperation::AddNode { admission: request.admission }).unwrap();
    first.client().extend_identity(&signing.request()).unwrap();
    let admission = first.client().identity().unwrap().admission;
    machine.admit(&Admission::from_text(&admission).unwrap())
}

/// A closed node dialled its partners when it was restored.
#[test]
fn a_closed_node_that_is_restored_dials_nobody() {
    let (mut lost, words) = Node::found_with_words("Casa di Reclusione");
    let casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&lost);
    lost.wait_in_sync();
    let settings = lost.directory.join("sincronia.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\n[network]\nclosed = true\n")).unwrap();
    let bytes = backup(&lost);
    lost.kill();
    let (_restored, heard) = Node::restore(&bytes, &words);
    assert_eq!((heard.asked, heard.answered), (0, 0), "its partner runs and would answer");
}

/// The root key was changed after the backup, and nobody who knew was there when a node was made of
/// it: partners ended each call without a word, and the node said that it waits for them.
#[test]
fn a_node_that_was_restored_apart_from_a_change_of_the_root_key_hears_why_nobody_takes_it() {
    let (mut lost, words) = Node::found_with_words("Comune di Aulla");
    let mut casa = Node::found("Casa di accoglienza");
    let _ = casa.join(&lost);
    casa.wait_in_sync();
    let bytes = backup(&lost);
    let entropy = restore_entropy(&words).unwrap();
    let mut signing = Signing::begin(&lost.client().identity().unwrap(), entropy).unwrap();
    signing.rotate().unwrap();
    lost.client().extend_identity(&signing.request()).unwrap();
    // What was said later is there: so is this.
    let later = lost.agree(&casa, "Accoglienza residenziale").convention.id;
    casa.wait("what was made later", |client| found(client, &later).is_some());
    lost.kill();
    casa.kill();
    let (mut restored, heard) = Node::restore(&bytes, &words);
    assert_eq!(heard.answered, 0);
    restored.start();
    casa.start();
    restored.wait("that it is not taken", |client| {
        let sync = &client.partners().unwrap()[0].sync;
        let is_told = |failure: &String| failure.contains("what certifies this machine");
        sync.phase == "refused" && sync.last_failure.as_ref().is_some_and(is_told)
    });
}
