//! Conventions and what belongs to them: covers, responsibilities, objectives, seats, and the sheet
//! that each party keeps for itself.

use super::vocabulary::{
    COVER_KINDS, COVERED_PEOPLE, INSTRUMENT_KINDS, OBJECTIVE_KINDS, PARTY_ROLES, PLACEMENT_KINDS,
    TARGET_GROUPS, TOPICS, VISIBILITY,
};
use super::{CENTS, Field, LINE, PERCENT, SHORT, Schema, Type};
use super::{integer, legal, list, one_of, owned, parts, prose, set, text};

const SEATS_COUNT: Type = integer(0, 100_000);

const ACT_KINDS: &[&str] =
    &["delibera_giunta", "delibera_consiglio", "determina", "decreto", "statuto"];

const EMPOWERING_ACT: Type = parts(&[
    legal(1, "kind", one_of(ACT_KINDS)),
    legal(2, "number", text(30)),
    legal(3, "date", Type::Date),
]);

const SIGNATURE_KINDS: Type = one_of(&["pades", "cades", "xades", "fea", "autografa"]);

const PARTY: Type = parts(&[
    legal(1, "org", Type::Reference).required(),
    legal(2, "role", one_of(PARTY_ROLES)).required(),
    legal(3, "protocol_no", text(12)),
    legal(4, "protocol_date", Type::Date),
    legal(5, "representative_contact", Type::Reference),
    legal(6, "capacity", LINE),
    legal(7, "empowering_act", EMPOWERING_ACT),
    legal(8, "aoo_code", text(20)),
    legal(9, "repertory_no", text(30)),
    legal(10, "signature_kind", SIGNATURE_KINDS),
    legal(11, "signed_at", Type::Date),
    legal(12, "referent_contact", Type::Reference),
    legal(13, "substitute_contact", Type::Reference),
]);

const INDIVIDUAL_PLAN: Type = parts(&[
    legal(1, "kind", one_of(&["PEI", "PTI", "PAI"])),
    legal(2, "author_office", Type::Reference),
    legal(3, "review_months", integer(1, 12)),
]);

const FEE: Type = parts(&[
    legal(1, "kind", one_of(&["retta", "rimborso", "contributo", "indennita", "altro"])).required(),
    legal(2, "amount_cents_day", CENTS),
    legal(3, "amount_cents_month", CENTS),
    legal(4, "sanitary_share_pct", PERCENT),
    legal(5, "vat_pct", PERCENT),
    legal(6, "absence_share_pct", PERCENT),
    legal(7, "from", Type::Date),
    legal(8, "to", Type::Date),
]);

const DATA_PROTECTION: Type = parts(&[
    legal(1, "processing", LINE),
    legal(2, "controller", Type::Reference),
    legal(3, "processor", Type::Reference),
    legal(4, "joint", list(&Type::Reference, 50)),
    legal(5, "dpa_attachment", Type::Reference),
]);

const REGISTRATION: Type = parts(&[
    legal(1, "mode", one_of(&["caso_uso", "termine_fisso", "esente"])),
    legal(2, "ground", LINE),
]);

pub(super) static CONVENTION: Schema = Schema::new(CONVENTION_FIELDS);

const CONVENTION_FIELDS: &[Field] = &[
    legal(1, "title", text(200)).required(),
    legal(2, "subject", text(2_000)),
    legal(3, "instrument_kind", one_of(INSTRUMENT_KINDS)).required(),
    legal(4, "parties", list(&PARTY, 60)).required(),
    legal(5, "placement_kinds", list(&one_of(PLACEMENT_KINDS), 20)),
    legal(6, "effective_from", Type::Date),
    legal(7, "end_date", Type::Date),
    legal(8, "seats_total", SEATS_COUNT),
    legal(9, "seats_reserved", SEATS_COUNT),
    legal(10, "fees", list(&FEE, 50)),
    legal(11, "renewal_mode", one_of(&["nessuno", "espresso", "opzione", "tacito"])),
    legal(12, "renewal_term_months", integer(1, 1_200)),
    legal(13, "notice_renewal_days", integer(0, 3_650)),
    legal(14, "withdrawal_notice_days", integer(0, 365)),
    legal(15, "verification_interval_months", integer(1, 24)),
    set(16, "legal_basis", text(200)),
    legal(17, "parent", Type::Reference),
    legal(18, "supersedes", Type::Reference),
    legal(19, "target_groups", list(&one_of(TARGET_GROUPS), 20)),
    legal(20, "individual_plan", INDIVIDUAL_PLAN),
    legal(21, "max_value_cents", CENTS),
    legal(22, "cig", text(10)),
    legal(23, "cup", text(15)),
    legal(24, "wind_down", text(2_000)),
    legal(25, "data_protection", list(&DATA_PROTECTION, 50)),
    legal(26, "registration", REGISTRATION),
    legal(27, "stamp_duty", REGISTRATION),
    legal(28, "duration_unlimited", Type::Boolean),
    legal(29, "text_hash", text(64)),
    set(30, "tags", text(60)),
    prose(31, "notes", 20_000),
    legal(32, "visibility", one_of(VISIBILITY)),
    legal(33, "key", SHORT),
];

pub(super) static COVER: Schema = Schema::new(COVER_FIELDS);

const COVER_FIELDS: &[Field] = &[
    set(1, "conventions", Type::Reference),
    owned(2, "cover_kind", one_of(COVER_KINDS)).required(),
    owned(3, "insured", Type::Reference),
    owned(4, "policyholder", Type::Reference),
    owned(5, "covered_people", list(&one_of(COVERED_PEOPLE), 10)),
    owned(6, "insurer", text(60)),
    owned(7, "policy_no", text(60)),
    owned(8, "limit_claim_cents", CENTS),
    owned(9, "limit_person_cents", CENTS),
    owned(10, "limit_year_cents", CENTS),
    owned(11, "deductible_cents", CENTS),
    owned(12, "deductible_pct", PERCENT),
    owned(13, "valid_from", Type::DateTime).required(),
    owned(14, "valid_to", Type::DateTime).required(),
    owned(15, "premium_due_on", Type::Date),
    owned(16, "paid_on", Type::Date),
    owned(17, "cost_bearer", Type::Reference),
    owned(18, "mandatory", Type::Boolean),
    owned(19, "required_before_days", integer(0, 365)),
    owned(20, "evidence_attachment", Type::Reference),
];

pub(super) static RESPONSIBILITY: Schema = Schema::new(RESPONSIBILITY_FIELDS);

const RESPONSIBILITY_FIELDS: &[Field] = &[
    legal(1, "convention", Type::Reference),
    legal(2, "topic", one_of(TOPICS)).required(),
    legal(3, "responsible", Type::Reference).required(),
    set(4, "supporting", Type::Reference),
    set(5, "informed", Type::Reference),
    legal(6, "duty_text", text(1_000)).required(),
    legal(7, "deadline_rule", text(20)),
    legal(8, "evidence", LINE),
    legal(9, "clause_ref", SHORT),
    legal(10, "scope", LINE),
];

pub(super) static OBJECTIVE: Schema = Schema::new(OBJECTIVE_FIELDS);

const OBJECTIVE_FIELDS: &[Field] = &[
    legal(1, "convention", Type::Reference),
    legal(2, "kind", one_of(OBJECTIVE_KINDS)).required(),
    legal(3, "text", text(1_000)).required(),
    legal(4, "indicator", LINE),
    legal(5, "unit", one_of(&["persone", "%", "ore", "mesi", "eventi"])),
    legal(6, "baseline", integer(0, 1_000_000_000)),
    legal(7, "target", integer(0, 1_000_000_000)),
    legal(8, "due_on", Type::Date),
    legal(9, "owner", Type::Reference),
    legal(10, "status", one_of(OBJECTIVE_STATUS)),
    legal(11, "last_review_on", Type::Date),
    prose(12, "review_note", 5_000),
];

const OBJECTIVE_STATUS: &[&str] =
    &["da_avviare", "in_corso", "raggiunto", "parziale", "non_raggiunto"];

pub(super) static SEATS: Schema = Schema::new(SEATS_FIELDS);

const SEATS_FIELDS: &[Field] = &[
    owned(1, "convention", Type::Reference),
    owned(2, "org", Type::Reference),
    owned(3, "office", Type::Reference),
    owned(4, "month", Type::Month).required(),
    owned(5, "kind", one_of(PLACEMENT_KINDS)).required(),
    owned(6, "seats_free", SEATS_COUNT).required(),
    owned(7, "seats_used", SEATS_COUNT),
    owned(8, "starts", SEATS_COUNT),
    owned(9, "ends", SEATS_COUNT),
];

const TRANSPARENCY: Type = parts(&[
    legal(1, "required", Type::Boolean),
    legal(2, "published_on", Type::Date),
    legal(3, "url", LINE),
]);

pub(super) static PARTY_SHEET: Schema = Schema::new(PARTY_SHEET_FIELDS);

const PARTY_SHEET_FIELDS: &[Field] = &[
    owned(1, "convention", Type::Reference).required(),
    owned(2, "org", Type::Reference),
    owned(3, "classification", text(60)),
    owned(4, "file", text(60)),
    owned(5, "protocol_no", text(12)),
    owned(6, "protocol_date", Type::Date),
    owned(7, "aoo_code", text(20)),
    owned(8, "repertory_no", text(30)),
    owned(9, "referent_contact", Type::Reference),
    owned(10, "substitute_contact", Type::Reference),
    owned(11, "transparency", TRANSPARENCY),
    owned(12, "retention_until", Type::Date),
    prose(13, "notes", 5_000),
];
