//! Records about as large as real ones.

use serde_json::{Map, Value, json};

/// The fields of a contact: about 1 KiB, with what a record's view adds about 1.7 KiB.
pub fn contact(number: usize) -> Map<String, Value> {
    fields(json!({
        "contact_kind": "persona",
        "name": format!("Maria Antonietta Bianchi Malaspina {number}"),
        "honorific": "Dott.ssa",
        "family_name": format!("Bianchi Malaspina {number}"),
        "given_name": "Maria Antonietta",
        "role_title": "Responsabile dei percorsi di inclusione sociale e lavorativa del distretto",
        "functions": ["referente_convenzione", "tutor", "rup"],
        "email": format!("maria.antonietta.bianchi.malaspina.{number}@unionecomuni.example.it"),
        "pec": format!("percorsi.inclusione.{number}@pec.unionecomuni.example.it"),
        "phone": "0187 000000",
        "mobile": format!("+39 333 {:07}", number % 10_000_000),
        "availability": "Lunedì, mercoledì e venerdì dalle 9 alle 13; martedì e giovedì dalle 15 \
                         alle 17, in sede o per telefono. In agosto solo su appuntamento.",
        "valid_from": "2026-01-01",
        "verified_on": "2026-03-15",
        "visibility": "network",
    }))
}

/// A later change of a contact.
pub fn contact_edit(change: usize) -> Map<String, Value> {
    fields(json!({ "phone": format!("0187 {:06}", 1 + change % 999_983) }))
}

/// The fields of a convention between `parties`: about 1.5 KiB.
pub fn convention(number: usize, parties: &[String]) -> Map<String, Value> {
    let roles = ["inviante", "gestore", "inviante"];
    let parties: Vec<Value> = parties
        .iter()
        .zip(roles)
        .map(|(organisation, role)| json!({"org": organisation, "role": role}))
        .collect();
    fields(json!({
        "title": format!("Convenzione {number} per l'accoglienza residenziale di adulti"),
        "subject": "Accoglienza residenziale e accompagnamento educativo di adulti in condizione \
                    di fragilità seguiti dai servizi sociali territoriali, con percorsi \
                    individuali di autonomia abitativa e di inserimento lavorativo concordati \
                    fra le parti e verificati ogni sei mesi con relazione scritta del referente.",
        "instrument_kind": "accoglienza",
        "parties": parties,
        "placement_kinds": ["residenziale", "lavorativo"],
        "effective_from": "2026-01-01",
        "end_date": "2027-12-31",
        "seats_total": 3,
        "seats_reserved": 1,
        "fees": [{"kind": "retta", "amount_cents_day": 6500, "absence_share_pct": 50}],
        "renewal_mode": "espresso",
        "withdrawal_notice_days": 60,
        "verification_interval_months": 6,
        "tags": ["adulti"],
        "notes": "Da rivedere a giugno con i referenti delle parti.",
    }))
}

/// A later change of a convention.
pub fn convention_edit(change: usize) -> Map<String, Value> {
    fields(json!({ "seats_total": 4 + change % 99_991 }))
}

fn fields(value: Value) -> Map<String, Value> {
    if let Value::Object(fields) = value { fields } else { Map::new() }
}
