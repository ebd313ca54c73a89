//! Errors as programs and people get them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stable code; the client's exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request is not possible as it stands.
    Invalid,
    /// One or more fields are not possible.
    InvalidFields,
    /// No such thing here.
    NotFound,
    /// The record was erased.
    Erased,
    /// Several things fit.
    Ambiguous,
    /// No valid token.
    Unauthorised,
    /// A request from a foreign page.
    ForeignPage,
    /// A request for a host name that is not this node's.
    WrongHost,
    /// The address exists, the method does not.
    Method,
    /// The body is not declared as JSON.
    MediaType,
    /// The request took too long to arrive.
    Timeout,
    /// This organisation may not do that.
    NotPermitted,
    /// A partner or the network is the reason.
    Partner,
    /// The invitation cannot be used.
    Invitation,
    /// The file is no bundle that can be used here.
    Bundle,
    /// A conflict needs a person.
    Conflict,
    /// The record shows something else than when it was read.
    ChangedSince,
    /// The key of the space has not arrived.
    KeyMissing,
    /// The node was restored from a backup and still waits to hear its partners.
    CatchingUp,
    /// Backups are sealed to the recovery words, and this node was never told to which.
    NoRecipient,
    /// Another copy of this node was noticed.
    Cloned,
    /// Only the organisation's primary node does that.
    NotPrimary,
    /// This node does not speak for its organisation: it was revoked, or admitted apart from a
    /// change of the root key.
    Revoked,
    /// Too much at once.
    Busy,
    /// Too large.
    TooLarge,
    /// The disk, or what this user may have of it, is full.
    DiskFull,
    /// The node does not run.
    NodeNotRunning,
    /// The node failed.
    Internal,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Row of an import, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The field.
    pub field: String,
    /// A stable code.
    pub code: String,
    /// In words.
    pub message: String,
    /// The codes that are possible there, when it is none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// An error: what happened, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// A stable code.
    pub code: ErrorCode,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub remedy: String,
    /// Field by field, where fields are the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
}

impl ApiError {
    /// An error without field problems.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: remedy.into(), problems: Vec::new() }
    }

    /// One field cannot say what it says.
    #[must_use]
    pub fn field(field: &str, code: &str, message: &str) -> Self {
        let problem = FieldProblem {
            row: None,
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            allowed: Vec::new(),
        };
        let remedy = "correct the fields named, then try again";
        let error = Self::new(ErrorCode::InvalidFields, format!("{field}: {message}"), remedy);
        Self { problems: vec![problem], ..error }
    }

    /// Something is not here.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            ErrorCode::NotFound,
            format!("there is no such {what} on this node"),
            "list what there is, and check the identifier",
        )
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.code {
            ErrorCode::Invalid
            | ErrorCode::InvalidFields
            | ErrorCode::Invitation
            | ErrorCode::Bundle => 422,
            ErrorCode::NotFound => 404,
            ErrorCode::Erased => 410,
            ErrorCode::Ambiguous
            | ErrorCode::Conflict
            | ErrorCode::ChangedSince
            | ErrorCode::KeyMissing
            | ErrorCode::CatchingUp
            | ErrorCode::NoRecipient => 409,
            ErrorCode::Unauthorised => 401,
            ErrorCode::NotPermitted
            | ErrorCode::ForeignPage
            | ErrorCode::NotPrimary
            | ErrorCode::Revoked => 403,
            ErrorCode::WrongHost => 421,
            ErrorCode::Method => 405,
            ErrorCode::MediaType => 415,
            ErrorCode::Timeout => 408,
            ErrorCode::Partner => 502,
            ErrorCode::Cloned | ErrorCode::Busy | ErrorCode::NodeNotRunning => 503,
            ErrorCode::TooLarge => 413,
            ErrorCode::Internal => 500,
            ErrorCode::DiskFull => 507,
        }
    }

    /// The exit code of the command: 1 error, 2 usage, 3 not found, 4 node not running, 5 a
    /// conflict needs a person, 6 network or partner, 7 not permitted.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self.code {
            ErrorCode::Invalid
            | ErrorCode::InvalidFields
            | ErrorCode::TooLarge
            | ErrorCode::Method
            | ErrorCode::NoRecipient
            | ErrorCode::MediaType => 2,
            ErrorCode::NotFound | ErrorCode::Erased | ErrorCode::Ambiguous => 3,
            ErrorCode::NodeNotRunning => 4,
            ErrorCode::Conflict | ErrorCode::ChangedSince => 5,
            ErrorCode::Partner
            | ErrorCode::Invitation
            | ErrorCode::Bundle
            | ErrorCode::CatchingUp
            | ErrorCode::KeyMissing => 6,
            ErrorCode::Unauthorised
            | ErrorCode::NotPermitted
            | ErrorCode::ForeignPage
            | ErrorCode::NotPrimary
            | ErrorCode::Revoked
            | ErrorCode::WrongHost => 7,
            ErrorCode::Cloned
            | ErrorCode::Busy
            | ErrorCode::Timeout
            | ErrorCode::DiskFull
            | ErrorCode::Internal => 1,
        }
    }
}
