//! The command as people type it, against a node that notes what it is asked.

use super::probe::Probe;
use super::running::Running;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Output};

fn sincronia(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sincronia"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SINCRONIA_") {
            command.env_remove(name);
        }
    }
    command.arg("--directory").arg(directory).args(words).output().unwrap()
}

fn says(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_convention_is_found_however_its_title_is_typed() {
    let running = Running::start();
    for words in [
        &["convention", "show", "T"][..],
        &["convention", "edit", "T", "--subject", "s"],
        &["cover", "list", "T"],
        &["invite", "--convention", "T"],
    ] {
        running.probe.take();
        let output = sincronia(running.directory.path(), words);
        assert!(output.status.success(), "{words:?}: {}", says(&output));
        let calls = running.probe.take();
        let asked: Vec<_> = calls.iter().filter(|(name, _)| name.ends_with("convention")).collect();
        assert!(!asked.is_empty(), "{words:?}");
        assert!(asked.iter().all(|(_, arguments)| arguments[0] == "scheda1"), "{asked:?}");
    }
    // Found, and refused only because it is its own: the probe knows no other body.
    let share = ["convention", "share", "T", "Comune di Mulazzo"];
    let output = sincronia(running.directory.path(), &share);
    assert!(says(&output).contains("[share_self]"), "{}", says(&output));
    let output = sincronia(running.directory.path(), &["convention", "show", "x"]);
    assert_eq!(output.status.code(), Some(3), "{}", says(&output));
}

#[test]
fn who_mistypes_the_directory_is_not_asked_for_a_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let output = sincronia(&home.path().join("nodo"), &["run", "--no-input", "--language", "it"]);
    assert_eq!(output.status.code(), Some(3), "{}", says(&output));
    assert!(says(&output).contains("sincronia init"), "{}", says(&output));
}

#[test]
fn doctor_and_status_speak_italian() {
    let running = Running::start();
    let output = sincronia(running.directory.path(), &["doctor", "--language", "it"]);
    assert!(says(&output).contains("archivio"), "{}", says(&output));
    assert!(!says(&output).contains("store"), "{}", says(&output));
}

#[test]
fn no_node_is_made_whose_recovery_words_find_no_place() {
    let home = tempfile::tempdir().unwrap();
    let place = |name: &str| home.path().join(name).display().to_string();
    let init = |key: &str, words: &str| {
        let (key, words) = (place(key), place(words));
        let options = ["init", "Comune di Zeri", "--no-input", "--key-file", &key];
        let words = [&options[..], &["--recovery-file", &words]].concat();
        sincronia(&home.path().join("nodo"), &words)
    };
    let output = init("key", "nowhere/words");
    assert_eq!(output.status.code(), Some(1), "{}", says(&output));
    assert!(!home.path().join("nodo").exists(), "{}", says(&output));
    std::fs::write(home.path().join("short"), "x").unwrap();
    let output = init("short", "words");
    assert!(!output.status.success() && !home.path().join("words").exists(), "{}", says(&output));
    let output = init("key", "words");
    assert!(output.status.success(), "{}", says(&output));
    let words = std::fs::read_to_string(home.path().join("words")).unwrap();
    assert_eq!(words.split_whitespace().count(), 24);
    assert!(!says(&output).contains(words.trim()), "the words are on paper only");
}

#[test]
fn an_invitation_is_valid_for_some_time_and_not_for_ever() {
    let running = Running::start();
    for (hours, possible) in [("0", false), ("1", true), ("2160", true), ("2161", false)] {
        let output = sincronia(running.directory.path(), &["invite", "--valid-hours", hours]);
        let code = if possible { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(code), "{hours}: {}", says(&output));
    }
}

#[test]
fn whatever_file_is_missing_is_not_found() {
    let running = Running::start();
    for words in [
        &["join", "nofile.txt"][..],
        &["join", "nofile"],
        &["join", "--invitation-file", "nofile"],
        &["bundle", "import", "nofile"],
        &["import", "nofile", "--kind", "contact"],
        &["convention", "new", "--file", "nofile"],
        &["node", "add", "nofile"],
        &["node", "admit", "nofile"],
        &["node", "rotate-root", "--yes", "--recovery-file", "nofile"],
        &["backup", "verify", "nofile"],
        &["backup", "restore", "nofile"],
    ] {
        let output = sincronia(running.directory.path(), words);
        let (code, text) = (output.status.code(), says(&output));
        assert_eq!((code, text.contains("nofile")), (Some(3), true), "{words:?}: {text}");
    }
}

#[test]
fn what_waits_for_a_person_is_no_fault_of_the_node() {
    for (check, code) in [
        (json!({"name": "store", "ok": true, "detail": "1 bytes"}), 0),
        (json!({"name": "partners_verified", "ok": false, "warning": true, "detail": "Zeri"}), 0),
        (json!({"name": "one_copy", "ok": false, "detail": "another one runs"}), 1),
    ] {
        let mut probe = Probe::new(64);
        probe.check = check;
        let running = Running::with(probe);
        let output = sincronia(running.directory.path(), &["doctor"]);
        assert_eq!(output.status.code(), Some(code), "{}", says(&output));
    }
}

#[test]
fn kinds_and_their_codes_are_listed_without_a_node() {
    let nowhere = Path::new("/nowhere");
    let kinds = says(&sincronia(nowhere, &["record", "fields"]));
    assert!(kinds.contains("convention") && kinds.contains("cover"), "{kinds}");
    let fields = says(&sincronia(nowhere, &["record", "fields", "convention"]));
    for code in ["instrument_kind", "accordo_pa", "· role", "inviante", "ospitante"] {
        assert!(fields.contains(code), "{code}: {fields}");
    }
    assert!(fields.lines().all(|line| line.chars().count() <= 100), "{fields}");
    assert_eq!(sincronia(nowhere, &["record", "fields", "x"]).status.code(), Some(2));
}

#[test]
fn spaces_are_listed_with_their_owner_and_only_carried_ones_when_asked() {
    let running = Running::start();
    let all = says(&sincronia(running.directory.path(), &["space", "list"]));
    assert!(all.contains("fascicolo1") && all.contains("Comune di Aulla"), "{all}");
    let carried = says(&sincronia(running.directory.path(), &["space", "list", "--carried"]));
    assert!(!carried.contains("fascicolo1"), "{carried}");
}

#[test]
fn nothing_is_erased_unseen_by_less_than_its_whole_identifier() {
    let running = Running::start();
    let erase = |words: &[&str]| {
        running.probe.take();
        let output = sincronia(running.directory.path(), &[&["erase"], words].concat());
        let calls = running.probe.take();
        (output, calls.iter().any(|(name, _)| *name == "erase_record"))
    };
    for typed in ["t", "scheda"] {
        let (output, erased) = erase(&[typed, "--yes"]);
        assert_eq!(output.status.code(), Some(2), "{}", says(&output));
        assert!(!erased && says(&output).contains("scheda1"), "{}", says(&output));
        let (output, erased) = erase(&[typed, "--no-input"]);
        assert!(!output.status.success() && !erased, "{}", says(&output));
    }
    let (output, erased) = erase(&["scheda1", "--yes"]);
    assert!(output.status.success() && erased, "{}", says(&output));
}

#[test]
fn what_does_not_count_is_listed_and_a_secret_typed_for_a_file_is_not_repeated() {
    let running = Running::start();
    let late = says(&sincronia(running.directory.path(), &["--language", "en", "record", "late"]));
    assert!(late.contains("not here yet when its author was removed"), "{late}");
    let output = sincronia(
        running.directory.path(),
        &["verify", "--passphrase-file", "una frase molto segreta", "--directory", "/nowhere"],
    );
    assert!(!says(&output).contains("segreta"), "{}", says(&output));
    let secret = format!("<invito1{}>", "q".repeat(300));
    let output = sincronia(running.directory.path(), &["join", &secret]);
    assert!(!output.status.success() && !says(&output).contains("qqqqqqqqqqqqqqqqqqqq"));
}

#[test]
fn a_program_that_asks_for_an_exchange_gets_a_document() {
    let running = Running::start();
    running.probe.gate.notify_one();
    let output = sincronia(running.directory.path(), &["--json", "sync"]);
    assert!(output.status.success(), "{}", says(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "sincronia/1/sync");
    assert_eq!(document["data"], json!({"partners": 1, "unreached": []}));
}

/// `invite revoke ""` revoked the one invitation that was open.
#[test]
fn too_little_of_an_identifier_names_nothing() {
    let running = Running::start();
    for nothing in ["", "…", "f"] {
        running.probe.take();
        let output = sincronia(running.directory.path(), &["invite", "revoke", nothing]);
        let calls = running.probe.take();
        assert_eq!(output.status.code(), Some(2), "{nothing}: {}", says(&output));
        assert!(calls.iter().all(|(name, _)| *name != "revoke_invitation"), "{calls:?}");
    }
    let whole = sincronia(running.directory.path(), &["invite", "revoke", "i"]);
    assert!(whole.status.success(), "{}", says(&whole));
    let output = sincronia(running.directory.path(), &["--language", "en", "node", "report", "no"]);
    assert_eq!(output.status.code(), Some(3), "{}", says(&output));
    assert!(says(&output).contains("one of: nodo1"), "{}", says(&output));
}

#[test]
fn who_was_presented_is_called_so_by_somebody() {
    let running = Running::start();
    for (language, name) in
        [("en", "ASL (as Comune di Aulla calls it,"), ("it", "ASL (nome dato da Comune di Aulla,")]
    {
        let words = ["--language", language, "introduction", "list"];
        let list = says(&sincronia(running.directory.path(), &words));
        let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(list.contains(name), "{list}");
        let node = running.directory.path().display();
        let how = format!("`sincronia introduction accept ente2 --directory {node}`");
        assert!(list.contains(&how), "{list}");
    }
}

#[test]
fn what_is_left_of_a_node_is_not_called_none() {
    let home = tempfile::tempdir().unwrap();
    let place = |name: &str| home.path().join(name).display().to_string();
    let (node, key) = (home.path().join("nodo"), place("key"));
    let words = ["init", "Comune di Zeri", "--no-input", "--key-file", &key, "--recovery-file"];
    assert!(sincronia(&node, &[&words[..], &[&place("words")]].concat()).status.success());
    let run = || sincronia(&node, &["--language", "en", "run", "--key-file", &key]);
    for file in ["keystore.cbor", "store.redb"] {
        std::fs::rename(node.join(file), place(file)).unwrap();
        let (output, aside) = (run(), place(file));
        std::fs::rename(aside, node.join(file)).unwrap();
        assert!(!output.status.success(), "{}", says(&output));
        let text = says(&output);
        assert!(text.contains(file) && text.contains("sincronia backup restore"), "{text}");
        assert!(!text.contains("create one"), "{text}");
    }
}
