//! The plan of the example network.

use super::*;
use std::collections::BTreeSet;

fn lunigiana() -> Vec<PlannedSpace> {
    let data = Data::lunigiana().unwrap();
    plan(&data, &Pairs::of(&data))
}

fn references(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::String(text) if text.starts_with(['@', '#']) => found.push(text.clone()),
        Json::Array(array) => array.iter().for_each(|json| references(json, found)),
        Json::Object(object) => object.values().for_each(|json| references(json, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_something_written_before() {
    let data = Data::lunigiana().unwrap();
    let mut known: BTreeSet<String> =
        data.organisations.iter().map(|body| format!("@{}", body.key)).collect();
    for record in lunigiana().iter().flat_map(|space| &space.records) {
        let mut found = Vec::new();
        record.fields.values().for_each(|json| references(json, &mut found));
        for reference in found {
            assert!(known.contains(&reference), "{}: {reference}", record.name);
        }
        assert!(known.insert(format!("#{}", record.name)), "{} is there twice", record.name);
    }
}

#[test]
fn every_field_is_one_of_its_kind() {
    for record in lunigiana().iter().flat_map(|space| &space.records) {
        for (name, value) in &record.fields {
            assert!(record.kind.schema().named(name).is_some(), "{}: {name}", record.name);
            assert!(!value.is_null(), "{}: {name}", record.name);
        }
        for field in record.kind.schema().fields().iter().filter(|field| field.mandatory) {
            assert!(record.fields.contains_key(field.name), "{}: {}", record.name, field.name);
        }
    }
}

#[test]
fn whoever_writes_into_a_space_is_its_owner_or_a_contributor() {
    for space in lunigiana() {
        for record in &space.records {
            let contributor = space.members.get(&record.writer) == Some(&Share::Contributor);
            assert!(contributor || record.writer == space.owner, "{}: {}", space.name, record.name);
        }
    }
}
