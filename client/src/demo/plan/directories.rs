//! What each body tells its partners: about itself, its practices and the meetings it calls.

use super::{
    PlannedRecord, PlannedSpace, Purpose, Share, fields, organisation, organisations, record,
};
use crate::demo::data::{Data, Organisation};
use crate::demo::pairs::Pairs;
use serde_json::{Map, Value as Json};
use sincronia_protocol::record::Kind;

pub(super) fn plan(data: &Data, pairs: &Pairs) -> Vec<PlannedSpace> {
    data.organisations.iter().map(|body| directory(data, pairs, body)).collect()
}

fn directory(data: &Data, pairs: &Pairs, body: &Organisation) -> PlannedSpace {
    let partners = pairs.partners(&body.key);
    let mut records = vec![profile(body)];
    records.extend(body.offices.iter().map(|office| PlannedRecord {
        name: office_name(&body.key, &office.key),
        writer: body.key.clone(),
        kind: Kind::Office,
        fields: fields(
            &office.rest,
            [("org", organisation(&body.key)), ("key", office.key.clone().into())],
        ),
    }));
    let contacts = data.contacts.iter().filter(|contact| contact.org == body.key);
    for (at, contact) in contacts.enumerate() {
        let office = office(body, contact.office.as_deref());
        records.push(PlannedRecord {
            name: format!("contact/{}/{at}", body.key),
            writer: body.key.clone(),
            kind: Kind::Contact,
            fields: fields(&contact.rest, [("org", organisation(&body.key)), ("office", office)]),
        });
    }
    let seats = data.seats.iter().filter(|seats| seats.org == body.key);
    for (at, seats) in seats.enumerate() {
        let office = office(body, seats.office.as_deref());
        records.push(PlannedRecord {
            name: format!("seats/{}/{at}", body.key),
            writer: body.key.clone(),
            kind: Kind::Seats,
            fields: fields(&seats.rest, [("org", organisation(&body.key)), ("office", office)]),
        });
    }
    records.extend(practices(data, &body.key));
    records.extend(meetings(data, &body.key));
    PlannedSpace {
        purpose: Purpose::Directory,
        name: format!("directory/{}", body.key),
        title: body.name.clone(),
        owner: body.key.clone(),
        members: partners.iter().map(|key| ((*key).to_owned(), Share::Reader)).collect(),
        records,
    }
}

fn practices(data: &Data, key: &str) -> impl Iterator<Item = PlannedRecord> {
    let proposed = data.good_practices.iter().filter(move |practice| practice.proposed_by == key);
    proposed.enumerate().map(move |(at, practice)| PlannedRecord {
        name: format!("practice/{key}/{at}"),
        writer: key.to_owned(),
        kind: Kind::Practice,
        fields: fields(
            &practice.rest,
            [
                ("proposed_by", organisation(&practice.proposed_by)),
                ("adopted_by", organisations(&practice.adopted_by)),
            ],
        ),
    })
}

/// Meetings about one convention are written there.
fn meetings(data: &Data, key: &str) -> impl Iterator<Item = PlannedRecord> {
    let called = data.meetings.iter().filter(move |meeting| {
        meeting.convention.is_none() && meeting.organisers.first().is_some_and(|one| one == key)
    });
    called.enumerate().map(move |(at, meeting)| PlannedRecord {
        name: format!("meeting/{key}/{at}"),
        writer: key.to_owned(),
        kind: Kind::Meeting,
        fields: fields(&meeting.rest, [("organisers", organisations(&meeting.organisers))]),
    })
}

fn profile(body: &Organisation) -> PlannedRecord {
    let succession = body.succession.as_ref().map_or(Json::Null, |succession| {
        Json::Object(fields(&succession.rest, [("into", organisation(&succession.into))]))
    });
    let mut fields = fields(
        &body.rest,
        [
            ("name", body.name.clone().into()),
            ("key", body.key.clone().into()),
            ("succession", succession),
        ],
    );
    if !body.members.is_empty() {
        fields.insert("members".to_owned(), organisations(&body.members));
    }
    if body.extra_provincial {
        fields.insert("extra_provincial".to_owned(), Json::Bool(true));
    }
    corrected(&mut fields);
    PlannedRecord {
        name: format!("organisation/{}", body.key),
        writer: body.key.clone(),
        kind: Kind::Organisation,
        fields,
    }
}

/// The data file has a misprint where the vocabulary says `odv_aps_ets`.
fn corrected(fields: &mut Map<String, Json>) {
    if let Some(kind) = fields.get_mut("org_kind").filter(|kind| **kind == "ods_aps_ets") {
        *kind = "odv_aps_ets".into();
    }
}

/// A reference to an office, where the body lists it.
fn office(body: &Organisation, key: Option<&str>) -> Json {
    let listed = key.filter(|key| body.offices.iter().any(|office| office.key == **key));
    listed.map_or(Json::Null, |key| record(&office_name(&body.key, key)))
}

fn office_name(body: &str, office: &str) -> String {
    format!("office/{body}/{office}")
}
