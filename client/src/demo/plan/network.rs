//! Good practices, and meetings that are about no single convention.

use super::{PlannedRecord, PlannedSpace, Purpose, Share, fields, organisation, organisations};
use crate::demo::data::{Data, Meeting, Practice};
use crate::demo::pairs::Pairs;
use serde_json::{Map, Value as Json};
use sincronia_protocol::record::Kind;

pub(super) fn plan(data: &Data, pairs: &Pairs) -> Vec<PlannedSpace> {
    let practices = data.good_practices.iter().enumerate().map(|(at, one)| practice(at, one));
    let meetings = data.meetings.iter().enumerate().filter(|(_, one)| one.convention.is_none());
    practices.chain(meetings.filter_map(|(at, one)| meeting(pairs, at, one))).collect()
}

/// Those who work by a practice improve it together.
fn practice(at: usize, practice: &Practice) -> PlannedSpace {
    let adopters = practice.adopted_by.iter().filter(|key| **key != practice.proposed_by);
    let more = [
        ("proposed_by", organisation(&practice.proposed_by)),
        ("adopted_by", organisations(&practice.adopted_by)),
    ];
    PlannedSpace {
        purpose: Purpose::Shared,
        name: format!("practice/{}", title(&practice.rest)),
        title: title(&practice.rest),
        owner: practice.proposed_by.clone(),
        members: adopters.map(|key| (key.clone(), Share::Contributor)).collect(),
        records: vec![PlannedRecord {
            name: format!("practice/{at}"),
            writer: practice.proposed_by.clone(),
            kind: Kind::Practice,
            fields: fields(&practice.rest, more),
        }],
    }
}

/// The organisers prepare a meeting; the other partners of the first of them read about it.
fn meeting(pairs: &Pairs, at: usize, meeting: &Meeting) -> Option<PlannedSpace> {
    let (owner, others) = meeting.organisers.split_first()?;
    let mut members: std::collections::BTreeMap<_, _> =
        pairs.partners(owner).into_iter().map(|key| (key.to_owned(), Share::Reader)).collect();
    members.extend(others.iter().map(|key| (key.clone(), Share::Contributor)));
    let more = [("organisers", organisations(&meeting.organisers))];
    Some(PlannedSpace {
        purpose: Purpose::Shared,
        name: format!("meeting/{}", title(&meeting.rest)),
        title: title(&meeting.rest),
        owner: owner.clone(),
        members,
        records: vec![PlannedRecord {
            name: format!("meeting/{at}"),
            writer: owner.clone(),
            kind: Kind::Meeting,
            fields: fields(&meeting.rest, more),
        }],
    })
}

fn title(rest: &Map<String, Json>) -> String {
    rest.get("title").and_then(Json::as_str).unwrap_or_default().to_owned()
}
