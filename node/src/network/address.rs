//! Addresses and peer ids: from text and node ids to what libp2p takes, and back.

use super::DialFailure;
use super::reach::{Reach, host_of};
use crate::foreign::escape;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::limits::{ADDRESS_BYTES_MAX, ADDRESSES_MAX};

/// Whether a text is an address on which a node can listen or be reached.
#[must_use]
pub fn is_address(text: &str) -> bool {
    parse(text).is_some_and(|address| without_peer(&address).iter().count() >= 2)
}

/// The peer id of a node: both are its public key.
pub fn peer_of(node: &NodeId) -> Option<PeerId> {
    let key = libp2p::identity::ed25519::PublicKey::try_from_bytes(node.as_bytes()).ok()?;
    Some(PeerId::from_public_key(&libp2p::identity::PublicKey::from(key)))
}

/// The node of a peer id; none when it was not made from an Ed25519 key.
pub fn node_of(peer: &PeerId) -> Option<NodeId> {
    // Ed25519 peer ids hold the key itself: identity multihash of 08 01 12 20 ‖ key.
    let bytes = peer.to_bytes();
    let key = bytes.strip_prefix(&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20])?;
    key.try_into().ok().map(NodeId::from_bytes)
}

/// The addresses on which a peer can be dialled; a bad one among good ones is passed over.
pub fn dialable(
    addresses: &[String],
    peer: &PeerId,
    reach: Reach,
) -> Result<Vec<Multiaddr>, DialFailure> {
    let mut good = Vec::new();
    let mut failure = DialFailure::NoAddress;
    for text in addresses.iter().take(ADDRESSES_MAX) {
        match parse(text) {
            Some(address) if names_other(&address, peer) => failure = DialFailure::WrongNode,
            Some(address) if is_callable(&without_peer(&address)) => {
                let address = without_peer(&address);
                if host_of(&address).is_some_and(|host| !reach.covers(host)) {
                    failure = DialFailure::OutOfReach(address.to_string());
                } else if !good.contains(&address) {
                    good.push(address);
                }
            }
            _ => failure = DialFailure::BadAddress(escape(text)),
        }
    }
    if good.is_empty() { Err(failure) } else { Ok(good) }
}

/// Whether this program can speak to what is at an address: one host, by number or by name, and one
/// transport. Whether a node of another can be at that host is asked of [`Reach`].
fn is_callable(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let host = match parts.next() {
        Some(Protocol::Ip4(_) | Protocol::Ip6(_)) => true,
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => {
            is_host_name(&name)
        }
        _ => false,
    };
    let transport = match (parts.next(), parts.next()) {
        (Some(Protocol::Tcp(port)), None) | (Some(Protocol::Udp(port)), Some(Protocol::QuicV1)) => {
            port != 0
        }
        _ => false,
    };
    host && transport && parts.next().is_none()
}

fn is_host_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

/// The port of an address.
pub fn port_of(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| match part {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(port),
        _ => None,
    })
}

/// An address with its port 0 replaced.
pub fn with_port(address: &Multiaddr, port: u16) -> Multiaddr {
    address
        .iter()
        .map(|part| match part {
            Protocol::Tcp(0) => Protocol::Tcp(port),
            Protocol::Udp(0) => Protocol::Udp(port),
            other => other,
        })
        .collect()
}

fn parse(text: &str) -> Option<Multiaddr> {
    if text.len() > ADDRESS_BYTES_MAX { None } else { text.parse().ok() }
}

fn without_peer(address: &Multiaddr) -> Multiaddr {
    address.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect()
}

fn names_other(address: &Multiaddr, peer: &PeerId) -> bool {
    address.iter().any(|part| matches!(part, Protocol::P2p(named) if named != *peer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sincronia_protocol::crypto::{NodeKey, Secret};

    fn node(byte: u8) -> NodeId {
        NodeKey::from_seed(&Secret::from_bytes([byte; 32])).id()
    }

    #[test]
    fn a_node_and_its_peer_id_are_one_key() {
        assert_eq!(node_of(&peer_of(&node(9)).unwrap()), Some(node(9)));
        assert_eq!(node_of(&PeerId::random()), node_of(&PeerId::random()));
    }

    #[test]
    fn one_bad_address_does_not_spoil_the_others() {
        let (peer, other) = (peer_of(&node(1)).unwrap(), peer_of(&node(2)).unwrap());
        let good = "/ip4/192.0.2.1/tcp/4001";
        let addresses = ["mulazzo.it".to_owned(), good.to_owned(), format!("{good}/p2p/{peer}")];
        let reach = Reach::of(&[]);
        let found = dialable(&addresses, &peer, reach).unwrap();
        assert_eq!(found, [good.parse().unwrap()]);
        let failure = dialable(&["mulazzo.it".into()], &peer, reach).unwrap_err();
        assert_eq!(failure, DialFailure::BadAddress("mulazzo.it".into()));
        let failure = dialable(&[format!("{good}/p2p/{other}")], &peer, reach).unwrap_err();
        assert_eq!(failure, DialFailure::WrongNode);
        assert_eq!(dialable(&[], &peer, reach).unwrap_err(), DialFailure::NoAddress);
    }

    #[test]
    fn what_is_no_address_is_not_taken_for_one() {
        for text in ["", "/", "mulazzo", "192.0.2.1:4001", "/ip4/192.0.2.1", "/ip4/300.1.1.1/tcp/1"]
        {
            assert!(!is_address(text), "{text}");
        }
        assert!(!is_address(&format!("/dns/{}/tcp/1", "x".repeat(300))));
        assert!(is_address("/dns/nodo.mulazzo.it/tcp/4001"));
        assert!(is_address("/ip6/::/udp/0/quic-v1"));
    }

    /// Addresses are what a partner says: this machine's own services, the one that tells a cloud
    /// machine its secrets, all machines of a network at once, or a list that a name server makes
    /// longer are nobody's node.
    #[test]
    fn threat_31_addresses_at_which_no_node_of_another_can_be_are_not_called() {
        let peer = peer_of(&node(1)).unwrap();
        let (far, near) = (Reach::of(&["/ip4/0.0.0.0/tcp/0".parse().unwrap()]), Reach::of(&[]));
        for text in [
            "/dnsaddr/mulazzo.it",
            "/dnsaddr/mulazzo.it/tcp/4001",
            "/dns/mulazzo.it/tcp/0",
            "/dns/mulazzo.it/udp/4001",
            "/dns4/mulazzo it/tcp/4001",
            "/dns4/a\u{1b}[2J\nb/tcp/4001",
            "/ip4/192.0.2.1/tcp/4001/ws",
            "/ip4/192.0.2.1/tcp/4001/p2p-circuit",
            "/ip4/192.0.2.1/udp/4001",
            "/unix/tmp",
            "/memory/1",
        ] {
            let failure = dialable(&[text.to_owned()], &peer, near);
            assert!(matches!(failure, Err(DialFailure::BadAddress(_))), "{text}: {failure:?}");
        }
        for text in ["/ip4/127.0.0.1/tcp/22", "/ip4/169.254.169.254/tcp/80", "/ip6/::/tcp/4001"] {
            let failure = dialable(&[text.to_owned()], &peer, far);
            assert_eq!(failure, Err(DialFailure::OutOfReach(text.into())));
        }
        for text in ["/ip4/10.0.0.7/tcp/1", "/ip6/fd00::1/udp/1/quic-v1", "/dns6/x-1.it/tcp/1"] {
            assert_eq!(dialable(&[text.to_owned()], &peer, far), Ok(vec![text.parse().unwrap()]));
        }
        let often = vec!["/ip4/192.0.2.1/tcp/4001".to_owned(); 16];
        assert_eq!(dialable(&often, &peer, far).unwrap().len(), 1, "one address is called once");
    }
}
