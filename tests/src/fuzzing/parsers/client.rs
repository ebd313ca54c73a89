//! Files that people import, and what the local API takes and gives.

use super::{Form, Parser};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sincronia_client::import::{self, Mapping, value_of};
use sincronia_client::language::{Catalogue, Language};
use sincronia_node::api::{
    ApiError, ApiEvent, BatchRequest, ContactsQuery, ConventionRequest, ConventionsQuery,
    EditRequest, ExamineRequest, ExportBundleRequest, IdentityRequest, InviteRequest,
    JoinByBundleRequest, JoinRequest, MemberRequest, NetworkRequest, NewRecordRequest,
    OfferRequest, RawQuery, RecordsQuery, ResolveRequest, SearchQuery, TakeRequest, VerifyRequest,
    VerifyStoreRequest, distinct,
};
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::record::{Kind, Record, derive_id};

/// Tables and lists for an import; the first byte chooses the kind.
#[must_use]
pub fn imports() -> Parser {
    let convention = "title;instrument_kind;parties;effective_from;tags\nAccoglienza;accoglienza;\
        \"aulla|comunita\";2026-01-01;adulti|minori\n";
    let contact =
        "function,name,email,phone\ncentralino,\"Ufficio \"\"A\"\"\",a@b.example,+39 0187\n";
    let json =
        r#"{"records":[{"title":"Tirocini","tags":["a"],"fees":[{"kind":"retta"}],"notes":null}]}"#;
    let wide: Vec<u8> = convention.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with = |kind: Kind, bytes: &[u8]| [&[kind.code()], bytes].concat();
    let samples = vec![
        with(Kind::Convention, convention.as_bytes()),
        with(Kind::Convention, &[&[0xff, 0xfe][..], &wide].concat()),
        with(Kind::Convention, &[&[0xef, 0xbb, 0xbf][..], convention.as_bytes()].concat()),
        with(Kind::Contact, contact.as_bytes()),
        with(Kind::Contact, contact.replace(',', "\t").as_bytes()),
        with(Kind::Convention, json.as_bytes()),
        with(Kind::Seats, b"month,seats_total\n2026-01,3\n"),
    ];
    let words: &[&str] = &[
        "title",
        "notes",
        "parties.1.org",
        "fees.amount",
        "tags",
        "\"",
        "\"\"",
        ";",
        ",",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "sì",
        "no",
        "31/12/2026",
        "1.234,56",
        "-0",
        "1e400",
        "{",
        "[",
        "]",
        "null",
        ":",
        "\u{feff}",
        "=1+1",
        "🏠",
        "true",
        "\\ud800",
    ];
    let languages = [Catalogue::new(Language::It), Catalogue::new(Language::En)];
    Parser::new("imports", Form::Text(words), samples, move |input| {
        let Some((kind, bytes)) = input.split_first() else { return false };
        let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
        let known: Vec<_> = languages.iter().collect();
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = Mapping::parse(&[text.chars().take(64).collect()]);
            for field in kind.schema().fields() {
                let _ = value_of(field, text.get(..40).unwrap_or(text));
            }
        }
        let mapping = Mapping::default();
        let Ok(contents) = import::read(bytes, kind, &mapping, &known) else { return false };
        assert!(contents.rows.len() <= contents.total, "more rows than there are");
        for row in contents.rows.iter().take(2) {
            as_record(kind, row.fields.clone());
        }
        true
    })
}

/// What a file holds goes to the node, which checks it as any edit.
fn as_record(kind: Kind, fields: serde_json::Map<String, serde_json::Value>) {
    let node = NodeId::from_bytes([1; 32]);
    let organisation = sincronia_protocol::ids::OrganisationId::from_bytes([1; 32]);
    let author = sincronia_protocol::record::Author { node, organisation, grant: 1 };
    let record = Record::new(derive_id(kind, &node, [1; 8])).expect("a known kind");
    let edits = sincronia_protocol::record::Edits { fields };
    let _ = record.edit(&author, &edits, Some([1; 8]));
}

/// Bodies, queries and answers of the local API.
#[must_use]
pub fn answers() -> Parser {
    let samples = [
        r#"{"space":"fascicolo1q","kind":"practice","fields":{"title":"A"},"operator":"Ufficio"}"#,
        r#"{"fields":{"title":"A","tags":{"add":["a"],"remove":["b"]}},"operator":"U"}"#,
        r#"{"records":[{"kind":"practice","fields":{"title":"A"}}],"operator":"U","dry_run":true}"#,
        r#"{"code":"invalid","message":"a","remedy":"b","fields":[{"field":"a","code":"b"}]}"#,
        r#"{"event":"lagged","missed":3}"#,
        r#"{"kind":"practice","space":"fascicolo1q","changed_since":1,"limit":10}"#,
        r#"{"organisation":"ente1q","role":"reader","history":"start","expires_days":7}"#,
    ];
    let words: &[&str] = &[
        "null",
        "true",
        "1e400",
        "-1",
        "18446744073709551616",
        "\"\\ud800\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"space\"",
        "\"fields\"",
        "\"operator\"",
        "\"role\"",
        "\"after\"",
        "{}",
        "[[[[[[[[",
        "\\u0000",
    ];
    let samples = samples.map(|sample| sample.as_bytes().to_vec()).to_vec();
    Parser::new("answers", Form::Text(words), samples, |input| {
        if let Ok(text) = std::str::from_utf8(input) {
            let _ = distinct::value(text);
        }
        let mut is_taken = false;
        macro_rules! read {
            ($($name:ty),+) => { $(is_taken |= comes_back::<$name>(input);)+ };
        }
        read!(
            ApiError,
            ApiEvent,
            BatchRequest,
            ContactsQuery,
            ConventionRequest,
            ConventionsQuery,
            EditRequest,
            ExamineRequest,
            ExportBundleRequest,
            IdentityRequest,
            InviteRequest,
            JoinByBundleRequest,
            JoinRequest,
            MemberRequest,
            NetworkRequest,
            NewRecordRequest,
            OfferRequest,
            RawQuery,
            RecordsQuery,
            ResolveRequest,
            SearchQuery,
            TakeRequest,
            VerifyRequest,
            VerifyStoreRequest
        );
        is_taken
    })
}

/// Whether bytes are such a value; panics if it is not the same after writing and reading.
fn comes_back<T: Serialize + DeserializeOwned>(input: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(input) else { return false };
    let written = serde_json::to_vec(&value).expect("a value of the API");
    let again: T = serde_json::from_slice(&written).expect("it was written here");
    assert_eq!(serde_json::to_vec(&again).expect("a value of the API"), written);
    true
}
