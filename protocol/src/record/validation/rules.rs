//! What must be filled in, and how the fields of a record depend on each other.

use super::FieldError;
use crate::record::Kind;
use crate::record::dates;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Checks a record as it would be after an edit; only what the edit touches is complained about.
pub(crate) fn check(
    kind: Kind,
    record: &Map<String, Json>,
    touched: &dyn Fn(&str) -> bool,
    creating: bool,
    errors: &mut Vec<FieldError>,
) {
    for field in kind.schema().fields().iter().filter(|field| field.mandatory) {
        let missing = record.get(field.name).is_none_or(is_empty);
        if missing && (creating || touched(field.name)) && !reported(errors, field.name) {
            errors.push(FieldError::new(field.name, "mandatory", "it must be filled in"));
        }
    }
    let mut rules = Rules { record, touched, errors };
    for (from, to) in [("valid_from", "valid_to"), ("effective_from", "end_date"), ("start", "end")]
    {
        rules.ordered(from, to, from == "start");
    }
    match kind {
        Kind::Convention => rules.convention(),
        Kind::Cover => rules.at_most("limit_person_cents", "limit_claim_cents"),
        Kind::Contact => rules.contact(),
        Kind::Organisation => {
            rules.length("name", 2);
            rules.ended();
        }
        Kind::Office => rules.length("name", 2),
        Kind::Objective => rules.length("text", 5),
        Kind::Practice | Kind::Meeting => rules.length("title", 5),
        Kind::Responsibility | Kind::Seats | Kind::PartySheet => {}
    }
}

fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(array) => array.is_empty(),
        _ => false,
    }
}

fn reported(errors: &[FieldError], field: &str) -> bool {
    errors.iter().any(|error| error.field.split(['[', '.']).next() == Some(field))
}

struct Rules<'a> {
    record: &'a Map<String, Json>,
    touched: &'a dyn Fn(&str) -> bool,
    errors: &'a mut Vec<FieldError>,
}

impl Rules<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        self.record.get(field)?.as_str()
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.record.get(field)?.as_i64()
    }

    fn fail(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, code, message));
    }

    fn length(&mut self, field: &str, min: usize) {
        let short = self.text(field).is_some_and(|text| text.chars().count() < min);
        if short && (self.touched)(field) {
            self.fail(field, "too_short", format!("write at least {min} characters"));
        }
    }

    fn ordered(&mut self, from: &str, to: &str, strictly: bool) {
        if !(self.touched)(from) && !(self.touched)(to) {
            return;
        }
        let time = |text: &str| dates::date(text).or_else(|| dates::date_time(text));
        let times = (self.text(from).and_then(time), self.text(to).and_then(time));
        if let (Some(start), Some(end)) = times
            && (end < start || (strictly && end == start))
        {
            self.fail(to, "before_start", format!("it comes before {from}"));
        }
    }

    fn at_most(&mut self, part: &str, whole: &str) {
        if let (Some(less), Some(more)) = (self.number(part), self.number(whole))
            && less > more
            && ((self.touched)(part) || (self.touched)(whole))
        {
            self.fail(part, "too_large", format!("it cannot be more than {whole}"));
        }
    }

    fn convention(&mut self) {
        self.length("title", 10);
        self.length("subject", 10);
        self.at_most("seats_reserved", "seats_total");
        if (self.touched)("parties") {
            self.parties();
        }
        for (at, fee) in array(self.record, "fees").iter().enumerate() {
            let amount = ["amount_cents_day", "amount_cents_month"]
                .iter()
                .any(|name| fee.get(name).is_some_and(Json::is_i64));
            if !amount && (self.touched)("fees") {
                let field = format!("fees[{at}]");
                self.fail(&field, "mandatory", "give an amount per day or per month, in cents");
            }
        }
    }

    fn parties(&mut self) {
        let parties = array(self.record, "parties");
        let organisations: BTreeSet<_> =
            parties.iter().filter_map(|party| party.get("org")?.as_str()).collect();
        if parties.len() < 2 && !reported(self.errors, "parties") {
            self.fail("parties", "parties_few", "a convention has at least two parties");
        } else if organisations.len() < parties.len() {
            self.fail("parties", "repeated", "an organisation is there twice");
        }
    }

    fn contact(&mut self) {
        let named = ["name", "family_name", "role_title"];
        let missing = named.iter().all(|field| self.record.get(*field).is_none_or(is_empty));
        if missing && (self.touched)("contact_kind") {
            self.fail("name", "mandatory", "give a name, a family name or a role");
        }
    }

    fn ended(&mut self) {
        let ended = self.text("status") == Some("cessata") && self.text("valid_to").is_none();
        if ended && ((self.touched)("status") || (self.touched)("valid_to")) {
            self.fail("valid_to", "mandatory", "a body that has ceased needs its last day");
        }
    }
}

fn array<'a>(record: &'a Map<String, Json>, field: &str) -> &'a [Json] {
    record.get(field).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}
