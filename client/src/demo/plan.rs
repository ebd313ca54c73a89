//! What the demonstration writes, on whose node and for whom, as read from the data.
//!
//! References inside fields are symbolic until the nodes exist: `@key` is an organisation, `#name`
//! a record of the plan (see [`PlannedRecord::name`]). Nothing else in the data begins so.

mod conventions;
mod directories;
#[cfg(test)]
mod tests;

use super::data::Data;
use super::pairs::Pairs;
use serde_json::{Map, Value as Json};
use sincronia_protocol::record::Kind;
use std::collections::BTreeMap;

/// What a space is for; its name tells it apart from all others of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// What a body tells its partners about itself.
    Directory,
    /// A convention and what belongs to it.
    Convention,
}

/// Whether a member writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// It reads.
    Reader,
    /// It reads and writes.
    Contributor,
}

/// A space and the records that are written into it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedSpace {
    /// What it is for.
    pub purpose: Purpose,
    /// Its name, unique in the network.
    pub name: String,
    /// What people see.
    pub title: String,
    /// The key of its owner.
    pub owner: String,
    /// The other members.
    pub members: BTreeMap<String, Share>,
    /// What is written into it, in this order.
    pub records: Vec<PlannedRecord>,
}

/// A record to write.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRecord {
    /// Its name in references, unique in the network.
    pub name: String,
    /// The key of the body on whose node it is written.
    pub writer: String,
    /// What it is.
    pub kind: Kind,
    /// Its fields.
    pub fields: Map<String, Json>,
}

/// Every space of the network, directories first: the others refer to what stands in them.
#[must_use]
pub fn plan(data: &Data, pairs: &Pairs) -> Vec<PlannedSpace> {
    let mut spaces = directories::plan(data, pairs);
    spaces.extend(conventions::plan(data));
    spaces
}

fn organisation(key: &str) -> Json {
    Json::String(format!("@{key}"))
}

fn organisations<'a>(keys: impl IntoIterator<Item = &'a String>) -> Json {
    keys.into_iter().map(|key| organisation(key)).collect()
}

fn record(name: &str) -> Json {
    Json::String(format!("#{name}"))
}

/// The fields of the data that hold something, and those that the plan adds.
fn fields<const N: usize>(rest: &Map<String, Json>, more: [(&str, Json); N]) -> Map<String, Json> {
    let filled = rest.iter().filter(|(_, value)| !value.is_null());
    let mut fields: Map<_, _> = filled.map(|(name, value)| (name.clone(), value.clone())).collect();
    let more = more.into_iter().filter(|(_, value)| !value.is_null());
    fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    fields
}
