//! Whether an edit was made upon what the record shows.
//!
//! A value that two offices wrote apart stands until a person chooses, so an ordinary edit does not
//! change it; and an edit that says what it was made upon is not laid over something else.

use crate::api::{ApiError, ErrorCode};
use sincronia_protocol::crypto::Domain;
use sincronia_protocol::record::View;
use std::fmt::Write;

/// As many bytes of the fingerprint as tell what one record showed at different times apart.
const VERSION_BYTES: usize = 8;

/// What a record shows, in short: the same for the same fields and conflicts, on every node.
pub(super) fn version(view: &View) -> String {
    let shown = serde_json::json!({ "fields": view.fields, "conflicts": view.conflicts });
    let digest = Domain::RECORD_VERSION.hash(&[shown.to_string().as_bytes()]);
    digest.iter().take(VERSION_BYTES).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Refuses an edit of a field in conflict, and one made upon something that is not shown any more.
pub(super) fn may_change<'a>(
    view: &View,
    fields: impl IntoIterator<Item = &'a String>,
    seen: Option<&str>,
) -> Result<(), ApiError> {
    if seen.is_some_and(|seen| seen != version(view)) {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "the record was changed since it was looked at; nothing was written",
            "look at the record again, then repeat the change if it is still wanted",
        ));
    }
    let in_conflict = |field: &&String| view.conflicts.iter().any(|one| one.field == **field);
    match fields.into_iter().find(in_conflict) {
        None => Ok(()),
        Some(field) => Err(ApiError::new(
            ErrorCode::Conflict,
            format!("the field {field} has several values, of which a person chooses one"),
            "see them with `sincronia conflict show`, choose with `sincronia conflict resolve`",
        )),
    }
}
