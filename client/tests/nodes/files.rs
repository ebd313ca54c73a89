//! Files of others, and files named by mistake.

use super::bundles::partners;
use super::node::{Node, data, says};
use super::successors::wait;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

/// The files of a bundle of several parts for the prison, made anew each time.
fn parts(comune: &Node, stick: &str) -> Vec<PathBuf> {
    let to = comune.place(stick).display().to_string();
    let export = ["bundle", "export", "--for", "Carcere", "--all", "--size", "4096", "--output"];
    let made = comune.ask(&[&export[..], &[&to]].concat());
    let files: Vec<_> = made["files"].as_array().unwrap().iter().collect();
    assert!(files.len() > 1, "{files:?}");
    files.into_iter().map(|file| PathBuf::from(file.as_str().unwrap())).collect()
}

fn convention(comune: &Node) {
    let new = ["convention", "new", "--title", "Articolo 21 in comune", "--kind", "altro"];
    let parties = ["--party", "Comune:inviante", "--party", "Carcere:ospitante"];
    comune.ask(&[&new[..], &parties].concat());
}

/// Another system had written the name of a file on the stick in letters that are no text: the
/// bundle was imported, and then the program broke off instead of saying so.
#[test]
fn a_program_is_told_of_a_file_whose_name_is_no_text() {
    let (comune, prison) = partners();
    convention(&comune);
    let made = comune.ask(&["bundle", "export", "--for", "Carcere", "--output", "stick"]);
    let made = comune.place(made["files"][0].as_str().unwrap());
    let strange = made.with_file_name(OsStr::from_bytes(b"citt\xe0.sincronia"));
    std::fs::rename(&made, &strange).unwrap();
    let taken = prison.tell_of_files(&["--json", "bundle", "import"], &[strange]);
    assert!(taken.status.success(), "{}", says(&taken));
    let file = data(&taken)[0]["file"].as_str().unwrap().to_owned();
    assert!(file.ends_with("citt\u{fffd}.sincronia"), "{file}");
    let backup = comune.place("").join(OsStr::from_bytes(b"citt\xe0.backup"));
    let made = comune.tell_of_files(&["--json", "backup", "create"], &[backup]);
    assert!(made.status.success(), "{}", says(&made));
}

/// A pipe on the stick, to which nobody writes, held the import for ever: the files behind it were
/// never tried.
#[test]
fn a_pipe_on_the_stick_does_not_keep_the_files_behind_it() {
    let (comune, prison) = partners();
    convention(&comune);
    let made = comune.ask(&["bundle", "export", "--for", "Carcere", "--output", "stick"]);
    let made = comune.place(made["files"][0].as_str().unwrap());
    let pipe = made.with_file_name("a.sincronia");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let taken = prison.tell_of_files(&["--json", "bundle", "import"], &[pipe, made]);
    assert_eq!(taken.status.code(), Some(2), "{}", says(&taken));
    let taken = data(&taken);
    assert_eq!((&taken[0]["ok"], &taken[1]["ok"]), (&false.into(), &true.into()), "{taken}");
}

/// Parts come by several mails, and each is imported for itself: that is no failure. A script that
/// has all the files of a stick asks whether they were all, and was told nothing.
#[test]
fn missing_parts_are_a_failure_for_whom_asks_whether_they_are_all_there() {
    let (comune, prison) = partners();
    convention(&comune);
    let all = parts(&comune, "parts");
    let (first, rest) = all.split_at(1);
    let import = |words: &[&str], files: &[PathBuf]| {
        let told = prison.tell_of_files(&[&["bundle", "import"], words].concat(), files);
        (told.status.code(), says(&told))
    };
    assert_eq!(import(&[], first).0, Some(0));
    let (code, text) = import(&["--check"], first);
    assert_eq!(code, Some(6), "{text}");
    assert!(text.contains("missing"), "{text}");
    let (code, text) = import(&["--check"], rest);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(import(&["--check"], first).0, Some(0), "it was imported before");
}

/// People took the recovery words out of the safe and typed them, to be told that there was no such
/// file, or that it was no backup.
#[test]
fn nobody_is_asked_for_the_words_of_what_is_no_backup() {
    let node = Node::start("Comune", false);
    std::fs::write(node.place("letter.backup"), "Spettabile Comune").unwrap();
    for (file, code) in [("nowhere", "no_file"), ("letter.backup", "backup_foreign")] {
        let verify = ["--json", "backup", "verify", file, "--open"];
        let restore = ["--json", "backup", "restore", file, "--key-file", "new-key"];
        for refused in [node.tell(&verify), node.tell_of("new", &restore)] {
            assert!(!refused.status.success());
            assert!(says(&refused).contains(code), "{}", says(&refused));
        }
    }
    assert!(!node.place("new-key").exists() && !node.place("new").exists());
}

/// The name of a backup held the number of the process that made it.
#[test]
fn a_backup_is_called_after_whom_and_when() {
    let node = Node::start("Comune di Aulla", false);
    let file = node.ask(&["backup", "create"])["file"].as_str().unwrap().to_owned();
    let time = file.strip_prefix("comune-di-aulla-").and_then(|rest| rest.strip_suffix(".backup"));
    assert!(time.is_some_and(|time| time.bytes().all(|one| one.is_ascii_digit())), "{file}");
}

/// Whoever named the file of the recovery words by mistake saw the first of them on the screen, and
/// so did the records of whatever had run the command.
#[test]
fn of_a_secret_that_was_named_by_mistake_nothing_is_repeated() {
    let node = Node::start("Comune", false);
    let words = std::fs::read_to_string(node.place("words")).unwrap();
    let commands: [&[&str]; 4] = [
        &["join", "words"],
        &["node", "add", "words", "--recovery-file", "words"],
        &["node", "admit", "words", "--key-file", "key"],
        &["record", "new", "contact", "--file", "words"],
    ];
    for command in commands {
        let refused = node.tell(command);
        assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
        let told = says(&refused);
        let is_told = |word: &&str| told.contains(word.get(..4).unwrap_or(word));
        let told_words = words.split_whitespace().take(3).filter(is_told).count();
        assert!(told_words < 3, "{command:?}: {told}");
        assert!(told.contains("words") && told.contains('→'), "{told}");
    }
}

/// A table names the body that is no more in each of its rows: each asked the node for all
/// organisations anew, so that a large table took minutes, and each asked the person anew.
#[test]
fn a_table_that_names_a_former_body_in_each_row_asks_once() {
    let (old, new) = (Node::start("CSSA", false), Node::start("UEPE", false));
    let invitation = old.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    new.ask(&["join", &invitation]);
    let say = |node: &Node, words: &[&str]| {
        let file = node.place("words").display().to_string();
        let said = node.tell(&[words, &["--yes", "--recovery-file", &file]].concat());
        assert!(said.status.success(), "{}", says(&said));
    };
    say(&old, &["succession", "declare", "UEPE"]);
    wait(&new, &["succession", "list"], |all| all.as_array().is_some_and(|all| !all.is_empty()));
    say(&new, &["succession", "accept", "CSSA"]);
    let rows = "persona;Ada;CSSA\npersona;Bice;CSSA\npersona;Carla;CSSA\n";
    let table = format!("contact_kind;family_name;org\n{rows}");
    std::fs::write(new.place("table.csv"), table).unwrap();
    let taken = new.tell(&["import", "table.csv", "--kind", "contact", "--yes"]);
    assert!(taken.status.success(), "{}", says(&taken));
    assert_eq!(says(&taken).matches("UEPE").count(), 1, "{}", says(&taken));
    let unknown = "persona;Ada;Nessuno\n".repeat(2_000);
    let table = format!("contact_kind;family_name;org\n{unknown}");
    std::fs::write(new.place("unknown.csv"), table).unwrap();
    let refused = new.tell(&["--json", "import", "unknown.csv", "--kind", "contact"]);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert_eq!(data(&refused)["problems"].as_array().unwrap().len(), 2_000);
}

/// A full disk left an empty key file, which was taken for a wrong one when there was room again;
/// and a backup of a node that did not run left the beginning of a file.
#[test]
fn what_could_not_be_written_stands_in_nobodys_way() {
    let node = Node::start("Comune", false);
    let init = ["init", "Ente", "--no-input", "--key-file", "k", "--recovery-file", "w"];
    let full = node.tell_where_full("other", &init);
    assert!(!full.status.success() && says(&full).contains("k: "), "{}", says(&full));
    let again = node.tell_of("other", &init);
    assert!(again.status.success(), "{}", says(&again));
    std::fs::create_dir(node.place("copies")).unwrap();
    let stopped = node.tell_of("other", &["backup", "create", "copies/one"]);
    assert_eq!(stopped.status.code(), Some(4), "{}", says(&stopped));
    std::fs::remove_dir(node.place("copies")).expect("nothing in it");
}
