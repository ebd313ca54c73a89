//! What lies where it should not, or does not count, and what people do about it.

use super::node::{Node, data, says};
use super::successors::wait;
use serde_json::{Value, json};
use sincronia_node::config::NodeDirectory;
use sincronia_node::keystore::{self, Unlock};
use sincronia_node::store::Store;
use sincronia_node::{random, setup};
use sincronia_protocol::record::{Edits, Kind};
use sincronia_protocol::replica::{Replica, WriteRequest, WriteTarget};
use sincronia_protocol::time::Timestamp;
use std::path::Path;

const TITLE: &str = "Accoglienza residenziale";

/// A body and a partner of it.
fn partners() -> [Node; 2] {
    let [comune, casa] = ["Comune", "Casa"].map(|name| Node::start(name, false));
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    [comune, casa]
}

/// Writes a convention into the directory, as an import of an older version did.
fn write_into_directory(node: &Path, key: &Path, parties: &[String; 3]) {
    let directory = NodeDirectory::open(node).unwrap();
    let unlock = Unlock::KeyFile(key.to_path_buf());
    let secrets = keystore::open(&directory.keystore(), &unlock).unwrap();
    let organisation = Store::organisation(&directory.store()).unwrap();
    let store = Store::open(&directory.store(), &organisation).unwrap();
    let disk = store.snapshot().unwrap();
    let mut replica = Replica::open(setup::credentials(&secrets, organisation), &disk).unwrap();
    let [own, other, third] = parties;
    let fields = json!({
        "title": TITLE, "instrument_kind": "accoglienza",
        "parties": [{"org": own, "role": "inviante"}, {"org": other, "role": "gestore"},
            {"org": third, "role": "gestore"}],
    });
    let request = WriteRequest {
        space: replica.directory(&disk).unwrap().unwrap(),
        target: WriteTarget::New(Kind::Convention),
        edits: Edits { fields: fields.as_object().unwrap().clone() },
        operator: String::new(),
        comment: None,
    };
    let mut random = random::generator().unwrap();
    replica.write(&disk, request, Timestamp::from_milliseconds(1), &mut random).unwrap();
    store.commit(&replica.take_batch()).unwrap();
    store.close().unwrap();
}

fn check(node: &Node, name: &str) -> Value {
    let checks = data(&node.tell(&["--json", "doctor"]));
    let found = checks.as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {checks}")).clone()
}

/// Sharing one convention shared every contact for writing, and revoking it took the directory away
/// from a partner for good.
#[test]
fn a_convention_in_the_directory_is_neither_shared_nor_revoked_by_itself() {
    let [comune, casa] = partners();
    let later = Node::start("Cooperativa", false);
    let id = |node: &Node| node.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let [other, third] = [&casa, &later].map(id);
    let parties = [id(&comune), other.clone(), third.clone()];
    let comune = comune.meanwhile(|node, key| write_into_directory(node, key, &parties));
    let role_of = |member: &str| {
        let spaces = comune.ask(&["space", "list"]);
        let all = spaces.as_array().unwrap().iter().find(|one| one["directory"] == true).unwrap();
        let mut members = all["members"].as_array().unwrap().iter();
        members.find(|one| one["organisation"] == member).unwrap()["role"].clone()
    };
    let role = || role_of(&other);
    assert_eq!(role(), "reader");
    for words in [&["share", TITLE, "Casa"][..], &["revoke", TITLE, "Casa", "--yes"]] {
        let refused = comune.tell(&[&["convention"], words].concat());
        assert_eq!(refused.status.code(), Some(7), "{}", says(&refused));
        assert!(says(&refused).contains("convention new"), "{}", says(&refused));
        assert_eq!(role(), "reader");
    }
    // Nor does a party that becomes a partner write there.
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    later.ask(&["join", &invitation]);
    assert_eq!(role_of(&third), "reader");
    comune.ask(&["convention", "edit", TITLE, "--seats-total", "4"]);
    assert_eq!(role(), "reader");
    let found = check(&comune, "conventions_apart");
    assert!(
        found["warning"] == true && found["detail"].as_str().unwrap().contains(TITLE),
        "{found}"
    );
    let id = comune.ask(&["convention", "list"])[0]["id"].as_str().unwrap().to_owned();
    comune.ask(&["erase", &id, "--yes"]);
    assert_eq!(check(&comune, "conventions_apart")["ok"], true);
}

/// A convention of two partners that are there.
fn convention(comune: &Node, casa: &Node, title: &str) -> (String, Value) {
    let new = ["convention", "new", "--title", title, "--kind", "accoglienza"];
    let parties = ["--party", "Comune:inviante", "--party", "Casa:gestore"];
    let made = comune.ask(&[&new[..], &parties].concat());
    let (id, space) = (made["convention"]["id"].as_str().unwrap(), made["space"]["id"].clone());
    wait(casa, &["space", "list"], |all| {
        let mut all = all.as_array().unwrap().iter();
        all.any(|one| one["id"] == space && one["has_key"] == true && one["records"] == 1)
    });
    (id.to_owned(), space)
}

/// Edits of a member that had not heard of its removal, of each convention so many.
fn late(comune: &Node, casa: &Node, edits: &[(&str, &[&str])]) -> Vec<Value> {
    casa.ask(&["offline"]);
    for (id, seats) in edits {
        for one in *seats {
            casa.ask(&["convention", "edit", id, "--seats-total", one, "--operator", "Ada"]);
        }
        comune.ask(&["convention", "revoke", id, "Casa", "--yes"]);
    }
    casa.ask(&["online"]);
    let all: usize = edits.iter().map(|(_, seats)| seats.len()).sum();
    wait(comune, &["status"], |status| status["counts"]["quarantined"] == all);
    comune.ask(&["record", "late"]).as_array().unwrap().clone()
}

/// The identifier of the late entry that changes the seats so.
fn entry(entries: &[Value], seats: u64) -> String {
    let found = entries.iter().find(|one| one["fields"] == json!({"seats_total": seats})).unwrap();
    found["entry"].as_str().unwrap().to_owned()
}

/// Nobody could see what was kept, and doctor warned of it for ever.
#[test]
fn what_does_not_count_shows_what_it_would_change_and_is_taken_up_or_dismissed() {
    let [comune, casa] = partners();
    let (id, _) = convention(&comune, &casa, TITLE);
    let entries = late(&comune, &casa, &[(&id, &["5", "6"])]);
    let told = says(&comune.tell(&["record", "late"]));
    for part in ["Ada", "5", "6", "--take", "--dismiss", TITLE] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(check(&comune, "quarantine")["warning"], true);
    let dismissed = comune.tell(&["record", "late", "--dismiss", &entry(&entries, 5)]);
    assert!(dismissed.status.success(), "{}", says(&dismissed));
    assert_eq!(comune.ask(&["status"])["decisions"]["late"], 1);
    let taken = comune.tell(&["record", "late", "--take", &entry(&entries, 6)]);
    assert!(taken.status.success(), "{}", says(&taken));
    let shown = comune.ask(&["convention", "show", &id]);
    assert_eq!(shown["convention"]["fields"]["seats_total"], 6);
    assert_eq!(check(&comune, "quarantine")["ok"], true);
    // It is kept, and whoever wants to see it does.
    assert_eq!(comune.ask(&["record", "late"]).as_array().map(Vec::len), Some(2));
    let comune = comune.meanwhile(|_, _| ());
    assert_eq!(check(&comune, "quarantine")["ok"], true, "after a restart too");
}

/// What was decided of was still counted where a space or a record was looked at, and so was what
/// lay in another space.
#[test]
fn what_was_decided_of_counts_neither_in_the_status_nor_in_its_space_nor_on_its_record() {
    let [comune, casa] = partners();
    let (one, first) = convention(&comune, &casa, TITLE);
    let (other, second) = convention(&comune, &casa, "Trasporto protetto");
    let entries = late(&comune, &casa, &[(&one, &["5", "6"]), (&other, &["7"])]);
    let counted = || {
        let (status, spaces) = (comune.ask(&["status"]), comune.ask(&["space", "list"]));
        let in_space = |id: &Value| {
            let mut spaces = spaces.as_array().unwrap().iter();
            spaces.find(|space| space["id"] == *id).unwrap()["quarantined"].clone()
        };
        let (all, late) = (&status["counts"]["quarantined"], &status["decisions"]["late"]);
        json!([all, late, in_space(&first), in_space(&second)])
    };
    let sheet = |id: &str| says(&comune.tell(&["convention", "show", id]));
    assert_eq!(counted(), json!([3, 3, 2, 1]));
    assert!(sheet(&one).contains("that do not count 2"), "{}", sheet(&one));
    comune.ask(&["record", "late", "--dismiss", &entry(&entries, 5)]);
    assert_eq!(counted(), json!([2, 2, 1, 1]));
    assert!(sheet(&one).contains("that do not count 1"), "{}", sheet(&one));
    assert!(sheet(&other).contains("that do not count 1"), "{}", sheet(&other));
    comune.ask(&["record", "late", "--dismiss", &entry(&entries, 6)]);
    assert_eq!(counted(), json!([1, 1, 0, 1]));
    assert!(!sheet(&one).contains("that do not count"), "{}", sheet(&one));
}

/// Whoever took up what a record shows already wrote the same again, and who is no member any more
/// was told to write where it cannot.
#[test]
fn what_would_change_nothing_is_only_offered_to_be_dismissed() {
    let [comune, casa] = partners();
    let (id, _) = convention(&comune, &casa, TITLE);
    late(&comune, &casa, &[(&id, &["6"])]);
    let told = |node: &Node| says(&node.tell(&["record", "late"]));
    assert!(told(&comune).contains("record late --take"), "{}", told(&comune));
    comune.ask(&["convention", "edit", &id, "--seats-total", "6"]);
    let only = |text: &str| text.contains("--dismiss") && !text.contains("--take");
    assert!(only(&told(&comune)), "{}", told(&comune));
    // To the one that wrote it, too, it shows what does not count, and nothing to write there.
    wait(&casa, &["status"], |status| status["counts"]["quarantined"] == 1);
    assert!(only(&told(&casa)), "{}", told(&casa));
}
