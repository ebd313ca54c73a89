//! Reaching partners' nodes: attempts with growing pauses, a little different for everyone.

use super::Core;
use crate::limits;
use crate::network::{DialFailure, Purpose};
use sincronia_protocol::ids::NodeId;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Why a partner's node that answers exchanges nothing.
pub(super) const REFUSED: &str = "nobody there accepted this organisation, or it is not wanted any \
                                  more; telephone";
/// The same, of one that knows the organisation and does not take its word for this node.
pub(super) const NOT_TAKEN: &str = "what certifies this machine is not taken there, as after a \
                                    change of the root key apart from it: what is written here \
                                    reaches nobody; work at another machine, or make this one \
                                    anew while they answer";

/// What is known about reaching one node.
#[derive(Clone, Debug)]
struct Attempt {
    due: Instant,
    failures: u32,
    under_way: bool,
    last_failure: Option<String>,
    hurried: Option<Instant>,
    refused: Option<&'static str>,
}

/// The nodes to reach.
#[derive(Debug)]
pub struct Dialing {
    attempts: HashMap<NodeId, Attempt>,
    /// Nodes to which a line stands and that have not greeted this one: failures before, and
    /// why they refused it, if they did.
    unheard: HashMap<NodeId, (u32, Option<&'static str>)>,
    pauses: (Duration, Duration),
}

impl Dialing {
    /// Nobody to reach yet; `pauses` are the first and the longest between attempts.
    pub fn new(pauses: (Duration, Duration)) -> Self {
        Self { attempts: HashMap::new(), unheard: HashMap::new(), pauses }
    }

    /// When the next attempt is due.
    pub fn next(&self, now: Instant) -> Option<Duration> {
        // An attempt under way ends with an event; should that ever be lost, it is given up.
        let due = |attempt: &Attempt| {
            if attempt.under_way { attempt.due + limits::DIAL_TIMEOUT } else { attempt.due }
        };
        self.attempts.values().map(|one| due(one).saturating_duration_since(now)).min()
    }

    /// A line to the node stands; whether it is heard there is not known yet.
    pub fn opened(&mut self, node: &NodeId) {
        if let Some(attempt) = self.attempts.remove(node) {
            self.unheard.insert(*node, (attempt.failures, attempt.refused));
        }
    }

    /// The node greeted this one: it is a partner's.
    pub fn greeted(&mut self, node: &NodeId) {
        self.unheard.remove(node);
    }

    /// The node answered that it does not take this one, and why.
    pub fn refuse(&mut self, node: &NodeId, why: &'static str) {
        if let Some(attempt) = self.attempts.get_mut(node) {
            attempt.refused = Some(why);
            attempt.last_failure = Some(why.into());
        }
    }

    /// Whether that is what was heard of it last.
    pub fn is_refused(&self, node: &NodeId) -> bool {
        let unheard = self.unheard.get(node).is_some_and(|(_, refused)| refused.is_some());
        unheard || self.attempts.get(node).is_some_and(|attempt| attempt.refused.is_some())
    }

    /// Nobody was there who could have refused.
    fn reached_nobody(&mut self, node: &NodeId) {
        if let Some(attempt) = self.attempts.get_mut(node) {
            attempt.refused = None;
        }
    }

    /// The node was not reached, or its session ended.
    pub fn failed(&mut self, node: NodeId, failure: String) {
        let unheard = self.unheard.remove(&node).unwrap_or_default();
        let before = self.attempts.get(&node);
        let before = before.map_or(unheard, |attempt| (attempt.failures, attempt.refused));
        let (failures, refused) = before;
        let exponent = failures.min(16);
        let (first, longest) = self.pauses;
        let pause =
            first.saturating_mul(1 << exponent).min(longest).mul_f64(0.75 + spread(&node) / 2.0);
        let attempt = Attempt {
            due: Instant::now() + pause,
            failures: failures.saturating_add(1),
            under_way: false,
            last_failure: Some(refused.map_or(failure, Into::into)),
            hurried: self.attempts.get(&node).and_then(|attempt| attempt.hurried),
            refused,
        };
        self.attempts.insert(node, attempt);
    }

    /// The node may answer now: it is called at once, unless it was just called so.
    pub fn hurry(&mut self, node: &NodeId, now: Instant) {
        let Some(attempt) = self.attempts.get_mut(node) else { return };
        if attempt.hurried.is_none_or(|at| now.duration_since(at) >= limits::HURRY_INTERVAL) {
            attempt.due = now;
            attempt.hurried = Some(now);
        }
    }

    /// Why the last attempt failed.
    pub fn last_failure(&self, node: &NodeId) -> Option<String> {
        self.attempts.get(node)?.last_failure.clone()
    }
}

/// A number from 0 to 1 that differs between nodes, so that they do not all call at once.
fn spread(node: &NodeId) -> f64 {
    node.as_bytes().first().map_or(0.5, |byte| f64::from(*byte) / 255.0)
}

impl Core {
    /// Tells the network whom it may let in, and begins to reach those not connected.
    pub(super) fn admit_partners(&mut self) {
        if self.replica.is_revoked() {
            self.dialing.attempts.clear();
            return self.fall_silent();
        }
        let nodes: HashSet<NodeId> = self.replica.admitted_nodes().map(|(node, _)| node).collect();
        let sought: HashSet<NodeId> =
            nodes.iter().copied().chain(self.replica.unproved_nodes()).collect();
        self.dialing.attempts.retain(|node, _| sought.contains(node));
        self.dialing.unheard.retain(|node, _| sought.contains(node));
        for node in &sought {
            if !self.by_node.contains_key(node) {
                let attempt = Attempt {
                    due: Instant::now(),
                    failures: 0,
                    under_way: false,
                    last_failure: None,
                    hurried: None,
                    refused: None,
                };
                self.dialing.attempts.entry(*node).or_insert(attempt);
            }
        }
        // Those revoked may come to be told so.
        self.network.admit(nodes.into_iter().chain(self.replica.revoked_nodes()).collect());
        self.dial_due(Instant::now());
    }

    /// Tries everyone not connected now, whatever the pause.
    pub(super) fn dial_all(&mut self) {
        for attempt in self.dialing.attempts.values_mut() {
            attempt.due = Instant::now();
            attempt.failures = 0;
        }
        self.dial_due(Instant::now());
    }

    pub(super) fn dial_due(&mut self, now: Instant) {
        if !self.online || self.room.is_short() {
            return;
        }
        let due: Vec<NodeId> = self
            .dialing
            .attempts
            .iter()
            .filter(|(_, attempt)| {
                let due = attempt.due;
                due <= now && (!attempt.under_way || due + limits::DIAL_TIMEOUT <= now)
            })
            .map(|(node, _)| *node)
            .collect();
        for node in due {
            let addresses = self.addresses_of(&node);
            if let Some(attempt) = self.dialing.attempts.get_mut(&node) {
                attempt.under_way = true;
                attempt.due = now;
            }
            if self.is_unproved(&node) {
                self.joinings.wish_to_return(node);
                self.network.open(node, addresses, Purpose::Join);
            } else {
                self.network.open(node, addresses, Purpose::Sync);
            }
        }
    }

    /// Whether a node is of a partner whose identity log is lost: this one presents itself to it,
    /// and it does the same when it calls back.
    pub(super) fn is_unproved(&self, node: &NodeId) -> bool {
        self.replica.unproved_nodes().any(|one| one == *node)
    }

    /// Whether a session with the node is wanted: not with one that was revoked or whose
    /// organisation is no partner any more.
    pub(super) fn is_sought(&self, node: &NodeId) -> bool {
        let organisation = self.replica.organisation_of(node);
        organisation
            .filter(|one| self.replica.is_partner(one) && !self.replica.is_revoked())
            .is_some_and(|one| {
                self.replica.identity(&one).is_some_and(|identity| identity.is_active(node))
            })
    }

    /// Presents this node to one that ended a session without a greeting: it may not know yet that
    /// this node was certified.
    pub(super) fn present_to(&mut self, node: NodeId) {
        if self.online && self.is_sought(&node) {
            let addresses = self.addresses_of(&node);
            self.joinings.wish_to_return(node);
            self.network.open(node, addresses, Purpose::Join);
        }
    }

    fn addresses_of(&self, node: &NodeId) -> Vec<String> {
        if let Some(sibling) = self.replica.siblings().get(node) {
            return sibling.addresses.clone();
        }
        let organisation = self.replica.organisation_of(node);
        // Of a partner whose identity log is lost nobody is known to hold the node.
        let partners = self.replica.partners();
        let partners = partners.filter(|(one, _)| organisation.is_none_or(|of| of == **one));
        let mut places = partners.flat_map(|(_, partner)| &partner.addresses);
        let found = places.find(|(known, _)| known == node);
        found.map(|(_, addresses)| addresses.clone()).unwrap_or_default()
    }

    pub(super) fn handle_dial_failure(
        &mut self,
        node: NodeId,
        purpose: Purpose,
        failure: &DialFailure,
    ) {
        match purpose {
            Purpose::Join => {
                self.joinings.fail(&node, failure);
                self.leave_to_its_pauses(node, failure.to_string());
            }
            Purpose::Sync if !self.by_node.contains_key(&node) && self.is_sought(&node) => {
                self.dialing.reached_nobody(&node);
                self.dialing.failed(node, failure.to_string());
            }
            Purpose::Sync => {}
        }
    }

    /// After this node presented itself, or could not: a partner whose identity log is lost is
    /// tried again, until it has presented itself.
    pub(super) fn leave_to_its_pauses(&mut self, node: NodeId, outcome: String) {
        if self.is_unproved(&node) {
            self.dialing.failed(node, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A partner that does not want this organisation any more takes the call and ends it. It was
    /// called again every second, for ever.
    #[test]
    fn who_takes_calls_and_ends_them_is_called_less_and_less() {
        let node = NodeId::from_bytes([128; 32]);
        let pauses = (Duration::from_secs(1), Duration::from_mins(5));
        let mut dialing = Dialing::new(pauses);
        for _ in 0..20 {
            dialing.failed(node, "the line was closed".into());
            dialing.opened(&node);
        }
        dialing.failed(node, "the line was closed".into());
        let pause = dialing.next(Instant::now()).unwrap();
        assert!(pause > Duration::from_mins(2), "{pause:?}");
    }
}
