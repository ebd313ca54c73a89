//! Records as newcomers enter them, with the mistakes that they make.

use super::node::{Node, data, says};
use super::successors::wait;
use serde_json::json;

#[test]
fn a_file_that_is_imported_again_is_no_failure_and_what_it_says_otherwise_is_told() {
    let comune = Node::start("Comune", false);
    let table = |phone: &str, more: &str| {
        let head = "contact_kind;name;phone\ncasella_funzione;Anagrafe;";
        let row = "\ncasella_funzione;Tributi;+390187001001\n";
        std::fs::write(comune.place("rows.csv"), format!("{head}{phone}{row}{more}")).unwrap();
    };
    let import = || comune.tell(&["--json", "import", "rows.csv", "--kind", "contact"]);
    table("+390187001000", "");
    assert_eq!(data(&import())["written"], 2);
    // It ended with 2, as if something were wrong with the file.
    let again = import();
    assert_eq!(again.status.code(), Some(0), "{}", says(&again));
    let report = data(&again);
    assert_eq!((&report["written"], &report["problems"]), (&json!(0), &json!([])));
    assert_eq!(report["already_there"].as_array().map(Vec::len), Some(2), "{report}");
    // A longer file adds what is new.
    table("+390187001000", "casella_funzione;Protocollo;\n");
    assert_eq!(data(&import())["written"], 1);
    table("+390187009999", "");
    let other = import();
    assert_eq!(other.status.code(), Some(2), "{}", says(&other));
    let problem = &data(&other)["problems"][0];
    assert_eq!((&problem["code"], &problem["field"]), (&json!("differs"), &json!("phone")));
    let contacts = comune.ask(&["contact", "list"]);
    assert_eq!(contacts.as_array().unwrap().len(), 3, "no second one of a name");
}

#[test]
fn what_is_wrong_with_fields_is_said_in_italian() {
    let comune = Node::start("Comune", false);
    let party = ["--party", "Comune:inviante", "--party", "Comune:boh"];
    let dates = ["--from", "2026-12-01", "--until", "2025-01-01"];
    let seats = ["--seats-total", "3", "--seats-reserved", "5"];
    let new = ["convention", "new", "--title", "x", "--kind", "boh"];
    let refused = comune.tell_italian(&[&new[..], &party, &dates, &seats].concat());
    let text = says(&refused);
    assert_eq!(refused.status.code(), Some(2), "{text}");
    for said in ["scrivi almeno 10 caratteri", "viene prima di", "non può superare"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // They were called as they are in files, by names that nobody had typed.
    for (option, other) in [
        ("--title: ", None),
        ("--kind: ", None),
        ("--party (2): ", None),
        ("--until: ", Some("--from")),
        ("--seats-reserved: ", Some("--seats-total")),
    ] {
        let line = text.lines().find(|line| line.contains(option));
        let line = line.unwrap_or_else(|| panic!("{option}: {text}"));
        assert!(other.is_none_or(|other| line.contains(other)), "{line}");
    }
    assert!(!text.contains("seats_") && !text.contains("end_date"), "{text}");
    let table = "contact_kind;name;phone;email;verified_on\npersona;A;0187/1;x@;ieri\nboh;;;;\n";
    std::fs::write(comune.place("rows.csv"), table).unwrap();
    let checked = says(&comune.tell_italian(&["import", "rows.csv", "--kind", "contact"]));
    for said in ["si scrive nome@dominio.it", "con +39", "non è una data", "indica un nome"] {
        assert!(checked.contains(said), "{said}: {checked}");
    }
    std::fs::write(comune.place("rows.csv"), "colonna;name\n1;2\n").unwrap();
    let columns = says(&comune.tell_italian(&["import", "rows.csv", "--kind", "contact"]));
    for english in [" it ", "the ", "written", "character", "columns "] {
        for text in [&text, &checked, &columns] {
            assert!(!text.contains(english), "{english}: {text}");
        }
    }
}

/// A contact was verified next year, and nobody wondered.
#[test]
fn nobody_has_verified_a_contact_on_a_day_to_come() {
    let comune = Node::start("Comune", false);
    let add = ["contact", "add", "--kind", "casella_funzione", "--name", "Anagrafe"];
    let at = |day| comune.tell(&[&add[..], &["--verified-on", day]].concat());
    let refused = at("9999-12-31");
    let text = says(&refused);
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(text.contains("--verified-on: this day is still to come"), "{text}");
    assert!(at("2020-02-29").status.success());
    let edit = ["contact", "edit", "Anagrafe", "--verified-on", "9999-12-31"];
    let text = says(&comune.tell_italian(&edit));
    assert!(text.contains("--verified-on: questo giorno deve ancora venire"), "{text}");
    // Nor by other ways in.
    let field =
        ["record", "new", "contact", "--field", "contact_kind=persona", "--field", "name=A"];
    let refused = comune.tell(&[&field[..], &["--field", "verified_on=9999-12-31"]].concat());
    assert!(says(&refused).contains("verified_on: this day"), "{}", says(&refused));
    let table = "contact_kind;name;verified_on\npersona;B;9999-12-31\npersona;C;2020-02-29\n";
    std::fs::write(comune.place("rows.csv"), table).unwrap();
    let import = ["--json", "import", "rows.csv", "--kind", "contact", "--partial"];
    let report = data(&comune.tell(&import));
    assert_eq!(report["written"], 1, "{report}");
    assert_eq!(report["problems"][0]["code"], "in_the_future", "{report}");
}

#[test]
fn an_edit_of_what_changed_meanwhile_says_what_changed() {
    let comune = Node::start("Comune", false);
    let made = comune.ask(&["contact", "add", "--name", "Anagrafe", "--kind", "casella_funzione"]);
    let seen = made["version"].as_str().unwrap();
    let edit =
        |words: &[&str]| comune.tell(&[&["--json", "contact", "edit", "Anagrafe"], words].concat());
    assert!(edit(&["--phone", "+390187001000", "--operator", "Ada"]).status.success());
    assert!(edit(&["--field", "functions=+protocollo", "--operator", "Ugo"]).status.success());
    let refused = edit(&["--email", "anagrafe@comune.example", "--seen", seen]);
    assert_eq!(refused.status.code(), Some(5), "{}", says(&refused));
    let told: serde_json::Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!(told["code"], "changed_since", "{told}");
    let fields: Vec<_> =
        told["problems"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["functions", "phone"], "{told}");
    assert!(told["problems"][0]["message"].as_str().unwrap().contains("Ugo"), "{told}");
    assert!(told["remedy"].as_str().unwrap().contains("--seen"), "{told}");
    let words = ["contact", "edit", "Anagrafe", "--email", "a@b.example", "--seen", seen];
    let italian = says(&comune.tell_italian(&words));
    assert!(italian.contains("cambiata da quando è stata letta"), "{italian}");
    assert!(!italian.contains("serve una persona"), "{italian}");
}

/// The step that ended a conflict looked like any other edit, and the value that nobody kept was
/// nowhere to be seen.
#[test]
fn the_history_tells_that_a_conflict_was_settled_and_which_values_there_were() {
    let [comune, casa] = ["Comune", "Casa"].map(|name| Node::start(name, false));
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    let new = ["convention", "new", "--title", "Accoglienza residenziale", "--kind", "accoglienza"];
    let parties = ["--party", "Comune:inviante", "--party", "Casa:gestore"];
    let made = comune.ask(&[&new[..], &parties].concat());
    let id = made["convention"]["id"].as_str().unwrap();
    let knows = |all: &serde_json::Value| all.as_array().is_some_and(|all| !all.is_empty());
    wait(&casa, &["convention", "list"], knows);
    let space = made["space"]["id"].as_str().unwrap();
    wait(&casa, &["space", "list"], |all| {
        let all = all.as_array().into_iter().flatten();
        all.into_iter().any(|one| one["id"] == space && one["has_key"] == true)
    });
    casa.ask(&["offline"]);
    for (node, seats) in [(&comune, "4"), (&casa, "6")] {
        node.ask(&["convention", "edit", id, "--seats-total", seats]);
    }
    casa.ask(&["online"]);
    wait(&comune, &["conflict", "list"], knows);
    comune.ask(&["conflict", "resolve", id, "seats_total", "--value", "5"]);
    let told = says(&comune.tell(&["history", id]));
    let last = told.rsplit("Comune").next().unwrap();
    assert!(last.contains("conflict"), "{told}");
    let settled = last.lines().find(|line| line.contains("conflict")).unwrap();
    assert!(settled.contains('4') && settled.contains('6'), "{told}");
    let steps = comune.ask(&["history", id]);
    let settled = &steps.as_array().unwrap().last().unwrap()["settled"];
    let mut values: Vec<_> = settled[0][1].as_array().unwrap().clone();
    values.sort_by_key(serde_json::Value::as_u64);
    assert_eq!((&settled[0][0], values), (&json!("seats_total"), vec![json!(4), json!(6)]));
}

/// Ten persons in one list could not be told apart, and of two directories nobody knew whose.
#[test]
fn a_list_of_contacts_says_who_and_of_which_body() {
    let comune = Node::start("Comune", false);
    let contact = ["contact", "add", "--kind", "persona", "--field", "family_name=Rossi"];
    let more = ["--field", "given_name=Maria", "--pec", "rossi@pec.example.it"];
    comune.ask(&[&contact[..], &more].concat());
    let list = says(&comune.tell(&["contact", "list"]));
    for told in ["Rossi Maria", "Comune", "rossi@pec.example.it"] {
        assert!(list.contains(told), "{told}: {list}");
    }
    // Of a person, too, the name was said to be that of a mailbox.
    let italian = says(&comune.tell_italian(&["contact", "list"]));
    assert!(italian.contains("Nome del contatto") && !italian.contains("casella"), "{italian}");
}

/// Of a contact that was added twice neither could be named any more, and nobody was told.
#[test]
fn a_second_contact_of_a_name_is_noticed() {
    let comune = Node::start("Comune", false);
    let add = ["contact", "add", "--kind", "casella_funzione", "--name", "Sportello sociale"];
    let first = comune.tell(&add);
    assert!(first.status.success(), "{}", says(&first));
    assert!(!says(&first).contains("another contact"), "{}", says(&first));
    let second = comune.tell(&add);
    assert!(second.status.success(), "{}", says(&second));
    assert!(says(&second).contains("another contact"), "{}", says(&second));
}

/// The title was said to have a typing mistake.
#[test]
fn a_record_is_put_beside_a_convention_by_its_title() {
    let [comune, casa] = ["Comune", "Casa"].map(|name| Node::start(name, false));
    let other = format!("{}:gestore", casa.ask(&["status"])["organisation"].as_str().unwrap());
    let new = ["convention", "new", "--title", "Accoglienza residenziale", "--kind", "accoglienza"];
    let parties = ["--party", "Comune:inviante", "--party", &other];
    let made = comune.ask(&[&new[..], &parties].concat());
    let meeting = ["record", "new", "meeting", "--space", "Accoglienza residenziale"];
    let kind = ["--field", "title=Verifica", "--field", "meeting_kind=verifica_convenzione"];
    let when = ["--field", "start=2026-11-01T09:00", "--field", "end=2026-11-01T10:00"];
    let record = comune.ask(&[&meeting[..], &kind, &when].concat());
    assert_eq!(record["space"], made["space"]["id"]);
    // Three ways lead out of a conflict, and one of them was said to be missing.
    let id = record["id"].as_str().unwrap();
    let refused = comune.tell(&["conflict", "resolve", id, "title"]);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    for way in ["--take", "--value", "--empty"] {
        assert!(says(&refused).contains(way), "{way}: {}", says(&refused));
    }
}

/// A variable of a script that held nothing took the end of a shared convention away, unasked.
#[test]
fn what_stands_is_taken_away_only_on_purpose() {
    let comune = Node::start("Comune", false);
    let new =
        ["--json", "convention", "new", "--kind", "accordo_pa", "--title", "Tirocini sociali"];
    let casa =
        Node::start("Casa", false).ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let casa = format!("{casa}:ospitante");
    let parties = ["--party", "Comune:inviante", "--party", &casa];
    let more = [&parties[..], &["--until", "2027-12-31", "--yes"]].concat();
    let made = comune.tell(&[&new[..], &more].concat());
    assert!(made.status.success(), "{}", says(&made));
    let edit = ["--json", "convention", "edit", "Tirocini sociali", "--until", ""];
    let refused = comune.tell(&edit);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("\"confirm\""), "{}", says(&refused));
    let taken = comune.tell(&[&edit[..], &["--yes"]].concat());
    assert!(taken.status.success(), "{}", says(&taken));
}
