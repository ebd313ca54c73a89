//! Every kind of record, with the fields of the example network, and what an edit is told.

use super::world::{NONCE, Replica, author, edits, record_id};
use crate::record::schema::{Class, Field, Type};
use crate::record::{EditError, Kind, Record};
use serde_json::{Map, Value as Json, json};

fn example(kind: Kind) -> Json {
    match kind {
        Kind::Organisation => json!({
            "name": "Comune di Mulazzo", "org_kind": "comune", "istat_code": "045012",
            "belfiore": "F802", "ipa_code": "c_f802", "tax_code": "00097020598",
            "address": {"comune_istat": "045012", "cap": "54026", "prov": "MS"},
            "members": ["filattiera"],
            "succession": {"kind": "incorporazione", "into": "usl-nord-ovest",
                "effective_on": "2016-01-01", "legal_act": "LR 84/2015"},
        }),
        Kind::Office => json!({
            "org": "comunita", "name": "Casa di accoglienza adulti",
            "office_kind": "sede_operativa", "capacity_total": 10, "opening_hours": "lun–ven 9–13",
        }),
        Kind::Contact => json!({
            "org": "comunita", "office": "casa", "contact_kind": "casella_funzione",
            "name": "Casa di accoglienza adulti", "functions": ["referente_convenzione"],
            "email": "casa@comunita.example", "pec": "protocollo@pec.comunita.example",
            "phone": "+390187001000", "verified_on": "2026-09-30",
        }),
        Kind::Convention => super::world::convention(),
        Kind::Cover => json!({
            "conventions": ["accoglienza-aulla"], "cover_kind": "rct", "insured": "comunita",
            "covered_people": ["ospiti", "volontari"], "insurer": "Compagnia di esempio",
            "policy_no": "RCT/comunita/2026", "limit_claim_cents": 300_000_000,
            "valid_from": "2025-12-31T24:00", "valid_to": "2026-12-31T24:00", "mandatory": true,
            "required_before_days": 10,
        }),
        Kind::Responsibility => json!({
            "convention": "accoglienza-aulla", "topic": "segnalazione_allontanamento",
            "responsible": "comunita", "duty_text": "Comunica l'allontanamento non autorizzato.",
            "deadline_rule": "PT24H", "informed": ["sorveglianza", "uepe"],
            "clause_ref": "art. 6 c. 2",
        }),
        Kind::Objective => json!({
            "convention": "accoglienza-aulla", "kind": "lavorativo",
            "text": "Inserimenti lavorativi completati", "unit": "%", "target": 60,
            "owner": "comunita",
        }),
        Kind::Seats => json!({
            "org": "comunita", "office": "casa", "kind": "residenziale", "month": "2026-11",
            "seats_used": 7, "seats_free": 3,
        }),
        Kind::PartySheet => json!({
            "convention": "accoglienza-aulla", "protocol_no": "4512/2025",
            "classification": "VII.15", "retention_until": "2037-12-31",
        }),
        Kind::Meeting => json!({
            "title": "Prevenzione del disagio giovanile", "meeting_kind": "incontro_pubblico",
            "theme": "disagio_giovanile", "start": "2026-12-04T21:00", "end": "2026-12-04T22:30",
            "place": {"name": "Sala consiliare", "comune_istat": "045001"},
            "organisers": ["aulla", "comunita"], "status": "confermato",
        }),
        Kind::Practice => json!({
            "title": "Preavviso di 48 ore prima della dimissione", "area": "dimissione",
            "problem": "La dimissione arriva al servizio inviante a cose fatte.",
            "procedure": "1. Avviso al servizio inviante 48 ore prima.\n2. Incontro breve.",
            "maturity": "adottata", "proposed_by": "sert", "adopted_by": ["comunita", "sert"],
            "next_review_on": "2027-01-15",
        }),
    }
}

#[test]
fn every_kind_is_created_edited_and_rebuilt() {
    for kind in Kind::ALL {
        let mut replica = Replica::with(kind, example(kind));
        for (name, value) in example(kind).as_object().unwrap() {
            let shown = replica.field(name);
            assert!(shown == *value || name == "parties", "{kind}.{name}: {shown}");
        }
        let field = kind.schema().fields().iter().find(|field| {
            !field.mandatory
                && matches!(field.holds, Type::Text { .. })
                && field.name != "tax_code"
                && !["protocol_no", "deadline_rule", "key"].contains(&field.name)
        });
        if let Some(field) = field {
            let _ = replica.try_edit(1, json!({field.name: "abcdefghij"}));
        }
        replica.record.self_check().unwrap();
        assert_eq!(replica.fork().record.view(), replica.record.view());
    }
}

/// Something valid for the type, by the gate's measure.
fn sample(field: &Field) -> Json {
    match field.class {
        Class::Set => json!([of_type(&field.holds, field.name)]),
        _ => of_type(&field.holds, field.name),
    }
}

fn of_type(holds: &Type, name: &str) -> Json {
    match holds {
        Type::Text { .. } => json!(match name {
            "tax_code" | "vat_number" => "00097020598",
            "cap" => "54026",
            "istat_code" | "comune_istat" | "competence_area" => "045012",
            "prov" => "MS",
            "protocol_no" => "12/2026",
            "email" | "pec" => "a@b.it",
            "phone" | "mobile" => "+39018700",
            "website" | "online_url" | "url" => "https://b.it",
            "cig" => "ABCDEFGH12",
            "cup" => "ABCDEFGH1234567",
            "deadline_rule" => "P1D",
            "text_hash" => return json!("ab".repeat(32)),
            "belfiore" => "F802",
            "ipa_uo_code" | "sdi_code" => "UF1A2B",
            _ => "qualche parola",
        }),
        Type::Integer { min, .. } => json!(min + 1),
        Type::Boolean => json!(true),
        Type::Date => json!("2026-05-04"),
        Type::DateTime if name == "end" || name == "valid_to" => json!("2026-05-04T24:00"),
        Type::DateTime => json!("2026-05-04T10:00"),
        Type::Month => json!("2026-05"),
        Type::Enum { codes } => json!(codes[0]),
        Type::Reference => json!("mulazzo"),
        Type::List { of, .. } if name == "parties" => {
            let (mut one, two) = (of_type(of, name), of_type(of, name));
            one["org"] = json!("aulla");
            json!([one, two])
        }
        Type::List { of, .. } => json!([of_type(of, name)]),
        Type::Struct { fields } => {
            let part = |field: &Field| (field.name.to_owned(), of_type(&field.holds, field.name));
            Json::Object(fields.iter().map(part).collect::<Map<_, _>>())
        }
    }
}

#[test]
fn every_field_of_every_kind_can_be_written_and_emptied() {
    for kind in Kind::ALL {
        let fields = kind.schema().fields();
        let mut full = Map::new();
        for field in fields {
            let mut value = sample(field);
            if ["title", "subject"].contains(&field.name) {
                value = json!("Un titolo abbastanza lungo");
            }
            full.insert(field.name.to_owned(), value);
        }
        let mut replica = Replica::with(kind, Json::Object(full.clone()));
        assert_eq!(Json::Object(replica.record.view().fields), Json::Object(full), "{kind}");
        let size = replica.entries[0].change.encode().len();
        let values: usize = serde_json::to_string(&replica.record.view().fields).unwrap().len();
        assert!(size < values, "{kind}: {size} bytes for {values} bytes of JSON");
        let emptied: Map<_, _> = fields
            .iter()
            .filter(|field| !field.mandatory)
            .map(|field| (field.name.to_owned(), Json::Null))
            .collect();
        if kind == Kind::Contact {
            continue;
        }
        replica.edit(1, Json::Object(emptied));
        replica.record.self_check().unwrap();
        for (name, value) in replica.record.view().fields {
            let field = kind.schema().named(&name).unwrap();
            assert!(field.mandatory || value == json!([]) || value == json!(""), "{kind}.{name}");
        }
    }
}

fn errors(kind: Kind, fields: Json) -> Vec<(String, &'static str)> {
    let record = Record::new(record_id(kind)).unwrap();
    match record.edit(&author(1), &edits(fields), Some(NONCE)) {
        Err(EditError::Invalid(errors)) => {
            errors.into_iter().map(|error| (error.field, error.code)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn with(kind: Kind, field: &str, value: Json) -> Json {
    let mut fields = example(kind);
    fields[field] = value;
    fields
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        (Kind::Convention, "title", json!("Breve"), "title", "too_short"),
        (Kind::Convention, "title", json!("x".repeat(201)), "title", "too_long"),
        (Kind::Convention, "titolo", json!("x"), "titolo", "unknown_field"),
        (Kind::Convention, "end_date", json!("2027-02-29"), "end_date", "not_a_date"),
        (Kind::Convention, "end_date", json!("2025-12-31"), "end_date", "before_start"),
        (Kind::Convention, "seats_reserved", json!(4), "seats_reserved", "too_large"),
        (Kind::Convention, "seats_total", json!(-1), "seats_total", "out_of_range"),
        (Kind::Convention, "seats_total", json!("tre"), "seats_total", "wrong_type"),
        (Kind::Convention, "seats_total", json!(2.5), "seats_total", "wrong_type"),
        (Kind::Convention, "renewal_mode", json!("sempre"), "renewal_mode", "unknown_code"),
        (Kind::Convention, "parties", json!([]), "parties", "mandatory"),
        (
            Kind::Convention,
            "parties",
            json!([{"org": "aulla", "role": "inviante"}]),
            "parties",
            "parties_few",
        ),
        (
            Kind::Convention,
            "parties",
            json!([{"org": "aulla", "role": "inviante"}, {"org": "aulla", "role": "gestore"}]),
            "parties",
            "repeated",
        ),
        (
            Kind::Convention,
            "parties",
            json!([{"org": "aulla", "role": "inviante", "protocol_no": "12-2025"},
                   {"org": "comunita", "role": "gestore"}]),
            "parties[0].protocol_no",
            "wrong_format",
        ),
        (
            Kind::Convention,
            "parties",
            json!([{"org": "aulla"}, {"org": "comunita", "role": "gestore", "ruolo": 1}]),
            "parties[1].ruolo",
            "unknown_field",
        ),
        (Kind::Convention, "fees", json!([{"kind": "retta"}]), "fees[0]", "mandatory"),
        (Kind::Convention, "tags", json!({"aggiungi": []}), "tags", "unknown_field"),
        (Kind::Cover, "valid_to", json!("2025-01-01T24:00"), "valid_to", "before_start"),
        (Kind::Contact, "email", json!("casa"), "email", "wrong_format"),
        (Kind::Contact, "functions", json!(["capo"]), "functions[0]", "unknown_code"),
        (Kind::Seats, "month", json!("2026-13"), "month", "not_a_month"),
        (Kind::Cover, "valid_from", json!("2026-01-01"), "valid_from", "not_a_time"),
        (Kind::Meeting, "end", json!("2026-12-04T21:00"), "end", "before_start"),
        (Kind::Organisation, "tax_code", json!("80008250752"), "tax_code", "wrong_format"),
        (Kind::Organisation, "status", json!("cessata"), "valid_to", "mandatory"),
        (Kind::Practice, "procedure", json!("a\u{1b}[2J"), "procedure", "control_characters"),
        (Kind::Objective, "owner", json!("ente1qqqq"), "owner", "mistyped"),
        (Kind::Objective, "owner", json!("due parole"), "owner", "not_a_reference"),
    ];
    for (kind, field, value, place, code) in cases {
        let found = errors(kind, with(kind, field, value.clone()));
        assert!(found.contains(&(place.to_owned(), code)), "{kind}.{field} {value}: {found:?}");
    }
}

#[test]
fn tax_codes_of_persons_are_refused_in_every_text() {
    let code = "RSSMRA85M01H501Q";
    let cases = [
        (Kind::Convention, "notes", json!(format!("inserito {code}"))),
        (Kind::Convention, "title", json!(format!("Convenzione per {code}"))),
        (Kind::Convention, "tags", json!([code])),
        (Kind::Contact, "role_title", json!(code.to_lowercase())),
        (Kind::Meeting, "place", json!({"name": code})),
        (Kind::Cover, "insured", json!(code)),
    ];
    for (kind, field, value) in cases {
        let found = errors(kind, with(kind, field, value));
        assert!(found.iter().any(|(_, code)| *code == "personal_tax_code"), "{kind}.{field}");
    }
}

#[test]
fn errors_do_not_repeat_what_was_typed() {
    let record = Record::new(record_id(Kind::Contact)).unwrap();
    let fields = with(Kind::Contact, "email", json!("RSSMRA85M01H501Q"));
    let error = record.edit(&author(1), &edits(fields), Some(NONCE)).unwrap_err();
    assert!(!error.to_string().contains("RSSMRA"), "{error}");
}

#[test]
fn an_edit_answers_only_for_what_it_touches() {
    let mut replica = Replica::with(Kind::Convention, super::world::convention());
    replica.edit(1, json!({"seats_total": 4}));
    let refused = replica.try_edit(1, json!({"title": null}));
    assert!(matches!(refused, Err(EditError::Invalid(_))));
    let refused = replica.try_edit(2, json!({"effective_from": "2030-01-01"}));
    assert!(matches!(refused, Err(EditError::Invalid(_))), "against the end that stands");
}
