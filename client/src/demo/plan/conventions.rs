//! Conventions: one space each, of the first party, with all that belongs to it.

use super::{
    PlannedRecord, PlannedSpace, Purpose, Share, fields, organisation, organisations, record,
};
use crate::demo::data::{Convention, Data, Meeting, Party};
use serde_json::{Value as Json, json};
use sincronia_protocol::record::Kind;

pub(super) fn plan(data: &Data) -> Vec<PlannedSpace> {
    data.conventions.iter().filter_map(|convention| space(data, convention)).collect()
}

fn space(data: &Data, convention: &Convention) -> Option<PlannedSpace> {
    let (owner, others) = convention.parties.split_first()?;
    let mut writer = Writer { convention, owner: &owner.org, records: Vec::new() };
    writer.sheet();
    writer.belongings();
    let about = data
        .meetings
        .iter()
        .filter(|meeting| meeting.convention.as_deref() == Some(convention.key.as_str()));
    about.for_each(|meeting| writer.meeting(meeting));
    let members = others.iter().map(|party| (party.org.clone(), Share::Contributor));
    Some(PlannedSpace {
        purpose: Purpose::Convention,
        name: convention_name(&convention.key),
        title: convention.rest.get("title").and_then(Json::as_str).unwrap_or_default().to_owned(),
        owner: owner.org.clone(),
        members: members.collect(),
        records: writer.records,
    })
}

fn convention_name(key: &str) -> String {
    format!("convention/{key}")
}

struct Writer<'a> {
    convention: &'a Convention,
    owner: &'a str,
    records: Vec<PlannedRecord>,
}

impl Writer<'_> {
    fn reference(&self) -> Json {
        record(&convention_name(&self.convention.key))
    }

    fn write(&mut self, writer: &str, kind: Kind, fields: serde_json::Map<String, Json>) {
        let name = match kind {
            Kind::Convention => convention_name(&self.convention.key),
            kind => format!("{kind}/{}/{}", self.convention.key, self.records.len()),
        };
        self.records.push(PlannedRecord { name, writer: writer.to_owned(), kind, fields });
    }

    /// The convention itself comes first: the others refer to it.
    fn sheet(&mut self) {
        let parties: Json = self.convention.parties.iter().map(party).collect();
        let more = [("parties", parties), ("key", self.convention.key.clone().into())];
        self.write(self.owner, Kind::Convention, fields(&self.convention.rest, more));
    }

    fn belongings(&mut self) {
        let reference = self.reference();
        let convention = self.convention;
        for objective in &convention.objectives {
            let more =
                [("convention", reference.clone()), ("owner", organisation(&objective.owner))];
            self.write(self.owner, Kind::Objective, fields(&objective.rest, more));
        }
        for duty in &convention.responsibilities {
            let more = [
                ("convention", reference.clone()),
                ("responsible", organisation(&duty.responsible)),
                ("informed", organisations(&duty.informed)),
            ];
            self.write(self.owner, Kind::Responsibility, fields(&duty.rest, more));
        }
        for cover in &convention.covers {
            let more =
                [("conventions", json!([reference])), ("insured", organisation(&cover.insured))];
            self.write(&cover.insured, Kind::Cover, fields(&cover.rest, more));
        }
        for party in convention.parties.iter().filter(|party| party.protocol_no.is_some()) {
            let more = [
                ("convention", reference.clone()),
                ("org", organisation(&party.org)),
                ("protocol_no", party.protocol_no.clone().into()),
            ];
            self.write(&party.org, Kind::PartySheet, fields(&serde_json::Map::new(), more));
        }
    }

    fn meeting(&mut self, meeting: &Meeting) {
        let more =
            [("convention", self.reference()), ("organisers", organisations(&meeting.organisers))];
        self.write(self.owner, Kind::Meeting, fields(&meeting.rest, more));
    }
}

fn party(party: &Party) -> Json {
    let mut json = json!({"org": organisation(&party.org), "role": party.role});
    if let (Json::Object(object), Some(number)) = (&mut json, &party.protocol_no) {
        object.insert("protocol_no".to_owned(), number.clone().into());
    }
    json
}
