//! Writes the plan: each organisation on its own node.

use super::DemoError;
use super::network::{Network, Node};
use super::patience::Found;
use super::plan::{PlannedRecord, PlannedSpace, Purpose};
use crate::api::Client;
use serde_json::{Map, Value as Json};
use sincronia_node::api::{
    ConventionRequest, EditRequest, NewRecordRequest, RecordView, RecordsQuery,
};
use sincronia_protocol::record::Kind;
use std::collections::BTreeMap;

/// Who acts in the demonstration.
pub(super) const OPERATOR: &str = "dimostrazione";

type Names = BTreeMap<String, String>;

impl Network<'_> {
    /// Writes what is still to be written now that these organisations are there: their spaces, and
    /// their records in the spaces of others.
    pub(super) fn write(&mut self, newcomers: &[String]) -> Result<(), DemoError> {
        let new = |key: &String| newcomers.contains(key);
        let spaces: Vec<_> = self.plan.iter().filter(|space| new(&space.owner)).cloned().collect();
        let written = self.each("demo-writing", &spaces, |space| self.write_space(space))?;
        for (name, id, records) in written {
            self.spaces.insert(name, id);
            self.records.extend(records);
        }
        let guests: Vec<_> = self
            .plan
            .iter()
            .filter(|space| self.spaces.contains_key(&space.name))
            .flat_map(|space| space.records.iter().map(move |record| (space, record)))
            .filter(|(_, record)| !self.records.contains_key(&record.name))
            .filter(|(_, record)| self.nodes.contains_key(&record.writer))
            .map(|(space, record)| (space.clone(), record.clone()))
            .collect();
        let written = self
            .each("demo-contributing", &guests, |(space, record)| self.contribute(space, record))?;
        self.records.extend(written);
        Ok(())
    }

    /// A space and its owner's records: the space's name and identifier, and those of the records.
    fn write_space(&self, space: &PlannedSpace) -> Result<(String, String, Names), DemoError> {
        let owner = self.node(&space.owner)?;
        let mut names = Names::new();
        let id = match space.purpose {
            Purpose::Directory => directory(owner)?,
            Purpose::Convention => {
                let (id, name, record) = self.create_convention(owner, space)?;
                names.insert(name, record);
                id
            }
        };
        for record in space.records.iter().filter(|record| record.writer == space.owner) {
            if names.contains_key(&record.name) {
                continue;
            }
            let fields = self.resolved(&record.fields, &names)?;
            let written = create(owner, &id, record.kind, fields)?;
            names.insert(record.name.clone(), written.id);
        }
        Ok((space.name.clone(), id, names))
    }

    fn create_convention(
        &self,
        owner: &Node,
        space: &PlannedSpace,
    ) -> Result<(String, String, String), DemoError> {
        let first = space.records.first();
        let record = first.filter(|record| record.kind == Kind::Convention);
        let record =
            record.ok_or_else(|| DemoError::Missing(format!("{} is empty", space.name)))?;
        let request = ConventionRequest {
            fields: self.resolved(&record.fields, &Names::new())?,
            covers: Vec::new(),
            responsibilities: Vec::new(),
            objectives: Vec::new(),
            seats: Vec::new(),
            share: Some(true),
            operator: Some(OPERATOR.to_owned()),
            comment: None,
        };
        let what = format!("create {}", space.name);
        let view = owner.ask(&what, |client| client.create_convention(&request))?;
        if view.not_shared_yet.is_empty() {
            return Ok((view.space.id, record.name.clone(), view.convention.id));
        }
        let missing = view.not_shared_yet.join(", ");
        Err(DemoError::Missing(format!("{} is not shared with {missing}", space.name)))
    }

    /// A record of a member, once the space and its key have reached it.
    fn contribute(
        &self,
        space: &PlannedSpace,
        record: &PlannedRecord,
    ) -> Result<(String, String), DemoError> {
        let writer = self.node(&record.writer)?;
        let id = self.space(&space.name)?;
        let what = format!("{} reaches {}", space.name, writer.key);
        self.until(&what, || {
            let spaces = writer.ask("list its spaces", Client::spaces)?;
            let ready = |role: &Option<String>| role.as_deref() == Some("contributor");
            let found = spaces.iter().find(|one| one.id == id);
            Ok(match found {
                Some(space) if space.has_key && ready(&space.role) => Found::Done(()),
                Some(_) => Found::Behind(format!("{} has not its key", writer.key)),
                None => Found::Behind(format!("{} has not seen it", writer.key)),
            })
        })?;
        let fields = self.resolved(&record.fields, &Names::new())?;
        let written = create(writer, id, record.kind, fields)?;
        Ok((record.name.clone(), written.id))
    }

    /// Fields with identifiers in place of symbols.
    fn resolved(
        &self,
        fields: &Map<String, Json>,
        fresh: &Names,
    ) -> Result<Map<String, Json>, DemoError> {
        let each = fields.iter();
        each.map(|(name, value)| Ok((name.clone(), self.value(value, fresh)?))).collect()
    }

    fn value(&self, value: &Json, fresh: &Names) -> Result<Json, DemoError> {
        Ok(match value {
            Json::String(text) => match (text.strip_prefix('@'), text.strip_prefix('#')) {
                (Some(key), _) => self.organisation(key)?.into(),
                (_, Some(name)) => {
                    let id = fresh.get(name).or_else(|| self.records.get(name));
                    let missing = || DemoError::Missing(format!("{name} was not written"));
                    id.cloned().ok_or_else(missing)?.into()
                }
                _ => value.clone(),
            },
            Json::Array(array) => {
                let each = array.iter().map(|value| self.value(value, fresh));
                Json::Array(each.collect::<Result<_, _>>()?)
            }
            Json::Object(object) => Json::Object(self.resolved(object, fresh)?),
            _ => value.clone(),
        })
    }

    /// The identifier of an organisation. One that has not joined yet is named by its key, as
    /// people name a body that runs no node.
    fn organisation(&self, key: &str) -> Result<String, DemoError> {
        match self.nodes.get(key) {
            Some(node) => Ok(node.organisation.clone()),
            None if self.data.organisation(key).is_some() => Ok(key.to_owned()),
            None => Err(DemoError::Missing(format!("nobody is called {key}"))),
        }
    }
}

fn directory(owner: &Node) -> Result<String, DemoError> {
    let spaces = owner.ask("list its spaces", Client::spaces)?;
    let own = spaces.into_iter().find(|space| space.directory).map(|space| space.id);
    own.ok_or_else(|| DemoError::Missing(format!("{} has no directory of its own", owner.key)))
}

/// Writes a record. The profile of an organisation may be there since its node was set up.
pub(super) fn create(
    writer: &Node,
    space: &str,
    kind: Kind,
    fields: Map<String, Json>,
) -> Result<RecordView, DemoError> {
    let operator = Some(OPERATOR.to_owned());
    let what = format!("write a record of kind {kind}");
    if let Some(profile) = profile(writer, space, kind)? {
        let request = EditRequest { fields, seen: None, operator, comment: None };
        return writer.ask(&what, |client| client.edit_record(space, &profile, &request));
    }
    let request =
        NewRecordRequest { kind: kind.name().to_owned(), fields, operator, comment: None };
    writer.ask(&what, |client| client.create_record(space, &request))
}

fn profile(writer: &Node, space: &str, kind: Kind) -> Result<Option<String>, DemoError> {
    if kind != Kind::Organisation {
        return Ok(None);
    }
    let query = RecordsQuery {
        kind: Some(kind.name().to_owned()),
        space: Some(space.to_owned()),
        ..RecordsQuery::default()
    };
    let found = writer.ask("list its records", |client| client.records(&query))?;
    Ok(found.into_iter().next().map(|record| record.id))
}
