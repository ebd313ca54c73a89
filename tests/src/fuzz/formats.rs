//! What travels between nodes, and what people copy by hand.

use super::Verdict;
use minicbor::{Decode, Encode};
use sincronia_protocol::access::{Access, AccessEntry, Keyring, Receipt};
use sincronia_protocol::codec;
use sincronia_protocol::crypto::{SealingSecret, Secret};
use sincronia_protocol::identity::{Admission, Identity, IdentityEntry, NodeRequest};
use sincronia_protocol::ids::{NodeId, OrganisationId, RecordId, SpaceId};
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::joining::{JoinMessage, may_recall};
use sincronia_protocol::limits::FRAME_BYTES_MAX;
use sincronia_protocol::log::{Payload, Run};
use sincronia_protocol::record::Change;
use sincronia_protocol::recovery::restore_entropy;
use sincronia_protocol::sync::Message;

/// What is decoded is written again as the very same bytes: a value has one encoding.
fn canonical<T>(bytes: &[u8]) -> Option<T>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let value: T = codec::decode_bounded(bytes, FRAME_BYTES_MAX).ok()?;
    assert_eq!(codec::encode(&value), bytes, "a value has two encodings");
    Some(value)
}

pub(super) fn message(bytes: &[u8]) -> Verdict {
    let Ok(message) = Message::decode(bytes) else { return Verdict::Refused };
    assert_eq!(message.encode(), bytes, "a message has two encodings");
    let _ = (message.weight(), message.is_acknowledged());
    Verdict::Accepted
}

pub(super) fn join_message(bytes: &[u8]) -> Verdict {
    let Ok(message) = JoinMessage::decode(bytes) else { return Verdict::Refused };
    assert_eq!(message.encode(), bytes, "a message has two encodings");
    let node = NodeId::from_bytes([1; 32]);
    match &message {
        JoinMessage::Proof { introduction, .. }
        | JoinMessage::Welcome { introduction, .. }
        | JoinMessage::Return { introduction, .. } => drop(introduction.certified(&node)),
        JoinMessage::Recall { root, proof, .. } => {
            let _ = may_recall(root, &node, &node, proof);
        }
        _ => {}
    }
    Verdict::Accepted
}

pub(super) fn identity_log(bytes: &[u8]) -> Verdict {
    let entries = canonical::<Vec<IdentityEntry>>(bytes)
        .or_else(|| canonical::<IdentityEntry>(bytes).map(|entry| vec![entry]));
    let Some(entries) = entries else { return Verdict::Refused };
    let Some(Ok(mut identity)) = entries.first().map(Identity::begin) else {
        return Verdict::Refused;
    };
    let taken = entries.iter().skip(1).take_while(|entry| identity.apply(entry).is_ok()).count();
    Verdict::when(taken + 1 == entries.len())
}

pub(super) fn access_log(bytes: &[u8]) -> Verdict {
    let Some(entry) = canonical::<AccessEntry>(bytes) else { return Verdict::Refused };
    let identities = sincronia_protocol::identity::Identities::new();
    // Without the identity log of its signer nothing is taken; the judgement must still end.
    let begun = Access::begin(&entry, &identities);
    assert!(begun.is_err(), "an access log began without an identity");
    Verdict::Accepted
}

pub(super) fn run(bytes: &[u8]) -> Verdict {
    let Some(run) = canonical::<Run>(bytes) else { return Verdict::Refused };
    let verified = run.verify(sincronia_protocol::log::LogPosition::START);
    Verdict::when(verified.is_ok())
}

pub(super) fn change(bytes: &[u8]) -> Verdict {
    let payload = Payload::decode(bytes);
    if let Ok(payload) = &payload {
        let _ = format!("{payload:?}");
    }
    let Ok(change) = Change::decode(bytes) else { return Verdict::when(payload.is_ok()) };
    assert_eq!(change.encode(), bytes, "a change has two encodings");
    Verdict::Accepted
}

pub(super) fn keyring(bytes: &[u8]) -> Verdict {
    let secret = SealingSecret::from_seed(&Secret::from_bytes([0x12; 32]));
    let (space, node) = (SpaceId::from_bytes([1; 32]), NodeId::from_bytes([2; 32]));
    let opened = Keyring::open(&secret, &space, 1, &node, bytes).is_ok()
        || Keyring::open_handover(&secret, &space, 1, &node, bytes).is_ok();
    assert!(!opened, "a keyring opened for another space");
    Verdict::Refused
}

pub(super) fn receipt(bytes: &[u8]) -> Verdict {
    Verdict::when(canonical::<Receipt>(bytes).is_some())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn invitation(bytes: &[u8]) -> Verdict {
    let Ok(invitation) = Invitation::from_text(&text(bytes)) else { return Verdict::Refused };
    let again = Invitation::from_text(&invitation.to_text());
    let same = again.is_ok_and(|again| again.to_text() == invitation.to_text());
    assert!(same, "an invitation is not what it was");
    Verdict::Accepted
}

pub(super) fn machine(bytes: &[u8]) -> Verdict {
    let text = text(bytes);
    let request = NodeRequest::from_text(&text).is_ok();
    let admission = Admission::from_text(&text);
    if let Ok(admission) = &admission {
        let _ = admission.check(&OrganisationId::from_bytes([1; 32]), &NodeId::from_bytes([1; 32]));
    }
    Verdict::when(request || admission.is_ok())
}

pub(super) fn ids(bytes: &[u8]) -> Verdict {
    let text = text(bytes);
    let parsed = [
        text.parse::<OrganisationId>().map(|id| id.to_string()),
        text.parse::<NodeId>().map(|id| id.to_string()),
        text.parse::<SpaceId>().map(|id| id.to_string()),
        text.parse::<RecordId>().map(|id| id.to_string()),
    ];
    let mut accepted = false;
    for spelled in parsed.into_iter().flatten() {
        assert_eq!(spelled, text, "an identifier has two spellings");
        accepted = true;
    }
    Verdict::when(accepted)
}

pub(super) fn recovery_words(bytes: &[u8]) -> Verdict {
    Verdict::when(restore_entropy(&text(bytes)).is_ok())
}
