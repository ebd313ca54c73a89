//! Organisations without a line: what others send over links, they carry in bundles, which are
//! lost, come late, in another order, and more than once.

use super::{PeerIndex, World};
use sincronia_protocol::bundle::{BundleError, ExportRequest, Outcome, export, import};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::limits;
use std::collections::BTreeSet;

/// Parts are small, so that a bundle has several.
const PART_BYTES: usize = 16 * 1024;

/// Who has no line, and what is on its way.
#[derive(Default)]
pub(super) struct Post {
    /// Organisations without a line, by number.
    islands: BTreeSet<usize>,
    /// Files on their way: for which organisation, and the file.
    under_way: Vec<(OrganisationId, Vec<u8>)>,
}

impl World {
    /// From now on the nodes of an organisation have no line with those of others.
    pub fn take_line_away(&mut self, house: usize) {
        self.note(&format!("organisation {house} has no line"));
        self.post.islands.insert(house);
        for one in 0..self.len() {
            for other in one + 1..self.len() {
                if !self.has_line(one, other) {
                    self.cut(one, other);
                }
            }
        }
    }

    /// Whether the two have a line.
    pub(super) fn has_line(&self, one: PeerIndex, other: PeerIndex) -> bool {
        let [one, other] = [one, other].map(|peer| self.peers[peer].house);
        let is_island = |house| self.post.islands.contains(house);
        one == other || ![one, other].iter().any(is_island)
    }

    /// Whether a node has a line with other organisations.
    pub(super) fn is_on_line(&self, peer: PeerIndex) -> bool {
        !self.post.islands.contains(&self.peers[peer].house)
    }

    /// Makes a bundle for another organisation and gives it to the post.
    pub fn export(&mut self, peer: PeerIndex, recipient: OrganisationId) -> bool {
        let request = ExportRequest {
            recipient,
            name: String::new(),
            all: self.below(8) == 0,
            part_bytes: PART_BYTES,
            content_bytes: limits::BUNDLE_CONTENT_BYTES_MAX,
        };
        let (mut random, now) = (self.fork_random(), self.time_at(peer));
        let made =
            self.carry(peer, |one| export(&request, &mut one.replica, &one.disk, now, &mut random));
        let parts = made.map(|made| made.parts);
        self.count_operation("export", parts.is_some());
        let is_made = parts.is_some();
        for part in parts.into_iter().flatten() {
            self.note(&format!("{peer} hands over {}", super::Trace::name(&part)));
            self.post.under_way.push((recipient, part));
        }
        is_made
    }

    /// A file arrives at a node of its organisation; whether that node has read it, and does not
    /// only keep it as a part of a bundle that may be for another one.
    fn import(&mut self, peer: PeerIndex, file: &[u8]) -> bool {
        let (mut random, now) = (self.fork_random(), self.time_at(peer));
        let taken =
            self.carry(peer, |one| import(file, &mut one.replica, &one.disk, now, &mut random));
        self.count_operation("import", taken.is_some());
        self.note(&format!("{peer} takes {}: {taken:?}", super::Trace::name(file)));
        taken.is_some_and(|outcomes| {
            outcomes.iter().any(|one| !matches!(one, Outcome::Waiting { .. }))
        })
    }

    /// A command whose errors are those of bundles.
    fn carry<T>(
        &mut self,
        peer: PeerIndex,
        step: impl FnOnce(&mut super::Peer) -> Result<T, BundleError>,
    ) -> Option<T> {
        self.conclude(peer).ok()?;
        let outcome = step(&mut self.peers[peer]);
        if let Err(error) = &outcome {
            self.note(&format!("{peer} and a bundle: {error}"));
            self.peers[peer].forget();
        }
        let outcome = outcome.ok()?;
        self.conclude(peer).ok()?;
        Some(outcome)
    }

    /// Somebody makes a bundle, or the post does what it does.
    pub(super) fn use_post(&mut self) {
        let peer = self.below(self.len());
        if self.post.under_way.is_empty() || self.below(3) == 0 {
            let other = self.below(self.len());
            if !self.has_line(peer, other) {
                self.export(peer, self.organisation(other));
            }
            return;
        }
        let one = self.below(self.post.under_way.len());
        if self.below(6) == 0 {
            self.count_fault("lost bundle");
            self.post.under_way.swap_remove(one);
            return;
        }
        let (recipient, file) = self.post.under_way[one].clone();
        if self.below(4) == 0 {
            self.count_fault("bundle to be repeated");
        } else {
            self.post.under_way.swap_remove(one);
        }
        if let Some(reader) = self.reader(&recipient) {
            self.import(reader, &file);
        }
    }

    /// A node of an organisation that reads bundles.
    fn reader(&mut self, organisation: &OrganisationId) -> Option<PeerIndex> {
        let is_fit = |peer: &PeerIndex| {
            self.organisation(*peer) == *organisation && self.peers[*peer].is_good()
        };
        let fit: Vec<_> = (0..self.len()).filter(is_fit).collect();
        let one = self.below(fit.len());
        fit.get(one).copied()
    }

    /// Everything under way arrives, and then everybody without a line exchanges bundles with
    /// every partner.
    pub(super) fn exchange_bundles(&mut self) {
        self.deliver_all();
        let primaries: Vec<_> = self.organisations.iter().map(|one| one.primary).collect();
        for one in &primaries {
            for other in &primaries {
                let recipient = self.organisation(*other);
                let is_partner = self.peers[*one].replica.is_partner(&recipient);
                if !self.has_line(*one, *other) && is_partner {
                    self.export(*one, recipient);
                }
            }
        }
        self.deliver_all();
    }

    /// At the primary, or where people find that the file opens: a sender that has not heard of
    /// the primary sealed it to other machines, and those tell the primary.
    fn deliver_all(&mut self) {
        for (recipient, file) in std::mem::take(&mut self.post.under_way) {
            let mut houses = self.organisations.iter();
            let house = houses.find(|house| house.identity.organisation() == recipient);
            let Some(primary) = house.map(|house| house.primary) else { continue };
            let is_machine =
                |peer: &PeerIndex| *peer != primary && self.organisation(*peer) == recipient;
            let others =
                (0..self.len()).filter(is_machine).filter(|one| self.peers[*one].is_good());
            let readers: Vec<_> = std::iter::once(primary).chain(others).collect();
            let _ = readers.into_iter().any(|reader| self.import(reader, &file));
        }
    }

    /// Whether some organisation has no line.
    pub(super) fn has_islands(&self) -> bool {
        !self.post.islands.is_empty()
    }
}
