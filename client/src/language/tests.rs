//! The catalogues agree with one another, with the schema and with the command line.

use super::*;
use fluent_bundle::FluentResource;
use sincronia_protocol::record::schema::{Field, Type};
use std::collections::{BTreeMap, BTreeSet};

/// Keys and the arguments that each names.
fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let resource = FluentResource::try_new(language.source().to_owned());
    assert!(resource.is_ok(), "{language:?}: {:?}", resource.err().map(|(_, errors)| errors));
    let mut keys = BTreeMap::new();
    let mut current = String::new();
    for line in language.source().lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
            current = key.to_owned();
            let again = keys.insert(current.clone(), BTreeSet::new());
            assert!(again.is_none(), "{language:?}: {current} is there twice");
        }
        for part in line.split('$').skip(1) {
            let name: String =
                part.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
            keys.entry(current.clone()).or_default().insert(name);
        }
    }
    keys
}

#[test]
fn both_catalogues_have_the_same_texts_with_the_same_arguments() {
    let (italian, english) = (keys(Language::It), keys(Language::En));
    for (key, arguments) in &italian {
        assert_eq!(Some(arguments), english.get(key), "{key}");
    }
    for key in english.keys() {
        assert!(italian.contains_key(key), "{key} is missing in Italian");
    }
}

fn labels(kind: Kind, fields: &'static [Field], missing: &mut BTreeSet<String>) {
    let catalogue = Catalogue::new(Language::It);
    for field in fields {
        if catalogue.field(kind, field.name) == field.name && field.name != "cup" {
            missing.insert(format!("field-{}", field.name));
        }
        codes(&catalogue, kind, &field.holds, missing);
    }
}

fn codes(catalogue: &Catalogue, kind: Kind, holds: &'static Type, missing: &mut BTreeSet<String>) {
    match holds {
        Type::Enum { codes } => {
            for code in codes.iter().filter(|code| code.starts_with(|at: char| at.is_lowercase())) {
                if catalogue.find(&format!("code-{code}"), &[]).is_none() {
                    missing.insert(format!("code-{code}"));
                }
            }
        }
        Type::List { of, .. } => codes(catalogue, kind, of, missing),
        Type::Struct { fields } => labels(kind, fields, missing),
        _ => {}
    }
}

#[test]
fn every_kind_field_and_code_has_a_label() {
    let mut missing = BTreeSet::new();
    for kind in Kind::ALL {
        labels(kind, kind.schema().fields(), &mut missing);
        assert_ne!(Catalogue::new(Language::En).kind(kind), format!("kind-{kind}"));
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn whoever_writes_an_unknown_code_is_told_the_known_ones() {
    let allowed = ["office".to_owned(), "mailbox".to_owned()];
    let italian = Catalogue::new(Language::It).problem("unknown_code", "not a code", &allowed);
    assert!(italian.ends_with(": office, mailbox") && !italian.contains("not a code"), "{italian}");
    let english = Catalogue::new(Language::En).problem("unknown_code", "not a code", &[]);
    assert_eq!(english, "not a code");
}
