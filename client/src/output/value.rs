//! Values of fields as people read them.

use crate::language::Catalogue;
use serde_json::{Map, Value as Json};
use sincronia_protocol::record::Kind;
use sincronia_protocol::record::schema::{Field, Type};
use std::collections::BTreeMap;

/// What identifiers are called.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Learns a name.
    pub fn learn(&mut self, id: &str, name: &str) {
        if !name.is_empty() {
            self.0.insert(id.to_owned(), name.to_owned());
        }
    }

    /// The name, if there is one.
    #[must_use]
    pub fn known(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }

    /// The name, or the beginning of the identifier.
    #[must_use]
    pub fn of(&self, id: &str) -> String {
        self.known(id).unwrap_or_else(|| short(id))
    }
}

/// The beginning of an identifier, enough to tell it from its neighbours.
#[must_use]
pub fn short(id: &str) -> String {
    let beginning = beginning(id);
    if beginning == id { id.to_owned() } else { format!("{beginning}…") }
}

/// The same, as a command takes it.
#[must_use]
pub fn beginning(id: &str) -> &str {
    const SHOWN: usize = 16;
    let end = id.char_indices().nth(SHOWN).map_or(id.len(), |(at, _)| at);
    id.get(..end).unwrap_or(id)
}

/// The value of a field in words.
#[must_use]
pub fn shown(
    texts: &Catalogue,
    names: &Names,
    kind: Kind,
    holds: &'static Type,
    json: &Json,
) -> String {
    match (holds, json) {
        (_, Json::Null) => "—".to_owned(),
        (_, Json::Bool(value)) => texts.text(if *value { "yes" } else { "no" }),
        (Type::Struct { fields }, Json::Object(parts)) => {
            structure(texts, names, kind, fields, parts)
        }
        (holds, Json::Array(elements)) => {
            let of = if let Type::List { of, .. } = holds { of } else { holds };
            let parts = matches!(of, Type::Struct { .. });
            let each = elements.iter().map(|json| shown(texts, names, kind, of, json));
            each.collect::<Vec<_>>().join(if parts { "\n" } else { ", " })
        }
        (Type::Enum { .. }, Json::String(code)) => texts.code(code),
        (Type::Reference, Json::String(id)) => names.of(id),
        (_, Json::String(text)) => text.clone(),
        (_, json) => json.to_string(),
    }
}

fn structure(
    texts: &Catalogue,
    names: &Names,
    kind: Kind,
    fields: &'static [Field],
    parts: &Map<String, Json>,
) -> String {
    let filled = fields.iter().filter_map(|field| Some((field, parts.get(field.name)?)));
    let part = |(field, json): (&'static Field, &Json)| {
        let value = shown(texts, names, kind, &field.holds, json);
        format!("{} {value}", texts.field(kind, field.name))
    };
    filled.map(part).collect::<Vec<_>>().join(" · ")
}

/// A time in milliseconds, in UTC: the nodes of a network may stand in several zones.
#[must_use]
pub fn time(milliseconds: u64) -> String {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let (days, rest) = (milliseconds / DAY, milliseconds % DAY / 1000);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// The date of a day since 1970 (Howard Hinnant's `civil_from_days`, for days that are not before).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use serde_json::json;

    #[test]
    fn times_are_read() {
        assert_eq!(time(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(time(1_709_210_096_000), "2024-02-29 12:34:56 UTC");
        assert_eq!(time(1_798_761_599_000), "2026-12-31 23:59:59 UTC");
    }

    #[test]
    fn values_are_in_words() {
        let (texts, mut names) = (Catalogue::new(Language::It), Names::default());
        names.learn("org1abc", "Comune di Aulla");
        let schema = Kind::Convention.schema();
        let field = |name: &str, json: Json| {
            shown(&texts, &names, Kind::Convention, &schema.named(name).unwrap().holds, &json)
        };
        assert_eq!(field("instrument_kind", json!("lpu")), "lavoro di pubblica utilità");
        assert_eq!(field("placement_kinds", json!(["lpu", "art21"])).matches(", ").count(), 1);
        let parties = field("parties", json!([{"org": "org1abc", "role": "gestore"}]));
        assert_eq!(parties, "Ente Comune di Aulla · Ruolo gestore");
    }
}
