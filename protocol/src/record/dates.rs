//! Civil dates and times as people write them down, checked but not interpreted.
//!
//! `24:00` is the end of a day: insurance covers begin and end "alle ore 24.00". Times without an
//! offset are the local time of the place they speak of; nothing here knows a time zone.

use crate::time::Timestamp;

/// Minutes since the civil epoch of a date at midnight, if it exists in the calendar.
pub(crate) fn date(text: &str) -> Option<i64> {
    let (month, day) = text.split_at_checked(7)?;
    let (year, month_number) = month_parts(month)?;
    let day = digits(day.strip_prefix('-')?, 2)?;
    (1..=days_in(year, month_number)).contains(&day).then_some(())?;
    Some(days_before(year, month_number, day) * MINUTES_OF_DAY)
}

/// Whether a date is later than today is anywhere: a place may be a day ahead of universal time.
pub(crate) fn is_ahead(text: &str, now: Timestamp) -> bool {
    let now = minutes(now);
    let today = now - now % MINUTES_OF_DAY;
    date(text).is_some_and(|day| day > today.saturating_add(MINUTES_OF_DAY))
}

/// Minutes since the civil epoch, in universal time.
pub(crate) fn minutes(now: Timestamp) -> i64 {
    const MILLISECONDS_OF_MINUTE: u64 = 60 * 1_000;
    let since = i64::try_from(now.milliseconds() / MILLISECONDS_OF_MINUTE).unwrap_or(i64::MAX);
    since.saturating_add(days_before(1970, 1, 1) * MINUTES_OF_DAY)
}

/// Whether the text is a month.
pub(crate) fn month(text: &str) -> bool {
    month_parts(text).is_some()
}

/// Minutes since the civil epoch of a date and time, less its offset if it has one.
pub(crate) fn date_time(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let midnight = date(day)?;
    let (clock, rest) = rest.strip_prefix('T')?.split_at_checked(5)?;
    let minutes = clock_minutes(clock, 24)?;
    let offset = match rest.strip_prefix(':') {
        Some(rest) => {
            let (seconds, offset) = rest.split_at_checked(2)?;
            (digits(seconds, 2)? < 60).then_some(offset)?
        }
        None => rest,
    };
    Some(midnight + minutes - offset_minutes(offset)?)
}

pub(crate) const MINUTES_OF_DAY: i64 = 24 * 60;

fn month_parts(text: &str) -> Option<(i64, i64)> {
    let (year, month) = text.split_at_checked(4)?;
    let year = digits(year, 4)?;
    let month = digits(month.strip_prefix('-')?, 2)?;
    (year >= 1 && (1..=12).contains(&month)).then_some((year, month))
}

fn clock_minutes(text: &str, hours_max: i64) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let total = digits(hours, 2)? * 60 + digits(minutes, 2).filter(|minutes| *minutes < 60)?;
    (total <= hours_max * 60).then_some(total)
}

fn offset_minutes(text: &str) -> Option<i64> {
    match text.split_at_checked(1) {
        None | Some(("Z", "")) => Some(0),
        Some(("+", offset)) => clock_minutes(offset, 14),
        Some(("-", offset)) => clock_minutes(offset, 14).map(|minutes| -minutes),
        Some(_) => None,
    }
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let past = year - 1;
    let of_years = past * 365 + past / 4 - past / 100 + past / 400;
    let of_months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    of_years + of_months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for good in ["2026-01-01", "2028-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert!(date(good).is_some(), "{good}");
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "2026-01-32",
            "0000-01-01",
            "+026-01-01",
            "2026-01-01T",
            "2026‐01‐01",
            "",
            "à",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
        assert_eq!(date("2026-03-01").unwrap() - date("2026-02-28").unwrap(), MINUTES_OF_DAY);
    }

    #[test]
    fn the_end_of_a_day_is_the_beginning_of_the_next() {
        assert_eq!(date_time("2025-12-31T24:00"), date_time("2026-01-01T00:00"));
        assert_eq!(date_time("2026-07-01T10:00+02:00"), date_time("2026-07-01T08:00:00Z"));
        for bad in [
            "2025-12-31T24:01",
            "2025-12-31 10:00",
            "2025-12-31T10:60",
            "2025-12-31",
            "2025-12-31T10:00:60",
            "2025-12-31T10:00+15:00",
            "2025-12-31T10:00x",
        ] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_is_ahead_that_is_not_today_even_where_the_day_begins_first() {
        // 2026-11-29, in the first and in the last minute of universal time.
        for minute in [1_795_910_400, 1_795_996_740] {
            let now = Timestamp::from_milliseconds(minute * 1_000);
            for past in ["0001-01-01", "2026-11-28", "2026-11-29", "2026-11-30"] {
                assert!(!is_ahead(past, now), "{past}");
            }
            for ahead in ["2026-12-01", "2027-01-01", "9999-12-31"] {
                assert!(is_ahead(ahead, now), "{ahead}");
            }
        }
        assert!(!is_ahead("tomorrow", Timestamp::default()), "what is no date is told elsewhere");
        assert!(!is_ahead("9999-12-31", Timestamp::from_milliseconds(u64::MAX)));
    }

    #[test]
    fn months() {
        assert!(month("2026-11"));
        assert!(!month("2026-13") && !month("2026-1") && !month("2026-11-01"));
    }
}
