//! What the whole network works on together: meetings and good practices.

use super::vocabulary::PRACTICE_AREAS;
use super::{Field, LINE, SHORT, Schema, Type};
use super::{integer, legal, list, one_of, parts, prose, set, text};

const MEETING_KINDS: &[&str] =
    &["incontro_pubblico", "tavolo_rete", "verifica_convenzione", "formazione", "equipe_tecnica"];

const PLACE: Type = parts(&[
    legal(1, "name", LINE),
    legal(2, "address", LINE),
    legal(3, "comune_istat", text(6)),
    legal(4, "online_url", LINE),
]);

const DECISION: Type = parts(&[
    legal(1, "text", text(2_000)).required(),
    legal(2, "owner_org", Type::Reference),
    legal(3, "due_on", Type::Date),
    legal(4, "done", Type::Boolean),
]);

pub(super) static MEETING: Schema = Schema::new(MEETING_FIELDS);

const MEETING_FIELDS: &[Field] = &[
    legal(1, "title", text(200)).required(),
    legal(2, "meeting_kind", one_of(MEETING_KINDS)).required(),
    legal(3, "event_type_code", text(20)),
    legal(4, "theme", SHORT),
    legal(5, "start", Type::DateTime).required(),
    legal(6, "end", Type::DateTime).required(),
    legal(7, "place", PLACE),
    set(8, "organisers", Type::Reference),
    set(9, "speakers", Type::Reference),
    legal(10, "audience", LINE),
    legal(11, "attendance_count", integer(0, 1_000_000)),
    legal(12, "convention", Type::Reference),
    set(13, "conventions", Type::Reference),
    legal(14, "minutes_attachment", Type::Reference),
    legal(15, "decisions", list(&DECISION, 100)),
    legal(16, "status", one_of(&["bozza", "confermato", "annullato", "svolto"])),
    legal(17, "ical_uid", SHORT),
    legal(18, "sequence", integer(0, 1_000_000)),
    prose(19, "notes", 20_000),
];

const MATURITY: &[&str] = &["proposta", "sperimentata", "adottata", "sospesa", "superata"];

pub(super) static PRACTICE: Schema = Schema::new(PRACTICE_FIELDS);

const PRACTICE_FIELDS: &[Field] = &[
    legal(1, "title", text(150)).required(),
    legal(2, "area", one_of(PRACTICE_AREAS)).required(),
    prose(3, "context", 5_000),
    prose(4, "problem", 5_000),
    prose(5, "procedure", 10_000),
    prose(6, "evidence", 5_000),
    legal(7, "maturity", one_of(MATURITY)).required(),
    set(8, "adopted_by", Type::Reference),
    set(9, "conventions", Type::Reference),
    legal(10, "indicator", LINE),
    legal(11, "proposed_by", Type::Reference),
    legal(12, "next_review_on", Type::Date),
    legal(13, "supersedes", Type::Reference),
    legal(14, "licence", text(40)),
    prose(15, "discussion", 20_000),
];
