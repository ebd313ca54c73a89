//! The end of a run: everything is mended, everybody meets, and then they must agree.

use super::peer::Repute;
use super::{PeerIndex, World};
use sincronia_protocol::access::Role;
use sincronia_protocol::ids::{EntryHash, SpaceId};
use sincronia_protocol::replica::SpaceHeads;
use sincronia_protocol::storage::{Storage, Table};
use sincronia_protocol::sync::SyncPhase;
use std::collections::BTreeSet;

/// How often everybody meets again until nothing changes.
const ROUNDS_MAX: usize = 12;
/// Longer than an unresolved difference is left alone.
const ROUND_MS: u64 = 61_000;

impl World {
    /// Mends everything and runs until nothing changes any more.
    ///
    /// # Panics
    /// When it never does.
    pub fn rest(&mut self) {
        self.mend();
        let mut last = String::new();
        self.replace_copied_primaries();
        for round in 0..ROUNDS_MAX {
            if !self.bears_grudges {
                self.make_peace();
            }
            self.run_until_quiet();
            self.heal();
            self.run_for(ROUND_MS);
            self.exchange_bundles();
            self.run_until_quiet();
            if round == 1 {
                self.revoke_copied();
                last.clear();
                continue;
            }
            let picture = self.picture();
            if picture == last {
                self.note(&format!("rest: {picture}"));
                return;
            }
            last = picture;
        }
        panic!("seed {}: {ROUNDS_MAX} meetings were not enough", self.seed);
    }

    /// Digests of every space at every node, and who is connected.
    fn picture(&self) -> String {
        let digests = |peer: PeerIndex| {
            let summaries = self.peers[peer].replica.summaries();
            summaries.map(|(space, summary)| (*space, summary.digest)).collect::<Vec<_>>()
        };
        let digests: Vec<_> = (0..self.len()).map(digests).collect();
        super::Trace::name(format!("{digests:?} {:?}", self.links.keys()).as_bytes())
    }

    /// The number of an organisation, or its id.
    fn name(&self, organisation: &sincronia_protocol::ids::OrganisationId) -> String {
        let houses = &self.organisations;
        let found = houses.iter().position(|one| one.identity.organisation() == *organisation);
        found.map_or_else(|| organisation.to_string(), |house| house.to_string())
    }

    /// Where the spaces stand at every node, for whoever reads about a failure.
    pub(super) fn describe_spaces(&self) -> String {
        let mut lines = Vec::new();
        for (peer, one) in self.peers.iter().enumerate() {
            for (space, summary) in one.replica.summaries() {
                let role = summary.role(&one.replica.organisation());
                let (length, members) = (summary.access.length, summary.members.len());
                let digest = super::Trace::name(&summary.digest);
                let owner = self.name(&summary.owner);
                let is_writer = one.replica.primary() == Some(one.replica.node());
                lines.push(format!(
                    "{peer} of {} {:?}{}: {space} of {owner} access {length} members {members} \
                     {role:?} {digest}",
                    one.house,
                    one.repute,
                    if is_writer { " primary" } else { "" }
                ));
            }
            lines.push(format!("{peer}: last refused {:?}", one.refused.last()));
        }
        lines.join("\n")
    }

    /// A key or keyring that somebody lacks, and who has it.
    fn holders_of(&self, space: &SpaceId, name: &[u8; 32]) -> (EntryHash, Vec<PeerIndex>) {
        let place = [space.as_bytes().as_slice(), name].concat();
        let holds = |peer: &PeerIndex| {
            let found = |table| self.peers[*peer].disk.read(table, &place);
            let any = [Table::Keys, Table::Sealed].map(|table| found(table).expect("a disk"));
            any.iter().any(Option::is_some)
        };
        (EntryHash::from_bytes(*name), (0..self.len()).filter(holds).collect())
    }

    /// Where the logs of a space stand at a node, what it lacks, and who has that.
    pub(super) fn describe_heads(&mut self, peer: PeerIndex, space: &SpaceId) -> String {
        let one = &mut self.peers[peer];
        let organisation = one.replica.organisation();
        let heads = one.replica.heads_for(&one.disk, &organisation, space);
        let Ok(Some(heads)) = heads else { return format!("{peer}: {heads:?}") };
        let entries = one.replica.access_entries(&one.disk, space, 0, u64::MAX, usize::MAX);
        let node = one.replica.node();
        let lacking: Vec<_> = heads.lacking.iter().map(|one| self.holders_of(space, one)).collect();
        let SpaceHeads { access, authors, forks, ends, .. } = heads;
        let mut lines = vec![format!("{peer}, node {node}")];
        lines.push(format!("access {access:?} forks {forks:?} ends {ends:?} lacks {lacking:?}"));
        for entry in entries.expect("a sound disk") {
            let statement = &entry.statement;
            let operation = format!("{:?}", statement.operation);
            let made = statement.operation.rotation().map(|one| one.commitment);
            lines.push(format!(
                "{} by {}: {made:?} {operation:.120}",
                statement.sequence, statement.author
            ));
        }
        lines.extend(authors.iter().map(|one| format!("author {one:?}")));
        lines.extend(heads.receipts.iter().map(|one| format!("receipt {one:?}")));
        lines.join("\n")
    }

    /// What must hold after rest.
    ///
    /// # Panics
    /// When it does not, with the seed.
    pub fn check_rest(&mut self, spaces: &[SpaceId]) {
        for peer in (0..self.len())
            .filter(|peer| self.peers[*peer].repute != Repute::Rogue)
            .collect::<Vec<_>>()
        {
            self.check_promises_at(peer);
            self.check_store(peer);
            self.check_successions(peer);
        }
        let mut excused = BTreeSet::new();
        for space in spaces {
            match self.check_space(space) {
                Some(lacking) => excused.extend(lacking.into_iter().map(|peer| (*space, peer))),
                None => excused.extend((0..self.len()).map(|peer| (*space, peer))),
            }
        }
        self.check_sessions(&excused);
    }

    /// Every two honest nodes that are connected know that they agree, unless they share a space
    /// in which one of them is excused.
    fn check_sessions(&mut self, excused: &BTreeSet<(SpaceId, PeerIndex)>) {
        let Some((one, other, phase)) = self.unsettled_session(excused) else { return };
        let (seed, mut told) = (self.seed, self.describe_spaces());
        let known = [one, other].map(|peer| self.peers[peer].replica.summaries());
        let spaces: BTreeSet<_> = known.into_iter().flatten().map(|(space, _)| *space).collect();
        for space in spaces {
            for peer in [one, other] {
                told = format!("{told}\n{space}\n{}", self.describe_heads(peer, &space));
            }
        }
        panic!("seed {seed}: {one} with {other} {phase:?}\n{told}");
    }

    /// The first session of honest nodes that is not in sync, unless its nodes are excused.
    fn unsettled_session(
        &self,
        excused: &BTreeSet<(SpaceId, PeerIndex)>,
    ) -> Option<(PeerIndex, PeerIndex, SyncPhase)> {
        let is_honest = |peer: PeerIndex| self.peers[peer].is_good();
        let is_excused = |one: PeerIndex, other: PeerIndex| {
            let knows = |peer: PeerIndex, space| self.peers[peer].replica.summary(space).is_some();
            let concerns = |space| knows(one, space) || knows(other, space);
            excused.iter().any(|(space, peer)| (*peer == one || *peer == other) && concerns(space))
        };
        let honest = self.peers.iter().enumerate().filter(|(peer, _)| is_honest(*peer));
        let sessions = honest.flat_map(|(peer, one)| {
            one.sessions.values().map(move |(other, session)| (peer, *other, session))
        });
        sessions
            .filter(|(peer, other, _)| is_honest(*other) && !is_excused(*peer, *other))
            .map(|(peer, other, session)| (peer, other, session.status().phase))
            .find(|(.., phase)| *phase != SyncPhase::InSync)
    }

    fn check_store(&mut self, peer: PeerIndex) {
        let seed = self.seed;
        let one = &mut self.peers[peer];
        let findings = one.replica.verify(&one.disk, true).expect("a readable disk");
        assert!(findings.problems.is_empty(), "seed {seed}: {peer}: {:#?}", findings.problems);
        let is_copied = one.replica.is_cloned() && one.is_good();
        assert!(!is_copied, "seed {seed}: {peer} believes in a clone of itself");
        let spaces: Vec<_> = one.replica.summaries().map(|(space, _)| *space).collect();
        for space in spaces {
            self.check_holding(peer, &space);
        }
    }

    /// Whether a node has a space that could tell its owner's primary of it, unless that one broke
    /// the rules: nobody expects anything of it.
    fn might_be_found(&self, space: &SpaceId) -> bool {
        (0..self.len()).filter(|peer| self.peers[*peer].is_good()).any(|peer| {
            let summary = self.peers[peer].replica.summary(space);
            let owner = summary.and_then(|one| {
                one.role(&self.organisation(peer))?;
                let mut houses = self.organisations.iter();
                let house = houses.find(|house| house.identity.organisation() == one.owner)?;
                (self.peers[house.primary].repute != Repute::Rogue).then_some(house)
            });
            // Nothing is expected of a primary that breaks the rules, also not that it goes on
            // writing; and its organisation knows of no reason to replace it.
            let is_rogue = |primary: PeerIndex| self.peers[primary].repute == Repute::Rogue;
            owner.filter(|house| !is_rogue(house.primary)).is_some_and(|house| {
                house.primary == peer || self.admit_each_other(house.primary, peer)
            })
        })
    }

    /// The members that lack what is lost; nothing when the owner cannot reach everybody, and
    /// nothing is expected of the members.
    fn check_space(&mut self, space: &SpaceId) -> Option<Vec<PeerIndex>> {
        let seed = self.seed;
        let Some(owner) = self.writer_of(space) else {
            if !self.might_be_found(space) {
                return None;
            }
            panic!("seed {seed}: {space} is lost\n{}", self.describe_spaces())
        };
        if !self.may_meet(owner, space) {
            return None;
        }
        let members: Vec<_> = self.members(owner, space).into_iter().collect();
        let heads: Vec<_> = members.iter().map(|one| self.heads_at(*one, space)).collect();
        let mut excused = Vec::new();
        for (member, heads) in members.iter().zip(&heads) {
            if self.lacks_only_what_is_lost(*member, heads) {
                excused.push(*member);
            } else {
                self.check_key_is_there(*member, space);
            }
        }
        let expected = self.heads_at(owner, space);
        for (member, found) in members.into_iter().zip(heads) {
            let is_excused = excused.contains(&member) || excused.contains(&owner);
            let digest = |peer: PeerIndex| {
                self.peers[peer].replica.summary(space).map(|summary| summary.digest)
            };
            let is_equal = digest(owner) == digest(member);
            let is_excused = is_excused && is_same(&expected, &found);
            if !(is_equal || is_excused) {
                let (spaces, left) = (self.describe_spaces(), self.describe_heads(owner, space));
                let right = self.describe_heads(member, space);
                panic!("seed {seed}: {owner}, {member}, {space}\n{spaces}\n{left}\n{right}");
            }
        }
        for member in self.members(owner, space) {
            self.check_access_of(member, space);
            self.check_promises_of(member, space);
            // An owner that lacks keys cannot tell of which record an entry is.
            if !excused.contains(&owner) {
                self.check_erased(owner, member, space);
            }
        }
        if !excused.contains(&owner) {
            self.check_revoked(owner, space);
        }
        excused.extend(self.misled(owner, space));
        for peer in 0..self.len() {
            let shown = format!("{:?}", self.peers[peer].shows(space));
            self.note(&format!("{peer} shows {}", super::Trace::name(shown.as_bytes())));
        }
        if let Err(difference) = self.check_agreement(owner, space) {
            let (one, other) = difference.between;
            let (left, right) = &difference.shows;
            panic!("seed {seed}: {one} and {other} differ in {space}:\n{left}\n{right}");
        }
        Some(excused)
    }

    /// Nodes that believe in a membership which does not hold, and meet nobody who could tell them.
    fn misled(&self, owner: PeerIndex, space: &SpaceId) -> Vec<PeerIndex> {
        let members = self.members(owner, space);
        let meets_a_member =
            |peer: PeerIndex| members.iter().any(|member| self.admit_each_other(peer, *member));
        let believes = |peer: &PeerIndex| self.peers[*peer].replica.own_role(space).is_some();
        let others = (0..self.len()).filter(|peer| !members.contains(peer));
        others.filter(|peer| believes(peer) && !meets_a_member(*peer)).collect()
    }

    /// A member that reads, and is not cut, has the key it needs to go on.
    fn check_key_is_there(&mut self, member: PeerIndex, space: &SpaceId) {
        let seed = self.seed;
        let node = self.peers[member].replica.node();
        let one = &mut self.peers[member];
        let Ok(view) = one.replica.space_view(&one.disk, space) else { return };
        let role = view.summary.role(&one.replica.organisation());
        let has_key = view.has_key;
        let organisation = one.replica.organisation();
        let holding = self.ledger(space).at(&view.summary.access.head).expect("a known entry");
        let is_due = role.is_some_and(Role::reads)
            && holding.keys.last().is_some_and(|key| {
                self.ledger(space).gives(&organisation, &node, key) && !holding.is_cut(&node)
            });
        assert!(has_key || !is_due, "seed {seed}: {member} lacks the key of {space}");
    }
}

/// Whether two nodes have the same of a space but for keys.
fn is_same(one: &SpaceHeads, other: &SpaceHeads) -> bool {
    let [mut one, mut other] = [one, other].map(Clone::clone);
    for heads in [&mut one, &mut other] {
        heads.ends.sort_unstable();
        heads.lacking.clear();
    }
    one == other
}
