//! Networks of any size from ISTAT's list of the comuni, for load.
//!
//! The pattern is fixed: every comune has a convention with the two that follow it in the list, and
//! so belongs to three. The list begins at the Lunigiana's province and goes round.

use super::data::{Contact, Convention, Data, DataError, Objective, Organisation, Party};
use crate::import::{Sheet, decode};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// As published: see `deploy/example/README.md`.
const COMUNI: &[u8] = include_bytes!("../../../deploy/example/comuni-istat.csv");
/// The columns are named by ISTAT in words that change; their places have not for years.
const CODE: usize = 4;
const NAME: usize = 6;
const PROVINCE: usize = 14;
const BELFIORE: usize = 19;

/// Fewest organisations that give every step of the demonstration something to do.
pub const ORGANISATIONS_MIN: usize = 5;

struct Comune {
    key: String,
    name: String,
    code: String,
    province: String,
    belfiore: String,
}

/// A network of `count` comuni.
pub fn network(count: usize) -> Result<Data, DataError> {
    let comuni = comuni(count)?;
    let late = (count / 10).clamp(1, 3);
    let last = comuni.len().saturating_sub(late);
    let organisations =
        comuni.iter().enumerate().map(|(at, comune)| organisation(comune, at >= last));
    let conventions = comuni.iter().enumerate().filter_map(|(at, comune)| {
        let place = |step: usize| (at + step) % comuni.len();
        // Newcomers bring their conventions with them: who joins last owns what it is a party of.
        let newcomer = (0..3).find(|step| place(*step) >= last).unwrap_or(0);
        let party = |step: usize| comuni.get(place((newcomer + step) % 3));
        let key = format!("vicini-{}", comune.key);
        Some(convention(key, party(0)?, party(1)?, party(2)?))
    });
    Ok(Data {
        organisations: organisations.collect(),
        contacts: comuni.iter().map(contact).collect(),
        conventions: conventions.collect(),
        ..Data::default()
    })
}

fn comuni(count: usize) -> Result<Vec<Comune>, DataError> {
    let sheet =
        Sheet::read(&decode(COMUNI)).map_err(|error| DataError::Comuni(error.to_string()))?;
    let lines = &sheet.lines;
    if !(ORGANISATIONS_MIN..=lines.len()).contains(&count) {
        return Err(DataError::Count { least: ORGANISATIONS_MIN, most: lines.len() });
    }
    let home = lines.iter().position(|line| line.cells.get(PROVINCE).is_some_and(|at| at == "MS"));
    let mut keys = BTreeSet::new();
    let mut comuni = Vec::with_capacity(count);
    for line in lines.iter().cycle().skip(home.unwrap_or(0)).take(count) {
        let cell = |at: usize| {
            let cell = line.cells.get(at).filter(|cell| !cell.is_empty()).cloned();
            cell.ok_or_else(|| DataError::Comuni(format!("line {} is incomplete", line.number)))
        };
        let (name, code) = (cell(NAME)?, cell(CODE)?);
        let mut key = key(&name);
        if !keys.insert(key.clone()) {
            key = format!("{key}-{code}");
            keys.insert(key.clone());
        }
        let (province, belfiore) = (cell(PROVINCE)?, cell(BELFIORE)?);
        comuni.push(Comune { key, name, code, province, belfiore });
    }
    Ok(comuni)
}

/// A name that is easy to type: `Città di Castello` is `citta-di-castello`.
fn key(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain = lower.chars().map(|char| match char {
        'à' | 'á' | 'â' => 'a',
        'è' | 'é' | 'ê' => 'e',
        'ì' | 'í' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' => 'o',
        'ù' | 'ú' | 'ü' => 'u',
        char if char.is_ascii_alphanumeric() => char,
        _ => '-',
    });
    let plain: String = plain.collect();
    plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

fn organisation(comune: &Comune, late: bool) -> Organisation {
    let rest = json!({
        "org_kind": "comune",
        "istat_code": comune.code,
        "belfiore": comune.belfiore,
        "ipa_code": format!("c_{}", comune.belfiore.to_lowercase()),
        "address": {"comune_istat": comune.code, "prov": comune.province},
    });
    Organisation {
        key: comune.key.clone(),
        name: format!("Comune di {}", comune.name),
        extra_provincial: late,
        rest: object(rest),
        ..Organisation::default()
    }
}

fn contact(comune: &Comune) -> Contact {
    let rest = json!({
        "contact_kind": "casella_funzione",
        "name": "Ufficio servizi sociali",
        "functions": ["referente_convenzione"],
        "email": format!("sociale@{}.example", comune.key),
        "verified_on": "2025-03-31",
    });
    Contact { org: comune.key.clone(), office: None, rest: object(rest) }
}

fn convention(key: String, owner: &Comune, second: &Comune, third: &Comune) -> Convention {
    let party = |comune: &Comune, role: &str| Party {
        org: comune.key.clone(),
        role: role.to_owned(),
        protocol_no: None,
    };
    let rest = json!({
        "title": format!("Servizi in comune tra {} e i vicini", owner.name),
        "subject": "Accoglienza diurna di persone seguite dai servizi dei comuni vicini.",
        "instrument_kind": "conv_enti_locali",
        "placement_kinds": ["diurno"],
        "effective_from": "2026-01-01",
        "end_date": "2027-12-31",
        "seats_total": 5,
        "renewal_mode": "espresso",
        "withdrawal_notice_days": 60,
        "verification_interval_months": 6,
    });
    let objective = json!({
        "kind": "relazionale", "text": "Frequenza media settimanale", "unit": "ore", "target": 12,
    });
    Convention {
        key,
        parties: vec![
            party(owner, "inviante"),
            party(second, "ospitante"),
            party(third, "garante"),
        ],
        objectives: vec![Objective { owner: owner.key.clone(), rest: object(objective) }],
        rest: object(rest),
        ..Convention::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::pairs::Pairs;

    #[test]
    fn the_awkward_list_is_read_whole() {
        let sheet = Sheet::read(&decode(COMUNI)).unwrap();
        assert_eq!(sheet.lines.len(), 7_896);
        assert_eq!(sheet.lines[0].cells[NAME], "Agliè");
        assert!(sheet.lines.iter().all(|line| line.cells.len() == sheet.header.len()));
    }

    #[test]
    fn a_network_of_any_size_is_consistent() {
        let data = network(50).unwrap();
        let bytes = data.organisations.len() + data.conventions.len();
        assert_eq!(bytes, 100);
        let pairs = Pairs::of(&data);
        let partners = pairs.partners(&data.organisations[10].key);
        assert_eq!(partners.len(), 4);
        assert!(network(3).is_err() && network(8_000).is_err());
        assert_eq!(key("Città di Sant'Agata"), "citta-di-sant-agata");
    }
}
