//! Token buckets: how often strangers may knock, each from its place and all together.

use crate::limits::{PLACES_PER_NETWORK, Rate};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// Places that are remembered; beyond it, those that have long been quiet are forgotten.
const PLACES_MAX: usize = 4_096;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        Self { tokens: f64::from(rate.burst), at: now }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        self.tokens = (self.tokens + gained).min(f64::from(rate.burst));
        self.at = now;
    }

    fn take(&mut self) -> bool {
        let is_there = self.tokens >= 1.0;
        if is_there {
            self.tokens -= 1.0;
        }
        is_there
    }
}

/// Limits each place, each network and all of them together. This machine is not a place: it has
/// the rate of all others together for itself, so that many nodes can live on one machine, and none
/// of its programs keeps out who comes from elsewhere.
#[derive(Debug)]
pub struct Limiter {
    each: Rate,
    all: Rate,
    places: HashMap<Place, Bucket>,
    total: Bucket,
    local: Bucket,
}

/// What is limited together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Site(IpAddr),
    Network(IpAddr),
}

impl Limiter {
    pub fn new(each: Rate, all: Rate, now: Instant) -> Self {
        let (total, local) = (Bucket::new(all, now), Bucket::new(all, now));
        Self { each, all, places: HashMap::new(), total, local }
    }

    /// Whether one more is within the limits; if so, it is counted.
    pub fn admit(&mut self, place: Option<IpAddr>, now: Instant) -> bool {
        if place.is_some_and(|place| place.is_loopback()) {
            self.local.fill(self.all, now);
            return self.local.take();
        }
        self.total.fill(self.all, now);
        let network = place.and_then(network_of).map(Place::Network);
        let limited = [network, place.map(Place::Site)];
        limited.into_iter().flatten().all(|place| self.admit_place(place, now)) && self.total.take()
    }

    fn admit_place(&mut self, place: Place, now: Instant) -> bool {
        let each = self.each;
        if self.places.len() >= PLACES_MAX && !self.places.contains_key(&place) {
            self.places.retain(|place, bucket| {
                let rate = rate_of(each, *place);
                bucket.fill(rate, now);
                bucket.tokens < f64::from(rate.burst)
            });
            if self.places.len() >= PLACES_MAX {
                return false;
            }
        }
        let rate = rate_of(each, place);
        let bucket = self.places.entry(place).or_insert_with(|| Bucket::new(rate, now));
        bucket.fill(rate, now);
        bucket.take()
    }
}

/// How fast a place may be, where `each` is the rate of one site.
fn rate_of(each: Rate, place: Place) -> Rate {
    match place {
        Place::Site(_) => each,
        Place::Network(_) => Rate {
            burst: each.burst.saturating_mul(PLACES_PER_NETWORK),
            per_second: each.per_second * f64::from(PLACES_PER_NETWORK),
        },
    }
}

/// The network of a place of IPv6 (/48): what one line has at most, within which it can be as many
/// sites as it likes.
pub fn network_of(place: IpAddr) -> Option<IpAddr> {
    match place {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            let [a, b, c, ..] = ip.segments();
            Some(IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
        }
        _ => None,
    }
}

/// The place of an address: its IP address; of IPv6 the network of one site (/64), within which a
/// single machine has as many addresses as it likes.
pub fn place_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) if ip.is_loopback() => Some(IpAddr::V6(ip)),
        Protocol::Ip6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Some(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const EACH: Rate = Rate { burst: 3, per_second: 1.0 };
    const ALL: Rate = Rate { burst: 5, per_second: 2.0 };

    fn ip(last: u8) -> Option<IpAddr> {
        format!("192.0.2.{last}").parse().ok()
    }

    #[test]
    fn each_place_and_all_together_are_limited_and_recover() {
        let start = Instant::now();
        let mut limiter = Limiter::new(EACH, ALL, start);
        let admitted = (0..10).filter(|_| limiter.admit(ip(1), start)).count();
        assert_eq!(admitted, 3);
        let admitted = (0..10).filter(|_| limiter.admit(ip(2), start)).count();
        assert_eq!(admitted, 2, "the rest of what all may have");
        let later = start + Duration::from_secs(2);
        let admitted = (0..10).filter(|_| limiter.admit(ip(1), later)).count();
        assert_eq!(admitted, 2);
    }

    #[test]
    fn who_is_refused_takes_nothing_from_others() {
        let start = Instant::now();
        let mut limiter = Limiter::new(EACH, ALL, start);
        for _ in 0..1_000 {
            limiter.admit(ip(1), start);
        }
        assert!(limiter.admit(ip(2), start));
    }

    #[test]
    fn this_machine_has_only_the_common_limit() {
        let start = Instant::now();
        let mut limiter = Limiter::new(EACH, ALL, start);
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        assert_eq!((0..10).filter(|_| limiter.admit(here, start)).count(), 5);
    }

    /// A program of this machine that knocks without end kept all partners out.
    #[test]
    fn threat_03_a_flood_of_this_machine_keeps_no_partner_out() {
        let start = Instant::now();
        let mut limiter = Limiter::new(EACH, ALL, start);
        let here = Some(IpAddr::from([127, 0, 0, 1]));
        for _ in 0..1_000 {
            limiter.admit(here, start);
        }
        assert!(limiter.admit(ip(1), start));
    }

    #[test]
    fn threat_03_a_flood_from_everywhere_is_remembered_only_so_far() {
        let start = Instant::now();
        let plenty = Rate { burst: 1_000_000, per_second: 1.0 };
        let mut limiter = Limiter::new(EACH, plenty, start);
        for number in 0..20_000_u32 {
            limiter.admit(Some(IpAddr::from((0x0a00_0000 + number).to_be_bytes())), start);
        }
        assert!(limiter.places.len() <= PLACES_MAX);
        let later = start + Duration::from_mins(1);
        assert!(limiter.admit(ip(9), later), "quiet places are forgotten");
    }

    #[test]
    fn one_site_is_one_place() {
        let place = |text: &str| place_of(&text.parse().unwrap());
        assert_eq!(place("/ip6/2001:db8::1/tcp/1"), place("/ip6/2001:db8::ffff:2/tcp/9"));
        assert_ne!(place("/ip6/2001:db8::1/tcp/1"), place("/ip6/2001:db8:0:1::1/tcp/1"));
        assert_eq!(place("/ip4/192.0.2.7/udp/1/quic-v1"), ip(7));
        assert_eq!(place("/dns/mulazzo.it/tcp/1"), None);
    }
}
