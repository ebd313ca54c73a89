//! The two texts with which a machine joins its organisation: its *request*, made on the new
//! machine, and the *admission*, made where the organisation has a node.
//!
//! Neither holds a secret. A request is signed by the new node; an admission is worth what the
//! identity log in it is worth, which the new machine checks against the organisation that its
//! operator named. Addresses are hints: whoever answers there must prove its node key.

use super::{Identity, IdentityEntry, IdentityError, NodeAdmission};
use crate::codec;
use crate::crypto::{NodeKey, SealingPublic};
use crate::ids::{IdError, NodeId, OrganisationId, decode_bytes, encode_text};
use crate::limits;
use minicbor::{Decode, Encode};

const VERSION: u8 = 1;
const REQUEST_PREFIX: &str = "macchina";
const ADMISSION_PREFIX: &str = "ammissione";

/// Why a request or an admission cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// The text was mistyped or is something else.
    #[error(transparent)]
    Text(#[from] IdError),
    /// It was made by a newer program, or by none.
    #[error("it was made by another version of this program; update both machines")]
    Version,
    /// It belongs to another organisation.
    #[error("it belongs to another organisation")]
    Organisation,
    /// The consent of the new node does not hold.
    #[error("the new node's signature does not hold")]
    Consent,
    /// The identity log does not hold.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The identity log does not certify the node.
    #[error("it does not admit this machine")]
    Node,
}

/// What a new machine asks: to speak for an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NodeRequest {
    #[n(0)]
    version: u8,
    /// The organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The node, its sealing key and its consent.
    #[n(2)]
    pub admission: NodeAdmission,
}

impl NodeRequest {
    /// How every text of one begins.
    pub const BEGINNING: &'static str = "macchina1";

    /// The request of the node that holds `key`.
    #[must_use]
    pub fn sign(organisation: OrganisationId, key: &NodeKey, sealing: SealingPublic) -> Self {
        let admission = NodeAdmission::sign(&organisation, key, sealing);
        Self { version: VERSION, organisation, admission }
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        encode_text(REQUEST_PREFIX, &codec::encode(self))
    }

    /// Parses a text; white space inside does not matter.
    ///
    /// # Errors
    /// [`MachineError`] says what is wrong with it; the consent is checked.
    pub fn from_text(text: &str) -> Result<Self, MachineError> {
        let bytes = decode_bytes(REQUEST_PREFIX, &compact(text))?;
        let request: Self = codec::decode_bounded(&bytes, limits::IDENTITY_ENTRY_BYTES_MAX)
            .map_err(|_| MachineError::Version)?;
        if request.version != VERSION {
            return Err(MachineError::Version);
        }
        let holds = request.admission.holds(&request.organisation);
        if holds { Ok(request) } else { Err(MachineError::Consent) }
    }
}

/// What a new machine is given: who its organisation is, and where its other nodes are.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Admission {
    #[n(0)]
    version: u8,
    /// The organisation's name.
    #[n(1)]
    pub name: String,
    /// Its identity log, whole.
    #[n(2)]
    pub identity: Vec<IdentityEntry>,
    /// Where its nodes can be reached.
    #[n(3)]
    pub addresses: Vec<(NodeId, Vec<String>)>,
}

impl Admission {
    /// How every text of one begins.
    pub const BEGINNING: &'static str = "ammissione1";

    /// The admission of whichever nodes the log certifies.
    #[must_use]
    pub const fn new(
        name: String,
        identity: Vec<IdentityEntry>,
        addresses: Vec<(NodeId, Vec<String>)>,
    ) -> Self {
        Self { version: VERSION, name, identity, addresses }
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        encode_text(ADMISSION_PREFIX, &codec::encode(self))
    }

    /// Parses a text; white space inside does not matter. Call [`Self::check`] before using it.
    ///
    /// # Errors
    /// [`MachineError::Text`], [`MachineError::Version`].
    pub fn from_text(text: &str) -> Result<Self, MachineError> {
        let bytes = decode_bytes(ADMISSION_PREFIX, &compact(text))?;
        let admission: Self = codec::decode_bounded(&bytes, limits::ADMISSION_BYTES_MAX)
            .map_err(|_| MachineError::Version)?;
        let is_address = |one: &String| one.len() <= limits::ADDRESS_BYTES_MAX;
        let sound = admission.name.len() <= limits::NAME_BYTES_MAX
            && crate::text::is_line(&admission.name)
            && admission.addresses.len() <= limits::IDENTITY_NODES_MAX
            && admission.addresses.iter().all(|(_, addresses)| {
                addresses.len() <= limits::ADDRESSES_MAX && addresses.iter().all(is_address)
            });
        if admission.version == VERSION && sound {
            Ok(admission)
        } else {
            Err(MachineError::Version)
        }
    }

    /// Checks the identity log, and that it is `organisation` that certifies `node`.
    ///
    /// # Errors
    /// [`MachineError::Identity`], [`MachineError::Organisation`], [`MachineError::Node`].
    pub fn check(
        &self,
        organisation: &OrganisationId,
        node: &NodeId,
    ) -> Result<Identity, MachineError> {
        let first = self.identity.first().ok_or(MachineError::Organisation)?;
        let identity = Identity::begin(first)?;
        if identity.organisation() != *organisation {
            return Err(MachineError::Organisation);
        }
        let identity = Identity::read(&self.identity)?;
        if identity.is_active(node) { Ok(identity) } else { Err(MachineError::Node) }
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(|one| !one.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{RootKey, SealingSecret, Secret};
    use crate::identity::IdentityOperation;

    fn key(byte: u8) -> NodeKey {
        NodeKey::from_seed(&Secret::from_bytes([byte; 32]))
    }

    fn town(byte: u8) -> (RootKey, Identity, Vec<IdentityEntry>) {
        let entropy = Secret::from_bytes([byte; 32]);
        let root = RootKey::derive(&entropy, 0);
        let genesis = Identity::found(&root, &RootKey::derive(&entropy, 1).public());
        (root, Identity::begin(&genesis).unwrap(), vec![genesis])
    }

    fn request(organisation: OrganisationId) -> NodeRequest {
        let sealing = SealingSecret::from_seed(&Secret::from_bytes([6; 32]));
        NodeRequest::sign(organisation, &key(5), sealing.public().clone())
    }

    #[test]
    fn a_request_survives_line_breaks_and_no_typing_error() {
        let (_, identity, _) = town(1);
        let request = request(identity.organisation());
        let text = request.to_text();
        let (first, second) = text.split_at(70);
        assert_eq!(NodeRequest::from_text(&format!("{first}\n {second}\n")), Ok(request.clone()));
        assert!(first.starts_with(NodeRequest::BEGINNING), "{first}");
        let wrong = text.replacen('q', "p", 1);
        assert!(matches!(NodeRequest::from_text(&wrong), Err(MachineError::Text(_))));
        let stolen = NodeRequest { organisation: town(2).1.organisation(), ..request };
        assert_eq!(NodeRequest::from_text(&stolen.to_text()), Err(MachineError::Consent));
    }

    #[test]
    fn an_admission_holds_for_its_organisation_and_node_alone() {
        let (root, identity, mut entries) = town(1);
        let operation =
            IdentityOperation::AddNode { admission: request(identity.organisation()).admission };
        entries.push(identity.draft(operation).sign(&root));
        let admission = Admission::new("Comune di Mulazzo".into(), entries, Vec::new());
        let read = Admission::from_text(&admission.to_text()).unwrap();
        assert!(admission.to_text().starts_with(Admission::BEGINNING));
        assert_eq!(read, admission);
        let (own, node) = (identity.organisation(), key(5).id());
        assert!(read.check(&own, &node).is_ok());
        let other = town(2).1.organisation();
        assert_eq!(read.check(&other, &node), Err(MachineError::Organisation));
        assert_eq!(read.check(&own, &key(7).id()), Err(MachineError::Node));
        let mut forged = read;
        forged.identity[1].signature = crate::crypto::Signature::from_bytes([0; 64]);
        assert!(matches!(forged.check(&own, &node), Err(MachineError::Identity(_))));
    }
}
