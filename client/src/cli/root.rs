//! The root key of the organisation, for one signature: it comes from the recovery words, signs
//! here in the command, and is gone. The node is handed the signed entry and nothing else.

use super::context::Context;
use super::failure::{Exit, Failure};
use super::secret;
use crate::api::Client;
use sincronia_node::api::hexadecimal::{hex, unhex};
use sincronia_node::api::{IdentityRequest, IdentityView};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{RootKey, Secret};
use sincronia_protocol::identity::{Identity, IdentityEntry, IdentityOperation};
use sincronia_protocol::limits::IDENTITY_ENTRY_BYTES_MAX;
use sincronia_protocol::recovery::restore_entropy;
use std::path::Path;

/// Has the node of the organisation say `operation`, signed with the root key of the words that are
/// in the file or typed.
pub fn say(
    context: &Context,
    client: &Client,
    recovery_file: Option<&Path>,
    operation: IdentityOperation,
) -> Result<IdentityView, Failure> {
    let identity = identity(context, &client.identity()?)?;
    let entropy = entropy(context, recovery_file)?;
    let root = RootKey::derive(&entropy, identity.generation());
    if root.public() != *identity.root() {
        return Err(context.fail(Exit::Usage, "other_words", ""));
    }
    let entry = identity.draft(operation).sign(&root);
    let mut grown = identity;
    grown
        .apply(&entry)
        .map_err(|error| context.fail(Exit::Error, "identity", &error.to_string()))?;
    Ok(client.extend_identity(&IdentityRequest { entry: hex(&codec::encode(&entry)) })?)
}

/// The identity that the node's log describes, verified here: what is signed next stands on it.
fn identity(context: &Context, view: &IdentityView) -> Result<Identity, Failure> {
    let failed =
        |cause: &dyn std::fmt::Display| context.fail(Exit::Error, "identity", &cause.to_string());
    let mut identity: Option<Identity> = None;
    for text in &view.entries {
        let bytes = unhex(text).ok_or_else(|| failed(&"not hexadecimal"))?;
        let entry: IdentityEntry = codec::decode_bounded(&bytes, IDENTITY_ENTRY_BYTES_MAX + 128)
            .map_err(|error| failed(&error))?;
        match identity.as_mut() {
            Some(identity) => identity.apply(&entry).map_err(|error| failed(&error))?,
            None => identity = Some(Identity::begin(&entry).map_err(|error| failed(&error))?),
        }
    }
    identity.ok_or_else(|| failed(&"the log is empty"))
}

/// What the recovery words stand for.
pub fn entropy(context: &Context, file: Option<&Path>) -> Result<Secret<32>, Failure> {
    let words = match file {
        Some(path) => secret::from_file(context, path)?,
        None => secret::prompt(context, &context.texts.text("ask-recovery-words"))?,
    };
    restore_entropy(&words)
        .map_err(|error| context.fail(Exit::Usage, "recovery_words", &error.to_string()))
}
