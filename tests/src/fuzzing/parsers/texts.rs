//! What people type or paste: identifiers, invitations, recovery words.

use super::{Form, Parser, vectors};
use sincronia_protocol::identity::{Admission, NodeRequest};
use sincronia_protocol::ids::{EntryHash, NodeId, OrganisationId, RecordId, SpaceId, encode_text};
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::recovery::restore_entropy;

/// Identifiers and addresses.
#[must_use]
pub fn names() -> Parser {
    let mut samples: Vec<_> = ["organisation", "node", "space", "record", "entry 32"]
        .into_iter()
        .flat_map(|part| vectors::read("ids.json", part))
        .filter(|sample| sample.is_ascii())
        .collect();
    samples.push(b"/ip4/192.0.2.1/tcp/4001".to_vec());
    samples.push(b"/dns4/nodo.example/udp/4001/quic-v1".to_vec());
    let words: &[&str] =
        &["ente1", "nodo1", "fascicolo1", "scheda1", "voce1", "q", "/ip6/", "à", "\u{0}", "1"];
    Parser::new("names", Form::Text(words), samples, |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        let mut is_taken = sincronia_node::network::is_address(text);
        macro_rules! identifier {
            ($name:ty) => {
                if let Ok(id) = text.parse::<$name>() {
                    is_taken = true;
                    let written = id.to_string();
                    assert_eq!(written.parse::<$name>(), Ok(id), "{text:?}");
                    assert_eq!(written, text.trim().to_lowercase(), "two spellings");
                }
            };
        }
        identifier!(OrganisationId);
        identifier!(NodeId);
        identifier!(SpaceId);
        identifier!(RecordId);
        identifier!(EntryHash);
        if let Ok(id) = text.parse::<RecordId>() {
            super::wire::kind_of(*id.as_bytes());
        }
        is_taken
    })
}

/// Invitations and the texts of new machines, also with a checksum that fits the damage.
#[must_use]
pub fn invitations() -> Parser {
    let mut samples = vectors::read("joining.json", "invitation");
    samples.retain(|sample| sample.is_ascii() && !sample.is_empty());
    samples.extend(vectors::read("machines.json", "request"));
    samples.extend(vectors::read("machines.json", "admission"));
    Parser::new("invitations", Form::Bytes, samples, |input| {
        let lent = String::from_utf8_lossy(input);
        let mut texts = vec![lent.into_owned()];
        // The reader beyond the checksum sees bytes only if these are wrapped afresh.
        texts.extend(["invito", "macchina", "ammissione"].map(|prefix| encode_text(prefix, input)));
        texts.iter().fold(false, |is_taken, text| is_taken | read_invitation(text))
    })
}

fn read_invitation(text: &str) -> bool {
    let mut is_taken = false;
    if let Ok(invitation) = Invitation::from_text(text) {
        is_taken = true;
        let again = Invitation::from_text(&invitation.to_text()).expect("it was written here");
        assert_eq!(again.to_text(), invitation.to_text(), "{text:?}");
        let _ = invitation.key();
    }
    if let Ok(request) = NodeRequest::from_text(text) {
        is_taken = true;
        assert_eq!(NodeRequest::from_text(&request.to_text()).ok().as_ref(), Some(&request));
    }
    if let Ok(admission) = Admission::from_text(text) {
        is_taken = true;
        assert_eq!(Admission::from_text(&admission.to_text()).ok().as_ref(), Some(&admission));
        let (organisation, node) =
            (OrganisationId::from_bytes([1; 32]), NodeId::from_bytes([2; 32]));
        let _ = admission.check(&organisation, &node);
    }
    is_taken
}

/// Recovery words.
#[must_use]
pub fn words() -> Parser {
    let mut samples = vectors::read("recovery.json", "italian");
    samples.extend(vectors::read("recovery.json", "english"));
    let words: &[&str] =
        &[" ", "\n", "\u{a0}", "abaco", "abandon", "ZUPPA", "è", "e\u{300}", "\u{0}"];
    Parser::new("words", Form::Text(words), samples, |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        restore_entropy(text).is_ok()
    })
}
