//! The data file of a demonstration network.

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// The example network of the Lunigiana, part of the program.
const LUNIGIANA: &[u8] = include_bytes!("../../../deploy/example/lunigiana.json");

/// A network: bodies, who to call, conventions, practices, meetings and seats.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Data {
    /// The bodies.
    pub organisations: Vec<Organisation>,
    /// Who to call.
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// The conventions.
    #[serde(default)]
    pub conventions: Vec<Convention>,
    /// Good practices.
    #[serde(default)]
    pub good_practices: Vec<Practice>,
    /// Meetings.
    #[serde(default)]
    pub meetings: Vec<Meeting>,
    /// Seats free and used.
    #[serde(default)]
    pub seats: Vec<Seats>,
}

/// A body. What the demonstration does not look at is written as it stands.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Organisation {
    /// Its short name in the file.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its offices.
    #[serde(default)]
    pub offices: Vec<Office>,
    /// The bodies it is made of.
    #[serde(default)]
    pub members: Vec<String>,
    /// What became of it.
    #[serde(default)]
    pub succession: Option<Succession>,
    /// It joins while the network runs.
    #[serde(default)]
    pub extra_provincial: bool,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

impl Organisation {
    /// Whether its network is closed: it takes part by files.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.rest.get("closed_network").and_then(Json::as_bool) == Some(true)
    }
}

/// What became of a body.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Succession {
    /// The body it went into.
    pub into: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// An office.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Office {
    /// Its short name within its body.
    pub key: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// Somebody to call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Contact {
    /// Of which body.
    pub org: String,
    /// Of which office; some bodies name one that they do not list.
    #[serde(default)]
    pub office: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// A convention.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Convention {
    /// Its short name in the file.
    pub key: String,
    /// The parties; the first owns the space.
    pub parties: Vec<Party>,
    /// What it aims at.
    #[serde(default)]
    pub objectives: Vec<Objective>,
    /// How it is insured.
    #[serde(default)]
    pub covers: Vec<Cover>,
    /// Who answers for what.
    #[serde(default)]
    pub responsibilities: Vec<Responsibility>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// A party of a convention.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Party {
    /// The body.
    pub org: String,
    /// Its role.
    pub role: String,
    /// Under which number it filed the convention.
    #[serde(default)]
    pub protocol_no: Option<String>,
}

/// What a convention aims at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Objective {
    /// Who follows it.
    pub owner: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// An insurance cover.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Cover {
    /// Who is insured, and so keeps the record.
    pub insured: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// Who answers for what.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Responsibility {
    /// Who answers.
    pub responsible: String,
    /// Who is told.
    #[serde(default)]
    pub informed: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// A good practice.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Practice {
    /// Who proposed it, and so owns the space.
    pub proposed_by: String,
    /// Who works by it.
    #[serde(default)]
    pub adopted_by: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// A meeting.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Meeting {
    /// Who organises it; the first owns the space.
    pub organisers: Vec<String>,
    /// The convention it is about; then it lives with it.
    #[serde(default)]
    pub convention: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// Seats free and used.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Seats {
    /// Whose seats.
    pub org: String,
    /// In which of its offices.
    #[serde(default)]
    pub office: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Json>,
}

/// Why a data file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Not the JSON of such a file.
    #[error("the data file cannot be read: {0}")]
    Format(#[from] serde_json::Error),
    /// A name that no organisation of the file has.
    #[error("the data file names “{0}”, which is not among its organisations")]
    Unknown(String),
    /// A convention without parties, or a meeting without organisers.
    #[error("“{0}” has nobody who owns it")]
    Ownerless(String),
    /// More organisations than the list of comuni has, or too few for the steps.
    #[error("choose from {least} to {most} organisations")]
    Count {
        /// As few as there may be.
        least: usize,
        /// As many as there are.
        most: usize,
    },
    /// The list of comuni is damaged.
    #[error("the list of comuni cannot be read: {0}")]
    Comuni(String),
}

impl Data {
    /// The example network of the Lunigiana.
    pub fn lunigiana() -> Result<Self, DataError> {
        Self::read(LUNIGIANA)
    }

    /// A data file, whose names have all been looked up.
    pub fn read(bytes: &[u8]) -> Result<Self, DataError> {
        let data: Self = serde_json::from_slice(bytes)?;
        data.check()?;
        Ok(data)
    }

    /// The organisation with this key.
    #[must_use]
    pub fn organisation(&self, key: &str) -> Option<&Organisation> {
        self.organisations.iter().find(|organisation| organisation.key == key)
    }

    fn check(&self) -> Result<(), DataError> {
        let keys: BTreeSet<&str> = self.organisations.iter().map(|org| org.key.as_str()).collect();
        if let Some(name) = self.names().find(|name| !keys.contains(name)) {
            return Err(DataError::Unknown(name.to_owned()));
        }
        let convention = self.conventions.iter().find(|convention| convention.parties.is_empty());
        if let Some(convention) = convention {
            return Err(DataError::Ownerless(convention.key.clone()));
        }
        let known = |key: &str| self.conventions.iter().any(|convention| convention.key == key);
        for meeting in &self.meetings {
            if meeting.organisers.is_empty() {
                return Err(DataError::Ownerless("meeting".to_owned()));
            }
            if let Some(key) = meeting.convention.as_deref().filter(|key| !known(key)) {
                return Err(DataError::Unknown(key.to_owned()));
            }
        }
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let bodies = self.organisations.iter().flat_map(|body| {
            let into = body.succession.iter().map(|succession| succession.into.as_str());
            body.members.iter().map(String::as_str).chain(into)
        });
        let conventions = self.conventions.iter().flat_map(|convention| {
            let parties = convention.parties.iter().map(|party| party.org.as_str());
            let owners = convention.objectives.iter().map(|objective| objective.owner.as_str());
            let insured = convention.covers.iter().map(|cover| cover.insured.as_str());
            let responsible = convention.responsibilities.iter().flat_map(|duty| {
                duty.informed.iter().chain([&duty.responsible]).map(String::as_str)
            });
            parties.chain(owners).chain(insured).chain(responsible)
        });
        let practices = self.good_practices.iter().flat_map(|practice| {
            practice.adopted_by.iter().chain([&practice.proposed_by]).map(String::as_str)
        });
        let organisers = self.meetings.iter().flat_map(|meeting| &meeting.organisers);
        bodies
            .chain(self.contacts.iter().map(|contact| contact.org.as_str()))
            .chain(conventions)
            .chain(practices)
            .chain(organisers.map(String::as_str))
            .chain(self.seats.iter().map(|seats| seats.org.as_str()))
    }
}
