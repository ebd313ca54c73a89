//! Files as they come.

use super::*;
use crate::language::Language;
use serde_json::json;

fn contacts(bytes: &[u8], mapping: &[&str]) -> Result<Contents, ImportError> {
    let mapping: Vec<_> = mapping.iter().map(ToString::to_string).collect();
    let catalogues = Language::ALL.map(Catalogue::new);
    let catalogues: Vec<_> = catalogues.iter().collect();
    read(bytes, Kind::Contact, &Mapping::parse(&mapping).unwrap(), &catalogues)
}

#[test]
fn a_table_is_read_with_italian_headings_and_mixed_line_ends() {
    let text = "Tipo di contatto;Nome del contatto;Funzioni;Telefono\r\n\
        casella_funzione;\"Casa \"\"famiglia\"\"\nprima riga\";protocollo|tutor;+39 0187\r\n\n\
        persona;Città;tutor;\n";
    let contents = contacts(text.as_bytes(), &[]).unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(contents.rows[0].fields["name"], "Casa \"famiglia\"\nprima riga");
    assert_eq!(contents.rows[0].fields["functions"], json!(["protocollo", "tutor"]));
    assert_eq!(contents.rows[0].line, Some(2));
    assert_eq!(contents.rows[1].line, Some(5));
    assert!(!contents.rows[1].fields.contains_key("phone"));
}

#[test]
fn a_broken_row_is_told_and_the_rest_is_kept() {
    let text = "contact_kind,name\npersona,Uno\npersona\npersona,Due\n";
    let contents = contacts(text.as_bytes(), &[]).unwrap();
    assert_eq!(contents.rows.len(), 2);
    assert_eq!((contents.problems[0].row, contents.problems[0].line), (2, Some(3)));
    assert_eq!(contents.total, 3);
}

#[test]
fn a_column_is_never_lost_in_silence() {
    let text = b"contact_kind;name;colore\npersona;Uno;blu\n";
    assert!(matches!(contacts(text, &[]), Err(ImportError::UnknownColumns { .. })));
    assert_eq!(contacts(text, &["colore=-"]).unwrap().rows.len(), 1);
    let twice = contacts(text, &["colore=name"]);
    assert!(matches!(twice, Err(ImportError::ColumnTwice { .. })));
}

/// A file of another kind has anything at all in its first line: a screen of nine million letters,
/// or all that a table without a header says of a person.
#[test]
fn of_columns_that_are_no_field_only_the_beginnings_are_told() {
    let told = |text: &str| contacts(text.as_bytes(), &[]).unwrap_err().to_string();
    assert!(told(&"x".repeat(1_000_000)).len() < 200);
    let wide: Vec<_> = (0..1_000).map(|number| format!("colonna {number}")).collect();
    let wide = told(&wide.join(";"));
    assert!(wide.contains("colonna 19") && !wide.contains("colonna 20"), "{wide}");
    assert!(wide.ends_with("… 980"), "{wide}");
}

/// Some errors named what is wrong and left people there.
#[test]
fn every_file_that_cannot_be_read_comes_with_what_to_do() {
    for text in [&b""[..], b"a\0b", b"[1", b"7e", b"\"a;b\n", b"{\"records\": 1}", b"nessuno\n"] {
        let error = contacts(text, &[]).unwrap_err();
        assert!(!error.remedy().is_empty(), "{error}");
    }
}

#[test]
fn a_quotation_mark_that_nobody_closed_swallows_no_rows() {
    let text = b"contact_kind,name\npersona,Uno\npersona,\"Due\npersona,Tre\npersona,Quattro\n";
    for text in [&text[..], text.trim_ascii_end()] {
        let Err(ImportError::Unclosed { line }) = contacts(text, &[]) else { panic!("lost") };
        assert_eq!(line, 3);
    }
    for closed in ["\"Due\ne mezzo\"", "\"Due \"\"e mezzo\"\"\"", "Due 5\""] {
        let text = format!("contact_kind,name\npersona,{closed}");
        assert_eq!(contacts(text.as_bytes(), &[]).unwrap().rows.len(), 1, "{closed}");
    }
}

#[test]
fn cells_become_what_the_field_holds() {
    let seats = Kind::Seats.schema();
    assert_eq!(value_of(seats.named("seats_free").unwrap(), "3"), Ok(json!(3)));
    assert!(value_of(seats.named("seats_free").unwrap(), "tre").is_err());
    let cover = Kind::Cover.schema();
    assert_eq!(value_of(cover.named("mandatory").unwrap(), "Sì"), Ok(json!(true)));
    let people = value_of(cover.named("covered_people").unwrap(), "ospiti, volontari");
    assert_eq!(people, Ok(json!(["ospiti", "volontari"])));
    let tags = value_of(Kind::Convention.schema().named("tags").unwrap(), "+nuova");
    assert_eq!(tags, Ok(json!({"add": ["nuova"]})));
}

/// Nobody who fills in a table writes JSON into a cell.
#[test]
fn a_field_with_parts_is_written_without_json() {
    let convention = Kind::Convention.schema();
    let value = |name: &str, text: &str| value_of(convention.named(name).unwrap(), text);
    let parties = json!([
        {"org": "Comune di Mulazzo", "role": "inviante"},
        {"org": "A.S.L. n. 1", "role": "ospitante"},
    ]);
    for text in [
        "Comune di Mulazzo:inviante | A.S.L. n. 1:ospitante",
        "org=Comune di Mulazzo; role=inviante | org=A.S.L. n. 1; role=ospitante",
        &parties.to_string(),
    ] {
        assert_eq!(value("parties", text), Ok(parties.clone()), "{text}");
    }
    for wrong in ["Comune di Mulazzo", "org=Comune; colour=1"] {
        let error = value("parties", wrong).unwrap_err();
        let italian = Catalogue::new(Language::It).problem("wrong_type", &error, &[]);
        assert!(!italian.contains("the ") && italian.contains("camp"), "{italian}");
    }
}

#[test]
fn the_table_of_the_manual_is_read() {
    let manual = include_str!("../../../README.md");
    let table = manual.split_once("```csv\n").and_then(|(_, rest)| rest.split_once("```"));
    let contents = read(table.unwrap().0.as_bytes(), Kind::Organisation, &Mapping::default(), &[]);
    let contents = contents.unwrap();
    assert_eq!((contents.rows.len(), contents.problems), (1, Vec::new()));
    let relations = &contents.rows[0].fields["relations"];
    assert_eq!(relations[1], json!({"kind": "vigilato_da", "org": "A.S.L. n. 1"}));
    let parties = "Comune di Mulazzo:inviante | Comune di Bagnone:ospitante";
    assert!(manual.contains(parties));
    let field = Kind::Convention.schema().named("parties").unwrap();
    assert_eq!(value_of(field, parties).unwrap()[1]["role"], "ospitante");
}

#[test]
fn a_code_that_lost_its_zeros_gets_them_back() {
    let text = "name;org_kind;istat_code;address.cap\nComune di Torino;comune;1272;54\n";
    let contents = read(text.as_bytes(), Kind::Organisation, &Mapping::default(), &[]).unwrap();
    assert_eq!(contents.rows[0].fields["istat_code"], "001272");
    assert_eq!(contents.rows[0].fields["address"], json!({"cap": "00054"}));
}

#[test]
fn json_is_read_and_a_wrong_record_is_named() {
    let text = br#"{"records": [{"contact_kind": "persona"}, {"colour": 1}, 7]}"#;
    let contents = contacts(text, &[]).unwrap();
    assert_eq!(contents.rows.len(), 1);
    assert_eq!(contents.problems.iter().map(|problem| problem.row).collect::<Vec<_>>(), [2, 3]);
    assert!(matches!(contacts(b"[1, ", &[]), Err(ImportError::NotJson { .. })));
}

#[test]
fn a_field_that_stands_twice_in_a_record_is_no_guess() {
    let text = br#"[{"contact_kind": "persona", "name": "A", "name": "B"}]"#;
    let error = contacts(text, &[]).unwrap_err().to_string();
    assert!(error.contains("name") && error.contains("line 1"), "{error}");
}

#[test]
fn threat_39_too_much_is_refused() {
    assert!(matches!(
        contacts(&vec![b'a'; FILE_BYTES_MAX + 1], &[]),
        Err(ImportError::TooLarge { .. })
    ));
    let rows = "name\n".to_owned() + &"x\n".repeat(ROWS_MAX + 1);
    assert!(matches!(contacts(rows.as_bytes(), &[]), Err(ImportError::TooManyRows)));
    assert!(matches!(contacts(b"\n\n", &[]), Err(ImportError::Empty)));
    assert!(matches!(contacts(b"\x7fELF\x02\0\0", &[]), Err(ImportError::NotText)));
}
