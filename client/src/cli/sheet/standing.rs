//! In what state a record is, in the words of a list: what needs a person, and whether the day of
//! today is still within its time. Of what has ended nothing says that it is in order.

use crate::language::Catalogue;
use serde_json::{Map, Value as Json};
use sincronia_node::api::RecordView;
use sincronia_protocol::record::Kind;
use sincronia_protocol::record::period::{self, Period, period};
use sincronia_protocol::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The state of a record, and whether somebody should look at it.
#[must_use]
pub fn of_record(texts: &Catalogue, kind: Kind, record: &RecordView) -> (String, bool) {
    if record.conflicts.is_empty() {
        return told(texts, kind, &record.fields, now());
    }
    let label = |field: &str| texts.field(kind, field);
    let fields: Vec<_> = record.conflicts.iter().map(|one| label(&one.field)).collect();
    (format!("{}: {}", texts.text("in-conflict"), fields.join(", ")), true)
}

/// What is to be said beside the beginning or the end of a record's time.
#[must_use]
pub fn of_field(
    texts: &Catalogue,
    kind: Kind,
    field: &str,
    fields: &Map<String, Json>,
) -> Option<String> {
    let now = now();
    let [from, to] = period::fields(kind)?;
    let meant = match period(kind, fields, now) {
        Period::Within => return None,
        Period::NotBegun => from,
        Period::EndsIn(_) | Period::Ended => to,
    };
    (field == meant).then(|| told(texts, kind, fields, now).0)
}

fn told(
    texts: &Catalogue,
    kind: Kind,
    fields: &Map<String, Json>,
    now: Timestamp,
) -> (String, bool) {
    // It may have been renewed without a word: what was agreed says so, and nobody here knows.
    let may_go_on = fields.get("renewal_mode").and_then(Json::as_str) == Some("tacito");
    match period(kind, fields, now) {
        Period::Within => (texts.text("ok"), false),
        Period::NotBegun => (texts.text("state-not-begun"), true),
        Period::EndsIn(days) => (texts.with("state-ends", &[("days", days.into())]), true),
        Period::Ended if may_go_on => (texts.text("state-ended-tacitly"), true),
        Period::Ended => (texts.text("state-ended"), true),
    }
}

/// A clock that stands before 1970 shows what it shows of everything else.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use serde_json::json;

    /// 2026-11-29, ten in the morning.
    const NOW: Timestamp = Timestamp::from_milliseconds(1_795_946_400_000);

    #[test]
    fn what_has_ended_is_not_in_order() {
        let texts = Catalogue::new(Language::It);
        let state =
            |fields: Json| told(&texts, Kind::Convention, fields.as_object().unwrap(), NOW).0;
        assert_eq!(state(json!({"end_date": "2025-12-31"})), "SCADENZA PASSATA");
        assert_eq!(state(json!({"effective_from": "2027-01-01"})), "non ancora in vigore");
        assert_eq!(state(json!({"end_date": "2026-12-15"})), "scade fra 16 giorni");
        assert_eq!(state(json!({"end_date": "2026-11-30"})), "scade domani");
        assert_eq!(state(json!({"end_date": "2026-11-29"})), "scade oggi");
        assert_eq!(state(json!({"end_date": "2030-12-31"})), "in ordine");
        let tacit = state(json!({"end_date": "2025-12-31", "renewal_mode": "tacito"}));
        assert_eq!(tacit, "SCADENZA PASSATA (rinnovo tacito)");
    }
}
