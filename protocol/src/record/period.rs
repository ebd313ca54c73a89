//! Whether what a record says holds on a day: for people, who read a list and act on it.
//!
//! The day is the one of universal time, as nothing here knows a time zone: around midnight a place
//! may be a few hours ahead. Nothing that is stored or exchanged depends on it.

use super::Kind;
use super::dates::{MINUTES_OF_DAY, date, date_time, minutes};
use crate::time::Timestamp;
use serde_json::{Map, Value as Json};

/// How long before its end a convention is told to end soon: time enough to renew it.
const CONVENTION_DAYS: i64 = 90;

/// The same of whatever else ends, such as a cover.
const OTHER_DAYS: i64 = 60;

/// Besides the days of notice that a renewal asks for.
const NOTICE_DAYS: i64 = 30;

/// Where a day stands in the time for which a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Within it, or the record names no time.
    Within,
    /// Before its beginning.
    NotBegun,
    /// Near its end: so many days are left after this one.
    EndsIn(i64),
    /// After its end.
    Ended,
}

/// The fields that say from when and until when records of a kind hold.
#[must_use]
pub const fn fields(kind: Kind) -> Option<[&'static str; 2]> {
    match kind {
        Kind::Convention => Some(["effective_from", "end_date"]),
        Kind::Cover | Kind::Contact | Kind::Office | Kind::Organisation => {
            Some(["valid_from", "valid_to"])
        }
        _ => None,
    }
}

/// Where `now` stands in the time for which a record with these fields holds.
#[must_use]
pub fn period(kind: Kind, of: &Map<String, Json>, now: Timestamp) -> Period {
    let Some([from, to]) = fields(kind) else { return Period::Within };
    let text = |name: &str| of.get(name).and_then(Json::as_str);
    let now = minutes(now);
    // The last day counts to its end; a time of day is the end itself.
    let end = text(to).and_then(|text| match date(text) {
        Some(day) => Some(day + MINUTES_OF_DAY),
        None => date_time(text),
    });
    let begin = text(from).and_then(|text| date(text).or_else(|| date_time(text)));
    match (begin, end) {
        (_, Some(end)) if end <= now => Period::Ended,
        (Some(begin), _) if begin > now => Period::NotBegun,
        (_, Some(end)) => {
            let days = (end - 1).div_euclid(MINUTES_OF_DAY) - now.div_euclid(MINUTES_OF_DAY);
            if days <= soon(kind, of) { Period::EndsIn(days) } else { Period::Within }
        }
        _ => Period::Within,
    }
}

fn soon(kind: Kind, of: &Map<String, Json>) -> i64 {
    if kind != Kind::Convention {
        return OTHER_DAYS;
    }
    let notice = of.get("notice_renewal_days").and_then(Json::as_i64).unwrap_or_default();
    CONVENTION_DAYS.max(notice.saturating_add(NOTICE_DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// 2026-11-29, ten in the morning.
    const NOW: Timestamp = Timestamp::from_milliseconds(1_795_946_400_000);

    fn of(kind: Kind, fields: &Json) -> Period {
        period(kind, fields.as_object().unwrap(), NOW)
    }

    #[test]
    fn the_last_day_of_a_convention_counts_and_the_next_does_not() {
        let until = |day: &str| of(Kind::Convention, &json!({"end_date": day}));
        assert_eq!(until("2025-12-31"), Period::Ended);
        assert_eq!(until("2026-11-28"), Period::Ended);
        assert_eq!(until("2026-11-29"), Period::EndsIn(0));
        assert_eq!(until("2026-11-30"), Period::EndsIn(1));
        assert_eq!(until("2027-02-27"), Period::EndsIn(90));
        assert_eq!(until("2027-02-28"), Period::Within);
        let noticed = json!({"end_date": "2027-05-01", "notice_renewal_days": 180});
        assert!(matches!(of(Kind::Convention, &noticed), Period::EndsIn(_)));
        let ahead = json!({"effective_from": "2026-11-30", "end_date": "2026-12-31"});
        assert_eq!(of(Kind::Convention, &ahead), Period::NotBegun);
        assert_eq!(of(Kind::Convention, &json!({})), Period::Within);
    }

    #[test]
    fn a_cover_ends_at_its_hour() {
        let until = |end: &str| of(Kind::Cover, &json!({"valid_to": end}));
        assert_eq!(until("2026-11-28T24:00"), Period::Ended);
        assert_eq!(until("2026-11-29T09:59"), Period::Ended);
        assert_eq!(until("2026-11-29T24:00"), Period::EndsIn(0));
        assert_eq!(until("2026-12-31T24:00"), Period::EndsIn(32));
        assert_eq!(until("2027-12-31T24:00"), Period::Within);
    }

    #[test]
    fn what_is_no_date_says_nothing() {
        for odd in [json!({"end_date": "ieri"}), json!({"end_date": 7}), json!({"end_date": null})]
        {
            assert_eq!(of(Kind::Convention, &odd), Period::Within);
        }
        assert_eq!(of(Kind::Seats, &json!({"valid_to": "2020-01-01"})), Period::Within);
    }
}
