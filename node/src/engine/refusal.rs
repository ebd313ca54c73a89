//! What the replica refuses, as programs and people are told: what happened, and what to do next.

use super::Core;
use crate::api::{ApiError, ErrorCode, FieldProblem};
use sincronia_protocol::access::AccessError;
use sincronia_protocol::identity::IdentityError;
use sincronia_protocol::record::{EditError, FieldError};
use sincronia_protocol::replica::ReplicaError;

impl From<ReplicaError> for ApiError {
    fn from(error: ReplicaError) -> Self {
        let text = error.to_string();
        match error {
            ReplicaError::Edit(error) => edit(error, text),
            ReplicaError::Access(error) => access(error, text),
            ReplicaError::Identity(error) => identity(error, text),
            ReplicaError::Unknown(what) => Self::not_found(what),
            ReplicaError::NotPrimary(primary) => Core::not_primary(text, primary),
            other => {
                let (code, remedy) = outcome(&other);
                Self::new(code, text, remedy)
            }
        }
    }
}

/// The way out for a node that found another copy of itself, or its own disk put back.
pub(super) const WITHOUT_COPY: &str = "stop the other copy of this node; where none runs, its data \
    were put back to an older state, and it signs no more: revoke it at another machine \
    (“sincronia node revoke MACHINE”), or put a new node in its place (“sincronia backup restore \
    FILE --directory DIRECTORY”)";

/// Code and remedy of what needs no more than that.
const fn outcome(error: &ReplicaError) -> (ErrorCode, &'static str) {
    match error {
        ReplicaError::NotPermitted => {
            (ErrorCode::NotPermitted, "ask the owner of the space or record")
        }
        ReplicaError::Limit(_) => (
            ErrorCode::TooLarge,
            "do it in several steps, or take away what is not needed any more",
        ),
        ReplicaError::Text(_) => {
            (ErrorCode::Invalid, "write it again by hand, without what was pasted")
        }
        ReplicaError::Erased => {
            (ErrorCode::Erased, "nothing brings it back; write what may be kept as a new record")
        }
        ReplicaError::KeyMissing => (
            ErrorCode::KeyMissing,
            "wait until the owner's node is reachable, or import a bundle of it",
        ),
        ReplicaError::Revoked => (
            ErrorCode::Revoked,
            "work on another node of the organisation; keep this one's data or delete it",
        ),
        ReplicaError::SetAside => (
            ErrorCode::Revoked,
            "write it at another machine of the organisation; to make this one a machine of it \
             again, set it up anew in another directory and have it admitted with “sincronia node \
             add REQUEST”",
        ),
        ReplicaError::CatchingUp => (
            ErrorCode::CatchingUp,
            "wait until the partners were reached (`sincronia status` names them), or go on \
             without them: `sincronia backup finish`",
        ),
        ReplicaError::Cloned => (ErrorCode::Cloned, WITHOUT_COPY),
        ReplicaError::Frozen => (
            ErrorCode::NotPermitted,
            "the author's organisation revokes that node (“sincronia node revoke MACHINE”) and \
             writes from another one",
        ),
        ReplicaError::Damaged(_) | ReplicaError::Storage(_) => {
            (ErrorCode::Internal, "run `sincronia verify`, and check the disk")
        }
        // What a partner, or a file of it, brought.
        ReplicaError::Beacons
        | ReplicaError::Keyring(_)
        | ReplicaError::Malformed(_)
        | ReplicaError::Receipt
        | ReplicaError::Run(_) => (
            ErrorCode::Partner,
            "update the programs on both sides; if it stays so, call whoever it came from",
        ),
        _ => (ErrorCode::Internal, "look at the node's log"),
    }
}

fn edit(error: EditError, text: String) -> ApiError {
    let (code, remedy) = match error {
        EditError::Invalid(fields) => return fields_invalid(fields, text),
        EditError::NotOwner => (ErrorCode::NotPermitted, "ask the owner of the space or record"),
        EditError::TooLarge => (ErrorCode::TooLarge, "do it in several steps"),
        EditError::Unchanged => (ErrorCode::Invalid, "nothing was written, and nothing has to be"),
        EditError::Incomplete => {
            (ErrorCode::Invalid, "run `sincronia sync`, or import what a partner sent")
        }
        EditError::Damaged => (ErrorCode::Internal, "run `sincronia verify`, and check the disk"),
        _ => (ErrorCode::Invalid, "look at the record again"),
    };
    ApiError::new(code, text, remedy)
}

fn fields_invalid(fields: Vec<FieldError>, text: String) -> ApiError {
    let remedy = "correct the fields named, then try again";
    let problem = |one: FieldError| FieldProblem {
        row: None,
        field: one.field,
        code: one.code.to_owned(),
        message: one.message,
        allowed: one.allowed.iter().map(ToString::to_string).collect(),
    };
    let mut error = ApiError::new(ErrorCode::InvalidFields, text, remedy);
    error.problems = fields.into_iter().map(problem).collect();
    error
}

fn access(error: AccessError, text: String) -> ApiError {
    let (code, remedy) = match error {
        AccessError::Operation => (
            ErrorCode::Invalid,
            "see who takes part and in which role: `sincronia convention show CONVENTION`",
        ),
        AccessError::TooLong => {
            (ErrorCode::TooLarge, "make a new convention with the same parties, and go on there")
        }
        AccessError::IdentityBehind => (
            ErrorCode::Partner,
            "wait until the owner's node is reachable, or import a bundle of it",
        ),
        AccessError::Version => (ErrorCode::Invalid, "update this program"),
        _ => (
            ErrorCode::Partner,
            "update the programs on both sides; if it stays so, call whoever it came from",
        ),
    };
    ApiError::new(code, text, remedy)
}

fn identity(error: IdentityError, text: String) -> ApiError {
    let (code, remedy) = match error {
        IdentityError::Operation => (
            ErrorCode::Invalid,
            "see what was signed already: `sincronia node list`, `sincronia succession list`",
        ),
        IdentityError::Chain => {
            (ErrorCode::Conflict, "wait until the nodes have synchronised, then sign again")
        }
        IdentityError::Branches => (
            ErrorCode::Conflict,
            "too many machines signed apart with the recovery words: call whoever else has them",
        ),
        IdentityError::Signature => {
            (ErrorCode::NotPermitted, "sign again with the recovery words of this organisation")
        }
        IdentityError::RootSpent => {
            (ErrorCode::TooLarge, "change the root key first: `sincronia node rotate-root`")
        }
        IdentityError::Version => (ErrorCode::Invalid, "update this program"),
        _ => (ErrorCode::TooLarge, "nothing more can be signed: call who maintains the program"),
    };
    ApiError::new(code, text, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_is_told_what_to_do_and_not_to_read_a_log() {
        let errors = [
            ReplicaError::NotPermitted,
            ReplicaError::Limit("partners"),
            ReplicaError::KeyMissing,
            ReplicaError::Frozen,
            ReplicaError::Revoked,
            ReplicaError::SetAside,
            ReplicaError::Damaged("rows"),
            ReplicaError::Receipt,
            ReplicaError::Access(AccessError::Operation),
            ReplicaError::Access(AccessError::TooLong),
            ReplicaError::Access(AccessError::Signer),
            ReplicaError::Identity(IdentityError::Operation),
            ReplicaError::Identity(IdentityError::Branches),
            ReplicaError::Identity(IdentityError::RootSpent),
            ReplicaError::Identity(IdentityError::Signature),
            ReplicaError::Edit(EditError::Unchanged),
            ReplicaError::Edit(EditError::Incomplete),
        ];
        for error in errors {
            let told = ApiError::from(error);
            assert!(!told.remedy.is_empty() && !told.remedy.contains("log"), "{told:?}");
        }
        let taken = ApiError::from(ReplicaError::Identity(IdentityError::Operation));
        assert_eq!(taken.code, ErrorCode::Invalid, "what was asked, not the node, is the reason");
        assert!(taken.remedy.contains("succession list"), "{taken:?}");
    }
}
