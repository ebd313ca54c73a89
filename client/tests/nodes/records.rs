//! Records as newcomers enter them, with the mistakes that they make.

use super::node::{Node, data, says};
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
    for said in ["scrivi almeno 10 caratteri", "viene prima di", "non può superare seats_total"] {
        assert!(text.contains(said), "{said}: {text}");
    }
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
