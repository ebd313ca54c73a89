//! A backup put in the place of a node, as a newcomer does it.

use super::bundles::{carry, partners};
use super::node::{Node, says};
use super::successors::wait;
use sincronia_protocol::ids::OrganisationId;
use std::path::{Path, PathBuf};

/// Everything below a directory but the node that runs there.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node") {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// Without the person's word nothing is put in the place of anything, and what was made meanwhile,
/// the node with its directories and its key, is gone again.
#[test]
fn a_restoration_that_nobody_confirmed_leaves_nothing_behind() {
    let node = Node::start("Comune", false);
    let nowhere = node.tell(&["backup", "create", "missing/copy.backup"]);
    assert_eq!(nowhere.status.code(), Some(3), "{}", says(&nowhere));
    assert!(says(&nowhere).contains("no such directory: missing ["), "{}", says(&nowhere));
    node.ask(&["backup", "create", "copy.backup"]);
    let before = below(&node.place(""));
    let restore = [
        "backup",
        "restore",
        "copy.backup",
        "--no-input",
        "--recovery-file",
        "words",
        "--key-file",
        "new/key",
    ];
    std::fs::create_dir(node.place("new")).unwrap();
    let declined = node.tell_of("deep/again", &restore);
    assert_eq!(declined.status.code(), Some(2), "{}", says(&declined));
    assert!(says(&declined).contains("--yes"), "{}", says(&declined));
    std::fs::remove_dir(node.place("new")).expect("the key that was made is gone");
    assert_eq!(below(&node.place("")), before);
    // The words of another organisation are refused before anything is asked, and leave as little.
    let other = Node::start("Provincia", false);
    let words = other.place("words").display().to_string();
    let mut with_others = restore.map(|word| if word == "words" { words.as_str() } else { word });
    with_others[7] = "key-of-others";
    assert!(!node.tell_of("deep/again", &with_others).status.success());
    assert_eq!(below(&node.place("")), before);
    // With it there is a node.
    let restored =
        node.tell_of("deep/again", &[&restore[..6], &["--yes", restore[6], "new-key"]].concat());
    assert!(restored.status.success(), "{}", says(&restored));
    assert!(node.place("deep/again").is_dir() && node.place("new-key").is_file());
}

/// Partners that never have a line were never heard, and the new node waited for them for ever.
#[test]
fn a_partner_without_a_line_is_heard_through_a_bundle_that_it_made_for_the_new_node() {
    let (comune, prison) = partners();
    comune.ask(&["backup", "create", "copy.backup"]);
    let stale = prison.ask(&["bundle", "export", "--for", "Comune", "--all", "--output", "stale"]);
    let stale = prison.place(stale["files"][0].as_str().unwrap()).display().to_string();
    let home = tempfile::tempdir().unwrap();
    let (node, key) = (home.path().join("node"), home.path().join("key"));
    let restored = comune.tell_of(
        node.to_str().unwrap(),
        &[
            "backup",
            "restore",
            "copy.backup",
            "--yes",
            "--recovery-file",
            "words",
            "--key-file",
            key.to_str().unwrap(),
        ],
    );
    assert!(restored.status.success(), "{}", says(&restored));
    drop(comune);
    let restored = Node::run(home, true);
    let awaited = || restored.ask(&["status"])["catching_up"]["awaited"].clone();
    assert_eq!(awaited(), serde_json::json!(["Carcere"]));
    let text = says(&restored.tell(&["status"]));
    assert!(text.contains("bundle export --for ORGANISATION"), "{text}");
    // One from before the new node does not open, so it proves nothing.
    assert!(!restored.tell(&["bundle", "import", &stale]).status.success());
    carry(&restored, &prison, "Carcere");
    assert_eq!(awaited(), serde_json::json!(["Carcere"]));
    carry(&prison, &restored, "Comune");
    assert_eq!(awaited(), serde_json::Value::Null);
}

/// The words promised that the node takes the place of another, whose place was taken long ago.
#[test]
fn a_second_restoration_of_one_backup_names_the_node_that_the_first_one_made() {
    let [comune, casa] = ["Comune", "Casa"].map(|name| Node::start(name, false));
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    comune.ask(&["backup", "create", "copy.backup"]);
    let [backup, words] = ["copy.backup", "words"].map(|name| comune.place(name));
    let [backup, words] = [&backup, &words].map(|path| path.display().to_string());
    let home = tempfile::tempdir().unwrap();
    let restore = |name: &str| {
        let [node, key] =
            [name.to_owned(), format!("{name}.key")].map(|name| home.path().join(name));
        let key = if name == "node" { home.path().join("key") } else { key };
        let words =
            ["backup", "restore", &backup, "--yes", "--recovery-file", &words, "--key-file"];
        comune.tell_of(node.to_str().unwrap(), &[&words[..], &[key.to_str().unwrap()]].concat())
    };
    let first = restore("node");
    assert!(first.status.success(), "{}", says(&first));
    assert!(!says(&first).contains("is revoked already"), "{}", says(&first));
    let again = tempfile::tempdir().unwrap();
    for name in ["node", "key"] {
        let mut copy = std::process::Command::new("cp");
        let copied = copy.arg("-a").arg(home.path().join(name)).arg(again.path()).status();
        assert!(copied.unwrap().success());
    }
    let restored = Node::run(again, false);
    let id = restored.ask(&["status"])["node"].as_str().unwrap().to_owned();
    wait(&restored, &["status"], |status| status["catching_up"].is_null());
    let asked = says(&comune.tell_of(
        home.path().join("unasked").to_str().unwrap(),
        &["backup", "restore", &backup, "--no-input", "--recovery-file", &words, "--key-file", "k"],
    ));
    assert!(asked.contains("one more machine") && !asked.contains("for good"), "{asked}");
    let second = restore("second");
    assert!(second.status.success(), "{}", says(&second));
    let told = says(&second);
    assert!(told.contains("is revoked already") && told.contains(&id), "{told}");
}

/// One bit of the name of the organisation had turned on a disk that was damaged elsewhere, too:
/// the right sheet was called that of somebody else.
#[test]
fn the_right_words_are_not_called_wrong_where_the_disk_is() {
    let node = Node::start("Comune", false);
    let own = node.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let own = own.parse::<OrganisationId>().unwrap();
    let node = node.stopped(|directory| {
        let store = directory.join("store.redb");
        let mut bytes = std::fs::read(&store).unwrap();
        let places: Vec<_> = bytes.windows(32).enumerate().collect();
        let places = places.into_iter().filter(|(_, found)| *found == own.as_bytes());
        for at in places.map(|(at, _)| at).collect::<Vec<_>>() {
            bytes[at] ^= 1;
            bytes[at + 1] ^= 1;
        }
        std::fs::write(&store, bytes).unwrap();
    });
    let repair = ["repair", "--key-file", "key", "--into", "new", "--recovery-file", "words"];
    let refused = node.tell(&[&repair[..], &["--yes"]].concat());
    assert!(!refused.status.success());
    let told = says(&refused);
    assert!(told.contains("repair_words") && told.contains("backup restore"), "{told}");
}

/// The keystore was missing, and the program advised to put it back from a copy or to restore a
/// backup. The backup was damaged; the store that the copy would have opened was erased meanwhile.
#[test]
fn a_restoration_that_fails_takes_no_store_whose_keys_are_elsewhere() {
    let node = Node::start("Comune", false);
    let made = node.ask(&["backup", "create", "copy.backup"]);
    assert_eq!(made["file"], "copy.backup");
    let mut bytes = std::fs::read(node.place("copy.backup")).unwrap();
    bytes.push(0);
    std::fs::write(node.place("copy.backup"), bytes).unwrap();
    let node = node.stopped(|directory| {
        std::fs::rename(directory.join("keystore.cbor"), directory.join("../keystore")).unwrap();
    });
    let restore = ["backup", "restore", "copy.backup", "--recovery-file", "words", "--key-file"];
    let refused = node.tell(&[&restore[..], &["new-key", "--yes"]].concat());
    assert!(says(&refused).contains("backup_damaged"), "{}", says(&refused));
    std::fs::rename(node.place("keystore"), node.place("node/keystore.cbor")).unwrap();
    let verified = node.tell(&["verify", "--key-file", "key"]);
    assert!(verified.status.success(), "{}", says(&verified));
    // And whoever begins anew in its place still has it.
    std::fs::rename(node.place("node/keystore.cbor"), node.place("keystore")).unwrap();
    let store = std::fs::read(node.place("node/store.redb")).unwrap();
    let init = ["init", "Comune", "--no-input", "--recovery-file", "new-words", "--key-file"];
    let begun = node.tell(&[&init[..], &["new-key"]].concat());
    assert!(begun.status.success(), "{}", says(&begun));
    assert_eq!(std::fs::read(node.place("node/store.keyless-1.redb")).unwrap(), store);
}

/// Two machines of an organisation each revoked the other while they were apart: neither signed
/// anything any more, and without a backup all that they had was closed for good.
#[test]
fn a_new_node_is_made_of_a_revoked_one_where_no_other_is_left() {
    let first = Node::start("Comune", false);
    let [home, new] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [directory, key] = ["node", "key"].map(|name| home.path().join(name).display().to_string());
    let into = new.path().join("node").display().to_string();
    let recovery = first.place("words").display().to_string();
    let (opens, words) = (["--key-file", &key], ["--yes", "--recovery-file", &recovery]);
    let organisation = first.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let request = ["init", "--additional", &organisation, "--output", "request", "--no-input"];
    let other = first.tell_of(&directory, &[&request[..], &opens].concat());
    assert!(other.status.success(), "{}", says(&other));
    first.ask(&[&["node", "add", "request", "--output", "admission"], &words[..]].concat());
    let admit = ["node", "admit", "admission"];
    let taken = first.tell_of(&directory, &[&admit[..], &opens].concat());
    assert!(taken.status.success(), "{}", says(&taken));
    let repair = [&["repair", "--into", &into], &words[..], &opens].concat();
    let sound = first.tell_of(&directory, &repair);
    assert!(says(&sound).contains("nothing to repair"), "{}", says(&sound));

    let second = Node::run(home, false);
    let node = second.ask(&["status"])["node"].as_str().unwrap().to_owned();
    wait(&first, &["node", "list"], |nodes| {
        nodes.as_array().unwrap().iter().any(|one| one["connected"] == true)
    });
    first.ask(&[&["node", "revoke", &node], &words[..]].concat());
    wait(&second, &["status"], |status| status["revoked"] == true);
    assert!(says(&second.tell(&["doctor"])).contains("repair --into"));
    let second = second.stopped(|_| ());
    let made = second.tell(&repair);
    assert!(made.status.success(), "{}", says(&made));
    std::fs::copy(second.place("key"), new.path().join("key")).unwrap();
    let new = Node::run(new, false);
    assert_eq!(new.ask(&["status"])["revoked"], false);
    assert_ne!(new.ask(&["status"])["node"], node.as_str());
}

/// Nobody is asked where there is no line, so two restorations from one backup part the machines of
/// a body. No bundle told it so: what the first one had written never came to the second.
#[test]
fn a_body_without_a_line_hears_by_bundle_of_its_other_restoration() {
    let (comune, prison) = partners();
    let new = ["convention", "new", "--title", "Articolo 21 in comune", "--kind", "altro"];
    let parties = ["--party", "Comune:inviante", "--party", "Carcere:ospitante"];
    comune.ask(&[&new[..], &parties].concat());
    carry(&comune, &prison, "Carcere");
    prison.ask(&["backup", "create", "copy.backup"]);
    let prison = prison.stopped(|_| ());
    let restore = || {
        let home = tempfile::tempdir().unwrap();
        let [node, key] = ["node", "key"].map(|name| home.path().join(name).display().to_string());
        let restore = ["backup", "restore", "copy.backup", "--yes", "--recovery-file", "words"];
        let made = prison.tell_of(&node, &[&restore[..], &["--key-file", &key]].concat());
        assert!(made.status.success(), "{}", says(&made));
        home
    };
    let exchange = |node: &Node, comune: &Node| {
        for _ in 0..2 {
            carry(node, comune, "Comune");
            carry(comune, node, "Carcere");
        }
    };
    // While nobody answers, who could be asked.
    let mut homes = Vec::new();
    let comune = comune.meanwhile(|_, _| homes.extend([restore(), restore()]));
    let second = homes.pop().unwrap();
    let first = Node::run(homes.pop().unwrap(), true);
    exchange(&first, &comune);
    first.ask(&["convention", "edit", "Articolo 21 in comune", "--seats-total", "5"]);
    exchange(&first, &comune);
    drop(first);
    let second = Node::run(second, true);
    exchange(&second, &comune);
    assert_eq!(second.ask(&["status"])["divided"], true);
    let shown = second.ask(&["convention", "list"]);
    assert_eq!(shown[0]["fields"]["seats_total"], 5, "{shown}");
}
