//! Frames of sessions and joinings, and the entries in them.

use super::{Form, Parser, vectors};
use sincronia_protocol::crypto::{NodeKey, Secret};
use sincronia_protocol::ids::{EntryHash, NodeId, RecordId};
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::joining::{
    Introduction, Invited, InvitedStep, Inviting, InvitingStep, JoinMessage, Refusal,
};
use sincronia_protocol::log::{LogPosition, Payload, Run};
use sincronia_protocol::record::Change;
use sincronia_protocol::replica::{SpaceHeads, decode_proof};
use sincronia_protocol::sync::Message;
use sincronia_protocol::{codec, limits};

/// Frames of a session.
#[must_use]
pub fn messages() -> Parser {
    let mut samples = vectors::read("messages.json", "");
    samples.extend(vectors::read("session.json", ""));
    samples.extend(vectors::read("machines.json", "message of"));
    samples.extend(vectors::read("erasure.json", "message"));
    let origins = origins();
    Parser::new("messages", Form::Bytes, samples, move |input| {
        let Ok(message) = Message::decode(input) else { return false };
        assert_eq!(message.encode(), input, "a message has two spellings");
        let _ = (message.weight(), message.is_acknowledged(), format!("{message:?}"));
        if let Message::Run(run) = message {
            check_run(run, &origins);
        }
        true
    })
}

/// Runs of entries, what entries hold, and heads.
#[must_use]
pub fn entries() -> Parser {
    let mut samples = vectors::read("author.json", "run");
    samples.extend(vectors::read("author.json", "plain"));
    samples.extend(vectors::read("erasure.json", "run"));
    samples.extend(vectors::read("erasure.json", "heads"));
    samples.extend(vectors::read("changes.json", ""));
    let origins = origins();
    Parser::new("entries", Form::Bytes, samples, move |input| {
        let mut is_taken = false;
        if let Ok(run) = codec::decode_bounded::<Run>(input, limits::FRAME_BYTES_MAX) {
            is_taken = true;
            assert_eq!(codec::encode(&run), input, "a run has two spellings");
            check_run(run, &origins);
        }
        if let Ok(payload) = Payload::decode(input) {
            is_taken = true;
            assert_eq!(codec::encode(&payload), input, "a payload has two spellings");
            let _ = Change::decode(&payload.operation);
        }
        if let Ok(change) = Change::decode(input) {
            is_taken = true;
            assert_eq!(change.encode(), input, "a change has two spellings");
        }
        if let Ok(heads) = codec::decode::<SpaceHeads>(input) {
            is_taken = true;
            assert_eq!(codec::encode(&heads), input, "heads have two spellings");
        }
        is_taken | decode_proof(input).is_some()
    })
}

/// Where the golden logs begin.
fn origins() -> Vec<EntryHash> {
    let found = vectors::read("author.json", "origin").into_iter();
    let hashes: Vec<_> = found.filter_map(|bytes| bytes.try_into().ok()).collect();
    assert!(!hashes.is_empty(), "no log");
    hashes.into_iter().map(EntryHash::from_bytes).collect()
}

/// A run that verifies is one of the golden ones: nobody else can sign it.
fn check_run(run: Run, origins: &[EntryHash]) {
    let entries = run.entries.len();
    let starts = origins.iter().map(|head| LogPosition { length: run.start, head: *head });
    let starts: Vec<_> = starts.collect();
    let start = run.start;
    if let Ok((_, mut verified)) = run.verify_after(&starts) {
        assert_eq!(verified.entries().len(), entries);
        let end = verified.end();
        assert_eq!(end.length, start + entries as u64);
        let _ = verified.erase(|entry| entry.header.sequence % 2 == 0, |_| false);
        let again = verified.to_run().and_then(|run| run.verify_after(&starts).ok());
        assert_eq!(again.map(|(_, run)| run.end()), Some(end));
    }
}

/// Messages of a joining, also as either side takes them.
#[must_use]
pub fn joining() -> Parser {
    let mut samples = vectors::read("joining.json", "open");
    for part in ["challenge", "proof", "welcome", "refused"] {
        samples.extend(vectors::read("joining.json", part));
    }
    samples.retain(|sample| JoinMessage::decode(sample).is_ok());
    let text = String::from_utf8(vectors::read("joining.json", "invitation").remove(0));
    let invitation = Invitation::from_text(&text.expect("a text")).expect("an invitation");
    let introduction = samples
        .iter()
        .find_map(|sample| match JoinMessage::decode(sample) {
            Ok(JoinMessage::Proof { introduction, .. }) => Some(introduction),
            _ => None,
        })
        .expect("an introduction");
    Parser::new("joining", Form::Bytes, samples, move |input| {
        let Ok(message) = JoinMessage::decode(input) else { return false };
        assert_eq!(message.encode(), input, "a message has two spellings");
        as_invited(&message, &invitation, &introduction);
        as_inviting(&message, &invitation, &introduction);
        true
    })
}

fn as_invited(message: &JoinMessage, invitation: &Invitation, own: &Introduction) {
    let node = NodeId::from_bytes([9; 32]);
    let random = &mut crate::fuzzing::cast::random();
    let (mut side, _) =
        Invited::begin(invitation.clone(), node, invitation.node, own.clone(), random);
    side.handle(JoinMessage::Challenge { nonce: [5; 32] });
    let step = side.handle(message.clone());
    assert!(!matches!(step, InvitedStep::Joined(_)), "joined without the secret");
}

fn as_inviting(message: &JoinMessage, invitation: &Invitation, own: &Introduction) {
    let key = NodeKey::from_seed(&Secret::from_bytes([8; 32]));
    let random = &mut crate::fuzzing::cast::random();
    let mut side = Inviting::new(invitation.node, key.id(), own.clone(), random);
    let known = invitation.key();
    let lookup = |id: &[u8; 32]| {
        if *id == known.id { Ok(known.proof.clone()) } else { Err(Refusal::Unknown) }
    };
    let open = JoinMessage::Open { version: 1, invitation: known.id, nonce: [6; 32] };
    side.handle(open, lookup);
    let step = side.handle(message.clone(), lookup);
    assert!(!matches!(step, InvitingStep::Joined { .. }), "joined without the secret");
}

/// Identifiers of records say their kind.
pub(super) fn kind_of(bytes: [u8; 16]) {
    let _ = sincronia_protocol::record::kind_of(&RecordId::from_bytes(bytes));
}
