//! Those whose network is closed: their nodes run like all others, but never listen or dial, and
//! take part by files that somebody carries.

use super::DemoError;
use super::data::Organisation;
use super::network::{Network, Node};
use super::patience::Found;
use super::report::{Report, Verdict};
use crate::api::Client;
use sincronia_node::api::{ErrorCode, ExportBundleRequest, InviteRequest, JoinByBundleRequest};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// How often two hand over to each other at most before others have their turn.
const TURNS_MAX: usize = 4;

impl Network<'_> {
    /// Whether there is no line between two nodes.
    pub(super) fn has_no_line(&self, one: &str, other: &str) -> bool {
        let closed = |key: &str| self.data.organisation(key).is_some_and(Organisation::is_closed);
        closed(one) || closed(other)
    }

    /// Asks until the answer is there; meanwhile what is to be carried is carried.
    pub(super) fn until<T>(
        &self,
        what: &str,
        mut question: impl FnMut() -> Result<Found<T>, DemoError>,
    ) -> Result<T, DemoError> {
        self.patience.until(what, || {
            self.carry()?;
            question()
        })
    }

    /// Carries files between all who have no line and something to tell each other. While somebody
    /// is on the way, nobody else sets out.
    fn carry(&self) -> Result<(), DemoError> {
        let Ok(_on_the_way) = self.carrying.try_lock() else { return Ok(()) };
        for (one, other) in self.pairs.iter().filter(|(one, other)| self.has_no_line(one, other)) {
            let (Some(one), Some(other)) = (self.nodes.get(one), self.nodes.get(other)) else {
                continue;
            };
            let mut turn = [one, other];
            for _ in 0..TURNS_MAX {
                if owes(one, other)? == 0 && owes(other, one)? == 0 {
                    break;
                }
                let [from, to] = turn;
                self.hand_over(from, to)?;
                turn.reverse();
            }
        }
        Ok(())
    }

    /// One makes a bundle for the other, which imports it from the file.
    fn hand_over(&self, from: &Node, to: &Node) -> Result<(), DemoError> {
        let request = ExportBundleRequest {
            organisation: to.organisation.clone(),
            ..ExportBundleRequest::default()
        };
        let what = format!("export a bundle for {}", to.key);
        let made = from.ask(&what, |client| client.export_bundle(&request))?;
        let file = format!("{}-{}-{}.sincronia", from.key, to.key, made.number);
        let bytes = self.through_file(&file, &made.bytes)?;
        let what = format!("import {file}");
        let views = to.ask(&what, |client| client.import_bundle(&bytes))?;
        let refused = views.iter().filter_map(|view| view.read.as_ref());
        let refused: Vec<_> = refused.flat_map(|read| read.refused.clone()).collect();
        if refused.is_empty() {
            return Ok(());
        }
        Err(DemoError::Missing(format!("{file}: {}", refused.join("; "))))
    }

    /// Writes a file, and gives back what is then read from it.
    fn through_file(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, DemoError> {
        let path = self.stick(name)?;
        let disk = |cause| DemoError::Disk { path: path.clone(), cause };
        std::fs::write(&path, bytes).map_err(disk)?;
        self.carried.fetch_add(1, Ordering::SeqCst);
        std::fs::read(&path).map_err(disk)
    }

    fn stick(&self, name: &str) -> Result<PathBuf, DemoError> {
        let directory = self.stage.files();
        let made = std::fs::create_dir_all(&directory);
        made.map_err(|cause| DemoError::Disk { path: directory.clone(), cause })?;
        Ok(directory.join(name))
    }

    /// Makes partners of two by files alone.
    pub(super) fn join_by_files(&self, inviter: &Node, joiner: &Node) -> Result<(), DemoError> {
        let request = InviteRequest { note: Some(joiner.name.clone()), ..InviteRequest::default() };
        let invitation = inviter.ask("invite", |client| client.invite(&request))?.text;
        let name = format!("{}-{}.invito", inviter.key, joiner.key);
        let text = self.through_file(&name, invitation.as_bytes())?;
        let invitation = String::from_utf8_lossy(&text).into_owned();
        let what = format!("answer {}", inviter.key);
        let answer = joiner
            .ask(&what, |client| client.join_by_bundle(&JoinByBundleRequest { invitation }))?;
        let name = format!("{}-{}-0.sincronia", joiner.key, inviter.key);
        let bytes = self.through_file(&name, &answer.bytes)?;
        inviter.ask("redeem an invitation", |client| client.import_bundle(&bytes))?;
        self.hand_over(inviter, joiner)?;
        let partner = |client: &Client| client.partner(&inviter.organisation);
        joiner.ask(&format!("know {}", inviter.key), partner).map(drop)
    }

    /// Nodes without a line never had a connection, and took part.
    pub(super) fn closed_by_files(&self, report: &mut Report) -> Result<(), DemoError> {
        let closed = self.nodes.values().filter(|node| self.has_no_line(&node.key, &node.key));
        let closed: Vec<_> = closed.collect();
        if closed.is_empty() {
            return Ok(());
        }
        report.check("closed-by-files", || {
            let mut objections = Vec::new();
            for node in &closed {
                let status = node.ask("tell its status", Client::status)?;
                let bytes = status.bytes_sent.saturating_add(status.bytes_received);
                if !status.closed || !status.addresses.is_empty() || bytes > 0 {
                    objections.push(format!("{} had a line: {bytes} bytes", node.key));
                }
                if status.counts.partners == 0 || status.counts.spaces < 2 {
                    objections.push(format!("{} takes no part", node.key));
                }
            }
            let keys: Vec<_> = closed.iter().map(|node| node.key.as_str()).collect();
            let files = self.carried.load(Ordering::SeqCst);
            Ok(Verdict::unless(&objections, format!("{}: {files} files", keys.join(", "))))
        })?;
        Ok(())
    }
}

/// Entries of `one` that `other` has not acknowledged; none while they are not partners.
fn owes(one: &Node, other: &Node) -> Result<u64, DemoError> {
    let partner =
        one.ask("show a partner", |client| match client.partner(&other.organisation) {
            Err(error) if error.code == ErrorCode::NotFound => Ok(None),
            answer => answer.map(Some),
        })?;
    let bundles = partner.and_then(|partner| partner.bundles);
    Ok(bundles.map_or(0, |bundles| bundles.unacknowledged))
}
