//! Files in place of a line, as a newcomer handles them.

use super::node::{Node, data, says};
use std::path::{Path, PathBuf};

/// Two partners that met by files alone.
pub fn partners() -> (Node, Node) {
    let (comune, prison) = (Node::start("Comune", false), Node::start("Carcere", true));
    let file = |name: &str| comune.place(name).display().to_string();
    assert!(prison.tell(&["invite", "--output", &file("invito.txt")]).status.success());
    comune.ask(&["join", "invito.txt", "--bundle", "answer.sincronia"]);
    prison.ask(&["bundle", "import", &file("answer.sincronia")]);
    let back = prison.ask(&["bundle", "export", "--for", "Comune", "--output", &file("stick")]);
    assert_eq!(back["number"], 1);
    let files: Vec<_> = back["files"].as_array().unwrap().iter().map(|one| one.as_str()).collect();
    for one in files {
        comune.ask(&["bundle", "import", one.unwrap()]);
    }
    (comune, prison)
}

/// Whoever had answered an invitation by a file saw nowhere that something was still to come: there
/// was no partner, and nothing that waited.
#[test]
fn whose_bundle_is_awaited_after_an_answer_by_file_is_told_until_it_comes() {
    let (comune, prison) = (Node::start("Comune", false), Node::start("Carcere", true));
    let file = |name: &str| comune.place(name).display().to_string();
    assert!(prison.tell(&["invite", "--output", &file("invito.txt")]).status.success());
    assert!(comune.ask(&["status"])["awaited_bundles"].is_null());
    comune.ask(&["join", "invito.txt", "--bundle", "answer"]);
    let prison_id = prison.ask(&["status"])["organisation"].clone();
    let awaited = comune.ask(&["status"])["awaited_bundles"].clone();
    assert_eq!(awaited[0]["organisation"], prison_id, "{awaited}");
    assert!(awaited[0]["answered_at"].is_u64(), "{awaited}");
    let place = comune.place("node").display().to_string();
    let next = format!("`sincronia bundle import FILE --directory {place}`");
    for words in [&["status"][..], &["partner", "list"]] {
        let text = says(&comune.tell(words));
        assert!(text.contains("was answered by a file") && text.contains(&next), "{text}");
        let text = says(&comune.tell_italian(words));
        assert!(text.contains("ha avuto risposta con un file") && text.contains(&next), "{text}");
    }
    prison.ask(&["bundle", "import", &file("answer")]);
    carry(&prison, &comune, "Comune");
    assert!(comune.ask(&["status"])["awaited_bundles"].is_null());
    assert!(!says(&comune.tell(&["status"])).contains("was answered by a file"));
}

/// Takes a bundle for `whom` from one to the other; where it is.
pub fn carry(from: &Node, to: &Node, whom: &str) -> String {
    let made = from.ask(&["bundle", "export", "--for", whom, "--output", "stick"]);
    let made = from.place(made["files"][0].as_str().unwrap()).display().to_string();
    to.ask(&["bundle", "import", &made]);
    made
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_file_of_an_import_is_tried_whatever_the_others_are() {
    let (comune, prison) = partners();
    let stick = comune.place("more").display().to_string();
    let export = ["bundle", "export", "--for", "Carcere", "--all", "--size", "4096", "--output"];
    comune.ask(&[&export[..], &[&stick]].concat());
    std::fs::write(comune.place("more/junk"), "junk").unwrap();
    let parts = files(&comune.place("more"));
    assert!(parts.len() > 2, "{parts:?}");
    let mut words = vec!["bundle", "import", "nowhere"];
    words.extend(parts.iter().rev().map(|path| path.to_str().unwrap()));
    let json = prison.tell(&[&["--json"], &words[..]].concat());
    assert_eq!(json.status.code(), Some(3), "{}", says(&json));
    let taken = data(&json);
    let taken = taken.as_array().unwrap();
    assert_eq!(taken.len(), parts.len() + 1);
    assert_eq!(taken[0]["error"]["code"], "no_file");
    assert_eq!(taken[1]["error"]["code"], "bundle", "the junk");
    assert!(taken[2..].iter().all(|one| one["ok"] == true), "{taken:?}");
    let last = taken.last().unwrap();
    assert_eq!(last["bundles"][0]["state"], "read", "its other parts came before it");
    let text = says(&prison.tell(&words));
    for part in ["nowhere", "junk", "not taken 2", "check the name", "copy the file again"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A prison whose disk was put back reads the stick again, in the order of the files' names: a
/// bundle was refused because the answer that makes its sender a partner came behind it.
#[test]
fn a_bundle_that_needs_one_behind_it_is_taken_in_the_same_import() {
    let (comune, prison) = (Node::start("Comune", false), Node::start("Carcere", true));
    let file = |name: &str| comune.place(name).display().to_string();
    assert!(prison.tell(&["invite", "--output", &file("invito.txt")]).status.success());
    let (prison, before) = prison.copied(true);
    comune.ask(&["join", "invito.txt", "--bundle", "answer.sincronia"]);
    prison.ask(&["bundle", "import", &file("answer.sincronia")]);
    carry(&prison, &comune, "Comune");
    let bundle = carry(&comune, &prison, "Carcere");
    drop(prison);

    let prison = Node::run(before, true);
    let refused = prison.tell(&["bundle", "import", &bundle]);
    assert_eq!(refused.status.code(), Some(6), "{}", says(&refused));
    let taken = prison.ask(&["bundle", "import", &bundle, &file("answer.sincronia")]);
    let taken: Vec<_> = taken.as_array().unwrap().iter().map(|one| one["ok"].clone()).collect();
    assert_eq!(taken, [true, true]);
}

#[test]
fn a_bundle_that_could_not_be_written_was_never_made() {
    let (comune, _prison) = partners();
    let export = |to: &str| comune.tell(&["bundle", "export", "--for", "Carcere", "--output", to]);
    let machine = comune.ask(&["status"])["node"].as_str().unwrap()[5..13].to_owned();
    let file = |directory: &str, number: u64| {
        comune.place(&format!("{directory}/comune-{machine}_carcere_{number}.sincronia"))
    };
    std::fs::write(comune.place("file"), "").unwrap();
    let refused = export("file");
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("not a directory"), "{}", says(&refused));
    // In the way of the first bundle stands a file of its name.
    std::fs::create_dir(comune.place("taken")).unwrap();
    std::fs::write(file("taken", 1), "another").unwrap();
    let refused = export("taken");
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    let bundles = || comune.ask(&["partner", "show", "Carcere"])["bundles"].clone();
    assert!(bundles()["last_out"].is_null(), "{}", bundles());
    let made = export("new/deep");
    assert!(made.status.success(), "{}", says(&made));
    assert_eq!(files(&comune.place("new/deep")), [file("new/deep", 1)]);
    assert!(says(&made).contains("Bundle no. 1 for Carcere, in one file:"), "{}", says(&made));
    assert_eq!(bundles()["last_out_number"], 1);
    assert_eq!(std::fs::read(file("taken", 1)).unwrap(), b"another");
    std::fs::write(file("taken", 2), "another").unwrap();
    assert!(!export("taken").status.success());
    assert_eq!(bundles()["last_out_number"], 1, "the one before is the last again");
}

#[test]
fn of_a_closed_partner_it_is_said_whose_address_is_missing() {
    let (comune, _prison) = partners();
    let shown = || says(&comune.tell(&["partner", "show", "Carcere"]));
    let mut asked = std::iter::repeat_with(shown).take(200);
    let text = asked.find(|text| text.contains("Last failure")).unwrap();
    assert!(text.contains("no address of the partner's node is known"), "{text}");
    assert!(!text.contains("this node"), "{text}");
}

#[test]
fn the_list_of_invitations_fits_a_terminal_and_what_it_shows_is_enough_to_withdraw_one() {
    let comune = Node::start("Comune", false);
    let note = "per la segreteria della casa di reclusione, consegnato a mano in municipio";
    let id = comune.ask(&["invite", "--note", note])["id"].as_str().unwrap().to_owned();
    comune.ask(&["invite"]);
    let list = comune.tell(&["invite", "list"]);
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.lines().all(|line| line.chars().count() <= 100), "{list}");
    let mut words = list.split_whitespace();
    let shown = words.find(|word| word.len() > 8 && id.starts_with(word.trim_end_matches('…')));
    comune.ask(&["invite", "revoke", shown.unwrap()]);
    let states = comune.ask(&["invite", "list"]);
    let states = states.as_array().unwrap();
    let withdrawn: Vec<_> = states.iter().filter(|one| one["state"] == "revoked").collect();
    assert_eq!((withdrawn.len(), withdrawn[0]["id"].as_str()), (1, Some(id.as_str())));
}

#[test]
fn a_closed_node_says_that_it_never_dials() {
    let prison = Node::start("Carcere", true);
    let refused = prison.tell(&["sync"]);
    assert_eq!(refused.status.code(), Some(7), "{}", says(&refused));
    let (node, text) = (prison.place("node").display().to_string(), says(&refused));
    assert!(
        text.contains(&format!("bundle export --for ORGANISATION --directory {node}`")),
        "{text}"
    );
    let invited = says(&prison.tell(&["invite"]));
    assert!(invited.contains("--bundle") && !invited.contains("--address"), "{invited}");
    let text = says(&prison.tell(&["invite", "--output", "invito.txt"]));
    let secret = std::fs::read_to_string(prison.place("invito.txt")).unwrap();
    assert!(secret.starts_with("invito1") && !text.contains("invito1"), "{text}");
    let json = says(&prison.tell(&["--json", "invite", "--output", "other.txt"]));
    assert!(!json.contains("invito1"), "{json}");
}

/// The text of an import of what one has for the other.
fn told(from: &Node, to: &Node, whom: &str) -> String {
    let made = from.ask(&["bundle", "export", "--for", whom, "--output", "stick"]);
    let made = from.place(made["files"][0].as_str().unwrap()).display().to_string();
    says(&to.tell(&["bundle", "import", &made]))
}

/// Whether a check of the doctor is well, and what it names.
fn check(node: &Node, name: &str) -> (bool, String) {
    let checks = data(&node.tell(&["--json", "doctor"]));
    let one = checks.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    (one["ok"].as_bool().unwrap(), one["detail"].as_str().unwrap().to_owned())
}

/// An admission, a removal and an erasure all read "changed"; an edit that went with an erasure was
/// told nowhere, and which part of a bundle was lost only while it was imported.
#[test]
fn an_import_says_what_became_of_this_organisation_and_of_its_edits() {
    let (comune, prison) = partners();
    let new = ["convention", "new", "--title", "Articolo 21 in comune", "--kind", "altro"];
    let parties = ["--party", "Comune:inviante", "--party", "Carcere:ospitante"];
    let made = comune.ask(&[&new[..], &parties].concat());
    let id = made["convention"]["id"].as_str().unwrap();
    let text = told(&comune, &prison, "Carcere");
    assert!(text.contains("was let in"), "{text}");
    prison.ask(&["convention", "edit", id, "--seats-total", "4"]);
    assert!(check(&prison, "own_edits_erased").0);
    comune.ask(&["erase", id, "--yes"]);
    // Who has no line went on showing it, and nobody was told to carry anything.
    let by_files = || says(&comune.tell(&["erasures"])).contains("export --for \"Carcere\"");
    assert!(by_files());
    let text = told(&comune, &prison, "Carcere");
    assert!(text.contains("erased: 1"), "{text}");
    // Its edit, which met the erasure, is erased in a second round.
    told(&prison, &comune, "Comune");
    assert!(by_files());
    told(&comune, &prison, "Carcere");
    told(&prison, &comune, "Comune");
    assert!(!by_files(), "{}", says(&comune.tell(&["erasures"])));
    let (is_well, lost) = check(&prison, "own_edits_erased");
    assert!(!is_well && lost.contains(id), "{lost}");
    comune.ask(&["convention", "revoke", id, "Carcere", "--yes"]);
    let text = told(&comune, &prison, "Carcere");
    assert!(text.contains("was removed"), "{text}");

    let stick = comune.place("parts").display().to_string();
    let export = ["bundle", "export", "--for", "Carcere", "--all", "--size", "4096", "--output"];
    comune.ask(&[&export[..], &[&stick]].concat());
    let parts = files(&comune.place("parts"));
    prison.ask(&["bundle", "import", parts[0].to_str().unwrap()]);
    let (is_well, missing) = check(&prison, "bundles_whole");
    let count = format!("/ {}", parts.len());
    assert!(!is_well && missing.contains('2') && missing.ends_with(&count), "{missing}");
}

/// Who has no line imported what waits for a person, and heard of it only from another command.
#[test]
fn an_import_says_what_waits_for_a_person() {
    let (comune, prison) = partners();
    let unione = Node::start("Unione", false);
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    unione.ask(&["join", &invitation]);
    comune.ask(&["introduction", "make", "Carcere", "Unione"]);
    let text = told(&comune, &prison, "Carcere");
    assert!(text.contains("introduction list"), "{text}");

    let new = ["convention", "new", "--title", "Articolo 21 in comune", "--kind", "altro"];
    let parties = ["--party", "Comune:inviante", "--party", "Carcere:ospitante"];
    let made = comune.ask(&[&new[..], &parties].concat());
    let id = made["convention"]["id"].as_str().unwrap();
    let text = told(&comune, &prison, "Carcere");
    assert!(!text.contains("introduction list"), "that is known: {text}");
    for (node, day) in [(&comune, "2027-01-31"), (&prison, "2027-06-30")] {
        node.ask(&["convention", "edit", id, "--until", day]);
    }
    let text = told(&prison, &comune, "Comune");
    assert!(text.contains("In conflict") && text.contains("conflict list"), "{text}");
}
