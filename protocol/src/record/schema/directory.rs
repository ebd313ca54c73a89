//! The directory: bodies, their offices, and who to call. All owned by the body they describe.

use super::vocabulary::{FUNCTIONS, OFFICE_KINDS, ORG_KINDS, VISIBILITY};
use super::{Field, LINE, SHORT, Schema, Type};
use super::{integer, legal, list, one_of, owned, parts, prose, set, text};

const ADDRESS: Type = parts(&[
    legal(1, "street", LINE),
    legal(2, "number", text(20)),
    legal(3, "cap", text(5)),
    legal(4, "comune_istat", text(6)),
    legal(5, "prov", text(2)),
]);

const ACCREDITATION: Type = parts(&[
    legal(1, "act_no", SHORT),
    legal(2, "date", Type::Date),
    legal(3, "authority", LINE),
    legal(4, "scope", LINE),
    legal(5, "capacity", integer(0, 100_000)),
    legal(6, "valid_to", Type::Date),
]);

const JUSTICE_LIST: Type = parts(&[
    legal(1, "section", SHORT),
    legal(2, "date", Type::Date),
    legal(3, "status", one_of(&["iscritta", "sospesa", "cancellata"])),
]);

const RELATION_KINDS: Type =
    one_of(&["parte_di", "consorziato_di", "vigilato_da", "riferimento_giudiziario"]);

const RELATION: Type = parts(&[
    legal(1, "kind", RELATION_KINDS).required(),
    legal(2, "org", Type::Reference).required(),
    legal(3, "from", Type::Date),
    legal(4, "to", Type::Date),
]);

const CHANGE_KINDS: Type = one_of(&[
    "costituzione",
    "ridenominazione",
    "fusione",
    "incorporazione",
    "scissione",
    "sostituzione",
    "chiusura",
]);

const SUCCESSION: Type = parts(&[
    legal(1, "kind", CHANGE_KINDS).required(),
    legal(2, "into", Type::Reference),
    legal(3, "effective_on", Type::Date),
    legal(4, "legal_act", LINE),
    legal(5, "contracts_transfer", one_of(&["ex_lege", "presa_atto", "non_trasferite"])),
    legal(6, "note", text(2_000)),
]);

const SOURCE: Type = parts(&[
    legal(1, "origin", one_of(&["manual", "ipa", "import"])),
    legal(2, "date", Type::Date),
    legal(3, "url", LINE),
]);

pub(super) static ORGANISATION: Schema = Schema::new(ORGANISATION_FIELDS);

const ORGANISATION_FIELDS: &[Field] = &[
    owned(1, "name", text(1_000)).required(),
    owned(2, "short_name", text(40)),
    owned(3, "org_kind", one_of(ORG_KINDS)).required(),
    owned(4, "legal_status_code", text(20)),
    owned(5, "s13_code", text(20)),
    owned(6, "ipa_code", SHORT),
    owned(7, "tax_code", text(16)),
    owned(8, "vat_number", text(11)),
    owned(9, "istat_code", text(6)),
    owned(10, "belfiore", text(4)),
    owned(11, "pec", text(254)),
    owned(12, "email", text(254)),
    owned(13, "phone", text(20)),
    owned(14, "website", LINE),
    owned(15, "address", ADDRESS),
    owned(16, "runts_number", text(30)),
    owned(17, "coop_register", text(30)),
    owned(18, "rea", text(30)),
    owned(19, "accreditation", list(&ACCREDITATION, 50)),
    owned(20, "justice_list", JUSTICE_LIST),
    owned(21, "status", one_of(&["attiva", "in_liquidazione", "cessata"])),
    owned(22, "valid_from", Type::Date),
    owned(23, "valid_to", Type::Date),
    owned(24, "relations", list(&RELATION, 100)),
    owned(25, "dpo_contact", Type::Reference),
    owned(26, "source", SOURCE),
    owned(27, "succession", SUCCESSION),
    set(28, "members", Type::Reference),
    owned(29, "closed_network", Type::Boolean),
    owned(30, "extra_provincial", Type::Boolean),
    prose(31, "note", 2_000),
    owned(32, "visibility", one_of(VISIBILITY)),
    owned(33, "key", SHORT),
];

pub(super) static OFFICE: Schema = Schema::new(OFFICE_FIELDS);

const OFFICE_FIELDS: &[Field] = &[
    owned(1, "org", Type::Reference),
    owned(2, "name", LINE).required(),
    owned(3, "office_kind", one_of(OFFICE_KINDS)).required(),
    owned(4, "ipa_uo_code", text(6)),
    owned(5, "ipa_aoo_code", text(20)),
    owned(6, "parent_office", Type::Reference),
    owned(7, "sdi_code", text(7)),
    set(8, "competence_area", text(6)),
    owned(9, "address", ADDRESS),
    owned(10, "phone", text(20)),
    owned(11, "email", text(254)),
    owned(12, "pec", text(254)),
    prose(13, "opening_hours", 300),
    owned(14, "capacity_total", integer(0, 100_000)),
    owned(15, "valid_from", Type::Date),
    owned(16, "valid_to", Type::Date),
    owned(17, "visibility", one_of(VISIBILITY)),
    owned(18, "key", SHORT),
];

pub(super) static CONTACT: Schema = Schema::new(CONTACT_FIELDS);

const CONTACT_FIELDS: &[Field] = &[
    owned(1, "contact_kind", one_of(&["persona", "casella_funzione", "centralino"])).required(),
    owned(2, "org", Type::Reference),
    owned(3, "office", Type::Reference),
    owned(4, "name", LINE),
    owned(5, "honorific", text(20)),
    owned(6, "family_name", SHORT),
    owned(7, "given_name", SHORT),
    owned(8, "role_title", text(120)),
    set(9, "functions", one_of(FUNCTIONS)),
    owned(10, "email", text(254)),
    owned(11, "pec", text(254)),
    owned(12, "phone", text(20)),
    owned(13, "mobile", text(20)),
    prose(14, "availability", 200),
    owned(15, "valid_from", Type::Date),
    owned(16, "valid_to", Type::Date),
    owned(17, "replaced_by", Type::Reference),
    owned(18, "verified_on", Type::Date),
    owned(19, "visibility", one_of(VISIBILITY)),
];
