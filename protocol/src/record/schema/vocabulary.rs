//! The codes of the closed vocabularies, shared by several kinds.

/// What a body is.
pub const ORG_KINDS: &[&str] = &[
    "comune",
    "unione_comuni",
    "provincia",
    "regione",
    "asl",
    "sds",
    "ministero_ufficio",
    "istituto_penitenziario",
    "tribunale",
    "coop_sociale",
    "odv_aps_ets",
    "ente_religioso",
    "scuola",
    "altro",
];

/// What an office does.
pub const OFFICE_KINDS: &[&str] = &[
    "protocollo",
    "servizio_sociale",
    "ser_d",
    "csm",
    "uepe",
    "ussm",
    "area_educativa",
    "ufficio_sorveglianza",
    "segreteria",
    "contratti",
    "it",
    "sede_operativa",
    "altro",
];

/// What a contact is there for.
pub const FUNCTIONS: &[&str] = &[
    "referente_convenzione",
    "sostituto",
    "legale_rappresentante",
    "firmatario",
    "rup",
    "tutor",
    "dpo",
    "rtd",
    "protocollo",
    "amministrazione",
    "emergenza_24h",
];

/// Families of instruments.
pub const INSTRUMENT_KINDS: &[&str] = &[
    "accordo_pa",
    "conv_enti_locali",
    "lpu",
    "lpu_map",
    "affidamento_94",
    "accordo_contrattuale_ssn",
    "accoglienza",
    "uiepe_strutture",
    "inserimento_381",
    "conv_56_cts",
    "coprogettazione",
    "tirocinio",
    "protocollo_intesa",
    "comodato",
    "dpa_28",
    "altro",
];

/// Roles of a party.
pub const PARTY_ROLES: &[&str] =
    &["concedente", "gestore", "inviante", "promotore", "ospitante", "garante"];

/// Kinds of placement.
pub const PLACEMENT_KINDS: &[&str] = &[
    "residenziale",
    "semiresidenziale",
    "diurno",
    "pronta_accoglienza",
    "lavorativo",
    "lpu",
    "messa_alla_prova",
    "affidamento_ordinario",
    "affidamento_art94",
    "detenzione_domiciliare",
    "art21",
    "tirocinio_inclusione",
    "borsa_lavoro",
    "volontariato_riparativo",
];

/// Who a convention is for, as groups only.
pub const TARGET_GROUPS: &[&str] = &[
    "adulti_area_penale",
    "dipendenze",
    "salute_mentale",
    "minori_msna",
    "donne_tratta",
    "disagio_giovanile",
    "altro",
];

/// Kinds of insurance cover.
pub const COVER_KINDS: &[&str] = &[
    "rct",
    "rco",
    "rc_sanitaria_l24_2017",
    "infortuni",
    "inail",
    "inail_lpu_fondo",
    "volontari_art18",
    "rc_auto",
    "incendio",
];

/// Who a cover protects.
pub const COVERED_PEOPLE: &[&str] =
    &["ospiti", "operatori", "volontari", "tirocinanti", "lpu", "terzi"];

/// What one can be responsible for.
pub const TOPICS: &[&str] = &[
    "ammissione",
    "progetto_individuale",
    "vigilanza",
    "cure_sanitarie",
    "farmaci",
    "trasporto",
    "vitto_alloggio",
    "sicurezza_81_08",
    "inail_denunce",
    "registro_presenze",
    "relazioni_uepe",
    "segnalazione_allontanamento",
    "rette",
    "assicurazioni",
    "privacy",
    "formazione",
    "comunicazione_pubblica",
    "lavoro",
    "mansioni",
    "verifiche",
];

/// Kinds of objective.
pub const OBJECTIVE_KINDS: &[&str] = &[
    "educativo",
    "terapeutico",
    "lavorativo",
    "abitativo",
    "relazionale",
    "formativo",
    "prevenzione",
];

/// Areas of a good practice.
pub const PRACTICE_AREAS: &[&str] = &[
    "accoglienza",
    "dimissione",
    "lavoro",
    "trasporti",
    "emergenze",
    "comunicazione_servizi",
    "prevenzione",
    "formazione",
];

/// Who sees a record.
pub const VISIBILITY: &[&str] = &["private", "parties", "network", "public"];
