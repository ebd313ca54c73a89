//! How far this node calls: at which hosts a node of somebody else can be.
//!
//! Partners say where their nodes are, and this node calls there. They may not send it to itself,
//! to all machines of a network, or to what only the machines of one cable or one cloud have.
//! Private networks are those of offices. A node that listens on this machine alone, for a
//! demonstration or a test, and one that listens nowhere, as a restoration does, finds its partners
//! on this machine, too.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    this_machine: bool,
}

impl Reach {
    /// The reach of a node that listens there.
    pub fn of(listen: &[Multiaddr]) -> Self {
        let is_local = |one| host_of(one).is_some_and(|host| plain(host).is_loopback());
        Self { this_machine: listen.iter().all(is_local) }
    }

    /// Whether a node of another can be at a host.
    pub fn covers(self, host: IpAddr) -> bool {
        match plain(host) {
            host if host.is_loopback() => self.this_machine,
            IpAddr::V4(host) => is_of_one_machine(host),
            IpAddr::V6(host) => {
                !host.is_unspecified() && !host.is_multicast() && !host.is_unicast_link_local()
            }
        }
    }
}

const fn is_of_one_machine(host: Ipv4Addr) -> bool {
    let [first, ..] = host.octets();
    // All of 0.0.0.0/8 is "this network".
    first != 0 && !host.is_multicast() && !host.is_broadcast() && !host.is_link_local()
}

/// The host that is meant: an address of the old kind can be written as one of the new in two ways,
/// mapped, and for a translator between both kinds (`64:ff9b::/96`, RFC 6052).
fn plain(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V6(host) => translated(host).map_or_else(|| host.to_canonical(), IpAddr::V4),
        host @ IpAddr::V4(_) => host,
    }
}

const fn translated(host: Ipv6Addr) -> Option<Ipv4Addr> {
    match host.octets() {
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// The host of an address that does not name it.
pub fn host_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next() {
        Some(Protocol::Ip4(host)) => Some(IpAddr::V4(host)),
        Some(Protocol::Ip6(host)) => Some(IpAddr::V6(host)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(listen: &[&str], host: &str) -> bool {
        let listen: Vec<Multiaddr> = listen.iter().map(|one| one.parse().unwrap()).collect();
        Reach::of(&listen).covers(host.parse().unwrap())
    }

    /// What a partner names in an address, or what a name of its own leads to, may be any host.
    #[test]
    fn threat_31_hosts_at_which_no_node_of_another_can_be_are_out_of_reach() {
        for host in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.251",
            "255.255.255.255",
            "::",
            "ff02::1",
            "fe80::1",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
        ] {
            assert!(!covers(&["/ip4/0.0.0.0/tcp/0"], host), "{host}");
            assert!(!covers(&["/ip4/127.0.0.1/tcp/0"], host), "{host}");
        }
        for host in ["10.0.0.7", "172.16.0.1", "192.168.1.2", "192.0.2.1", "fd00::1", "2001:db8::1"]
        {
            assert!(covers(&["/ip4/0.0.0.0/tcp/0"], host), "{host}");
        }
    }

    /// A node that others reach over the network is called by its own partners: what else listens
    /// on its machine is not theirs to knock at. In a demonstration all nodes are on one machine.
    #[test]
    fn threat_31_only_a_node_of_this_machine_alone_calls_this_machine() {
        let local = ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/udp/0/quic-v1"];
        let both = ["/ip4/127.0.0.1/tcp/0", "/ip4/0.0.0.0/tcp/0"];
        for host in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert!(covers(&local, host), "{host}");
            assert!(covers(&[], host), "{host}");
            for listen in [&both[..], &["/ip4/0.0.0.0/tcp/0"], &["/ip6/::/tcp/0"]] {
                assert!(!covers(listen, host), "{listen:?}: {host}");
            }
        }
    }
}
