//! What commands say, as a newcomer copies it.

use super::bundles::partners;
use super::node::{Node, says};

/// A command that asked for a passphrase was suggested to whoever had set the node up with a key
/// file.
#[test]
fn whoever_uses_a_key_file_is_told_commands_with_it() {
    let node = Node::start("Comune", false);
    let new = node.tell_of("new", &["init", "Comune", "--key-file", "k", "--recovery-file", "w"]);
    let (text, place) = (says(&new), node.place("new").display().to_string());
    assert!(text.contains(&format!("`sincronia run --directory {place} --key-file k`")), "{text}");
    // Of a node that is stopped only the directory tells, and not where the key is.
    let text = says(&node.tell_of("new", &["status"]));
    assert!(text.contains(&format!("run --directory {place} --key-file FILE`")), "{text}");
    node.ask(&["backup", "create", "copy.backup"]);
    let restore = ["backup", "restore", "copy.backup", "--yes", "--key-file", "k"];
    let restored = node.tell_of("again", &[&restore[..], &["--recovery-file", "words"]].concat());
    let (text, place) = (says(&restored), node.place("again").display().to_string());
    assert!(text.contains(&format!("`sincronia run --directory {place} --key-file k`")), "{text}");
}

#[test]
fn the_doctor_names_the_partner_that_is_to_be_verified() {
    let (comune, _prison) = partners();
    let (text, place) = (says(&comune.tell(&["doctor"])), comune.place("node"));
    let command = format!("`sincronia partner verify \"Carcere\" --directory {}`", place.display());
    assert!(text.contains(&command) && !text.contains("PARTNER"), "{text}");
}

/// Directories of others had no name, and bundles told identifiers of spaces.
#[test]
fn spaces_are_called_as_people_know_them() {
    let (comune, prison) = partners();
    let text = says(&comune.tell(&["space", "list"]));
    assert!(text.contains("directory of Carcere"), "{text}");
    prison.ask(&["contact", "add", "--name", "Area educativa", "--kind", "casella_funzione"]);
    let made = prison.ask(&["bundle", "export", "--for", "Comune", "--output", "more"]);
    let made = prison.place(made["files"][0].as_str().unwrap()).display().to_string();
    let text = says(&comune.tell(&["bundle", "import", &made]));
    assert!(!text.contains("fascicolo1") && text.contains("directory of"), "{text}");
}

/// The inviting organisation was told to tell whoever had invited it.
#[test]
fn whoever_made_an_invitation_is_told_that_somebody_else_used_it() {
    let (comune, prison) = (Node::start("Comune", false), Node::start("Carcere", true));
    let file = |name: &str| prison.place(name).display().to_string();
    assert!(prison.tell(&["invite", "--output", "invito.txt"]).status.success());
    let other = Node::start("Provincia", false);
    comune.ask(&["join", &file("invito.txt"), "--bundle", &file("one")]);
    other.ask(&["join", &file("invito.txt"), "--bundle", &file("two")]);
    prison.ask(&["bundle", "import", "one"]);
    let text = says(&prison.tell(&["bundle", "import", "two"]));
    assert!(text.contains("another organisation used already"), "{text}");
    assert!(text.contains("partner list") && !text.contains("invited you"), "{text}");
    let text = says(&prison.tell_italian(&["bundle", "import", "two"]));
    assert!(text.contains("un altro ente ha già usato") && !text.contains("another"), "{text}");
}

/// With `--yes` nobody was told that no one could be asked.
#[test]
fn whoever_signs_with_nobody_in_sync_is_told_so_also_with_yes() {
    let (comune, _prison) = partners();
    let organisation = comune.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let request = ["init", "--additional", &organisation, "--key-file", "k", "--output", "request"];
    assert!(comune.tell_of("second", &request).status.success());
    let added = comune.tell(&["node", "add", "request", "--yes", "--recovery-file", "words"]);
    assert!(added.status.success(), "{}", says(&added));
    let text = says(&added);
    assert!(text.contains("No other machine and no partner was in sync"), "{text}");
}

/// The person at a machine of the organisation is asked whether the node is that of the new one,
/// and nobody could compare: the new one did not say which it is.
#[test]
fn a_new_machine_says_which_node_it_is() {
    let comune = Node::start("Comune", false);
    let organisation = comune.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let request = ["init", "--additional", &organisation, "--key-file", "k", "--output", "request"];
    let told = says(&comune.tell_of("second", &request));
    let asked = comune.tell(&["node", "add", "request", "--recovery-file", "words"]);
    assert_eq!(asked.status.code(), Some(2), "{}", says(&asked));
    let asked = says(&asked);
    let node = asked.split_whitespace().find(|word| word.starts_with("nodo1")).unwrap();
    assert!(told.contains(node), "{asked}: {told}");
}

/// The request of a revoked machine was answered with an admission that it could not use.
#[test]
fn the_request_of_a_revoked_machine_is_refused() {
    let comune = Node::start("Comune", false);
    let organisation = comune.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let request = ["init", "--additional", &organisation, "--key-file", "k", "--output", "request"];
    assert!(comune.tell_of("second", &request).status.success());
    let add = ["node", "add", "request", "--yes", "--recovery-file", "words"];
    assert!(comune.tell(&add).status.success());
    let nodes = comune.ask(&["node", "list"]);
    let other = nodes.as_array().unwrap().iter().find(|one| one["this"] == false).unwrap();
    let node = other["node"].as_str().unwrap();
    let revoked = comune.tell(&["node", "revoke", node, "--yes", "--recovery-file", "words"]);
    assert!(revoked.status.success(), "{}", says(&revoked));
    let again = comune.tell(&add);
    assert_eq!(again.status.code(), Some(7), "{}", says(&again));
    assert!(says(&again).contains("never returns"), "{}", says(&again));
}

#[test]
fn a_row_that_differs_is_told_with_the_whole_command() {
    let comune = Node::start("Comune", false);
    let import = |phone: &str| {
        let table = format!("contact_kind;name;phone\ncasella_funzione;Anagrafe;{phone}\n");
        std::fs::write(comune.place("rows.csv"), table).unwrap();
        says(&comune.tell(&["--json", "import", "rows.csv", "--kind", "contact"]))
    };
    import("+390187001000");
    let text = import("+390187009999");
    assert!(text.contains(" --field phone=VALUE`"), "{text}");
}

/// Words for people stood before the error, and no program could read the two together.
#[test]
fn a_program_reads_errors_as_json_alone() {
    let comune = Node::start("Comune", false);
    let contact = ["contact", "add", "--kind", "casella_funzione", "--name", "Anagrafe"];
    comune.ask(&[&contact[..], &["--phone", "+390187001000"]].concat());
    let refused = comune.tell(&["--json", "erase", "Anagrafe"]);
    let error: serde_json::Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!((refused.status.code(), &error["exit"]), (Some(2), &2.into()), "{error}");
}

#[test]
fn what_was_english_in_italian_is_italian() {
    let comune = Node::start("Comune", false);
    let seats = ["seats", "set", "x", "--month", "2026-11", "--kind", "lpu", "--free", "-4"];
    let text = says(&comune.tell_italian(&seats));
    assert!(text.contains("minore di zero") && !text.contains("opzione"), "{text}");
    std::fs::write(comune.place("rows.csv"), "name;org_kind;relations\nX;comune;parte_di\n")
        .unwrap();
    let text = says(&comune.tell_italian(&["import", "rows.csv", "--kind", "organisation"]));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("questo campo ha più parti"), "{text}");
    let text = says(&comune.tell_italian(&["convention", "share", "--help"]));
    assert!(!text.contains("possible") && !text.contains("default"), "{text}");
    let few = comune.tell_italian(&["demo", "--once", "--organisations", "3"]);
    assert_eq!(few.status.code(), Some(2), "{}", says(&few));
    assert!(says(&few).contains("tanti enti: 5–"), "{}", says(&few));
    let text = says(&comune.tell_italian(&["backup", "verify", "node"]));
    assert!(text.contains("è una cartella") && !text.contains("os error"), "{text}");
}

/// Whoever mistyped a partner was sent to a list, and whoever mistyped a directory was told to
/// start what was never set up.
#[test]
fn whoever_mistypes_a_name_or_a_directory_is_told_what_may_be_meant() {
    let (comune, _prison) = partners();
    let text = says(&comune.tell(&["partner", "show", "Carcer e"]));
    assert!(text.contains("is “Carcere” meant?") && text.contains("partner list"), "{text}");
    let text = says(&comune.tell_italian(&["partner", "show", "Carzere"]));
    assert!(text.contains("si intende “Carcere”?"), "{text}");
    let text = says(&comune.tell(&["partner", "show", "Prefettura"]));
    assert!(!text.contains("meant"), "{text}");
    for nowhere in ["nowhere", "."] {
        let refused = comune.tell_of(nowhere, &["status"]);
        assert_eq!(refused.status.code(), Some(4), "{}", says(&refused));
        let text = says(&refused);
        assert!(text.contains("sincronia init NAME") && !text.contains("sincronia run"), "{text}");
    }
}

/// Whoever had named a convention and a body was advised to type words that stand for them.
#[test]
fn advice_names_what_was_typed() {
    let (comune, _prison) = partners();
    let new = ["convention", "new", "--title", "Accoglienza diurna", "--kind", "accoglienza"];
    let parties = ["--party", "Comune:inviante", "--party", "Carcere:gestore"];
    let made = comune.tell(&[&new[..], &parties].concat());
    let (text, place) = (says(&made), comune.place("node").display().to_string());
    let export = format!("`sincronia bundle export --for \"Carcere\" --directory {place}`");
    let verify = format!("`sincronia partner verify \"Carcere\" --directory {place}`");
    assert!(text.contains(&export) && text.contains(&verify), "{text}");
    let share = ["convention", "share", "Accoglienza diurna", "Carcere", "--role", "reader"];
    let text = says(&comune.tell(&share));
    assert!(text.contains("convention revoke 'Accoglienza diurna' Carcere"), "{text}");
    let text = says(&comune.tell_italian(&share));
    assert!(text.contains("convention revoke 'Accoglienza diurna' Carcere"), "{text}");
    assert!(comune.tell(&["convention", "revoke", share[2], share[3], "--yes"]).status.success());
    let text = says(&comune.tell(&["convention", "revoke", share[2], share[3], "--yes"]));
    assert!(text.contains("convention show 'Accoglienza diurna'"), "{text}");
}
