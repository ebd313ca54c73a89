//! Organisations that come late, by invitation, and partners that are removed for a while.

use super::{PeerIndex, World};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::joining::{Invited, InvitedStep, Inviting, InvitingStep, JoinMessage};
use sincronia_protocol::replica::{GrantOnArrival, Partner, ReplicaError, Trust};

/// How long an invitation is valid: a week.
const VALID_MS: u64 = 7 * 24 * 3_600_000;

impl World {
    /// A new organisation joins by an invitation of `host`, which promises it a space. Returns its
    /// node, also when the host's disk failed in between: then it is the partner of nobody.
    pub fn join(
        &mut self,
        host: PeerIndex,
        space: SpaceId,
        role: Role,
        history: History,
    ) -> PeerIndex {
        let guest = self.add();
        let joined = self.shake_hands(host, guest, GrantOnArrival { space, role, history });
        self.count_operation("join", joined.is_ok());
        self.note(&format!("{guest} joins by invitation of {host}: {joined:?}"));
        self.connect(host, guest);
        guest
    }

    fn shake_hands(
        &mut self,
        host: PeerIndex,
        guest: PeerIndex,
        grant: GrantOnArrival,
    ) -> Result<(), ReplicaError> {
        let (mut random, now) = (self.fork_random(), self.time_at(host));
        let (invitation, _) = self.act(host, |one| {
            one.replica.invite(Vec::new(), VALID_MS, None, vec![grant], now, &mut random)
        })?;
        let nodes = [host, guest].map(|peer| self.peers[peer].replica.node());
        let [hosts, guests] =
            [host, guest].map(|peer| self.peers[peer].acquaintance().introduction);
        let mut inviting = Inviting::new(nodes[0], nodes[1], hosts, &mut random);
        let (mut invited, mut message) =
            Invited::begin(invitation, nodes[1], nodes[0], guests, &mut random);
        let seed = self.seed;
        loop {
            let answer = self.answer_door(host, &mut inviting, message)?;
            match invited.handle(answer) {
                InvitedStep::Send(next) => message = next,
                InvitedStep::Joined(met) => {
                    return self.act(guest, |one| one.replica.befriend(&one.disk, &met, now));
                }
                other => panic!("seed {seed}: {guest} is not let in: {other:?}"),
            }
        }
    }

    fn answer_door(
        &mut self,
        host: PeerIndex,
        inviting: &mut Inviting,
        message: JoinMessage,
    ) -> Result<JoinMessage, ReplicaError> {
        let (mut random, now) = (self.fork_random(), self.time_at(host));
        let one = &self.peers[host];
        let step = inviting.handle(message, |id| one.replica.invitation_proof(&one.disk, id, now));
        match step {
            InvitingStep::Send(answer) => Ok(answer),
            InvitingStep::Refuse(refusal) => Ok(JoinMessage::Refused(refusal)),
            InvitingStep::Joined { invitation, acquaintance, welcome } => {
                self.act(host, |one| {
                    let (replica, disk) = (&mut one.replica, &one.disk);
                    replica.welcome(disk, &invitation, &acquaintance, now, &mut random)
                })?;
                Ok(welcome)
            }
        }
    }

    /// From now on `peer` gives nothing to the organisation of `other` and takes nothing from it.
    pub fn block(&mut self, peer: PeerIndex, other: PeerIndex) {
        self.decide(peer, other, Trust::Blocked);
    }

    /// Takes back that the organisation of `other` was removed.
    pub fn unblock(&mut self, peer: PeerIndex, other: PeerIndex) {
        self.decide(peer, other, Trust::Joined);
    }

    fn decide(&mut self, peer: PeerIndex, other: PeerIndex, trust: Trust) {
        let organisation = self.organisation(other);
        let known = self.peers[peer].replica.partner(&organisation).cloned();
        let Some(partner) = known.filter(|one| one.trust != trust) else { return };
        let partner = Partner { trust, ..partner };
        let decided = self.act(peer, |one| one.replica.put_partner(organisation, partner));
        self.count_operation("decide", decided.is_ok());
        self.note(&format!("{peer} decides {trust:?} of {other}: {decided:?}"));
        self.close_door(peer);
    }

    /// Everybody takes back whom it had removed.
    pub(super) fn make_peace(&mut self) {
        for peer in 0..self.len() {
            for other in 0..self.organisations.len() {
                let other = self.organisations[other].primary;
                let organisation = self.organisation(other);
                let partner = self.peers[peer].replica.partner(&organisation);
                if partner.is_some_and(|one| one.trust == Trust::Blocked) {
                    self.decide(peer, other, Trust::Joined);
                }
            }
        }
    }

    /// Whether the writer of a space and every node of its members may meet: what is sealed for a
    /// member comes from the owner alone.
    pub(super) fn may_meet(&self, owner: PeerIndex, space: &SpaceId) -> bool {
        let mut members = self.members(owner, space).into_iter();
        members.all(|member| self.are_partners(owner, member))
    }

    /// Whether the organisations of two nodes, as these know them, are partners of each other.
    pub(super) fn are_partners(&self, one: PeerIndex, other: PeerIndex) -> bool {
        let admits = |one: PeerIndex, other: PeerIndex| {
            self.peers[one].replica.is_partner(&self.organisation(other))
        };
        admits(one, other) && admits(other, one) && !self.are_lost_to_each_other(one, other)
    }

    /// Whether neither of two organisations without a line knows a machine of the other that could
    /// open a bundle: only an invitation by file helps, and nobody makes one here.
    pub(super) fn are_lost_to_each_other(&self, one: PeerIndex, other: PeerIndex) -> bool {
        let opens = |from: PeerIndex, to: PeerIndex| {
            let organisation = self.organisation(to);
            let Some(known) = self.peers[from].replica.identity(&organisation) else {
                return false;
            };
            (0..self.len()).any(|peer| {
                let is_its_own = self.organisation(peer) == organisation;
                is_its_own
                    && self.peers[peer].is_good()
                    && known.is_active(&self.peers[peer].replica.node())
            })
        };
        !self.has_line(one, other) && !opens(one, other) && !opens(other, one)
    }
}
