//! Whether a port is free.
//!
//! libp2p lets every TCP listener share its port with other processes of the same user, so that
//! calls can leave from it. Two nodes on one port would each get half of the calls that are meant
//! for the other, and neither would know. So the port is taken alone for a moment first.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

/// The error of the system when somebody listens on the TCP port of `address` already. Everything
/// else that may be wrong with an address shows when it is listened on.
pub fn check_free(address: &Multiaddr) -> Result<(), Error> {
    let Some(socket) = socket_of(address) else { return Ok(()) };
    match TcpListener::bind(socket) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(error),
        _ => Ok(()),
    }
}

fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(host) => IpAddr::V4(host),
        // Bound alone, `::` would claim the port of IPv4 too, on which this node may listen.
        Protocol::Ip6(host) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        Protocol::Ip6(host) => IpAddr::V6(host),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) if port != 0 => Some(SocketAddr::new(host, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_left_to_the_system_or_is_not_of_tcp_is_not_tried() {
        for text in ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/4001/quic-v1", "/dns/a.it/tcp/1"] {
            assert_eq!(socket_of(&text.parse().unwrap()), None, "{text}");
        }
        let every = socket_of(&"/ip6/::/tcp/4001".parse().unwrap());
        assert_eq!(every, "[::1]:4001".parse().ok());
    }

    #[test]
    fn a_port_is_free_again_when_nobody_listens() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        assert_eq!(check_free(&address).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(taken);
        check_free(&address).unwrap();
    }
}
