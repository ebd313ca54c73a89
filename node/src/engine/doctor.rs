//! What is well with a node and what is not, each with what to do.

use super::Core;
use super::refusal::WITHOUT_COPY;
use crate::api::{ApiError, Check, MissingView, PartnerState, PartnerView, Status};
use sincronia_protocol::identity::Identity;
use std::path::Path;

/// Checks that fail while the node is well: partners may be away, and people decide in their time.
const WARNINGS: &[&str] = &[
    "joined_by_line",
    "clocks_agree",
    "own_edits_erased",
    "bundles_open",
    "bundles_whole",
    "machines_met",
    "partners_reached",
    "partners_verified",
    "partners_one_version",
    "conflicts",
    "quarantine",
    "damaged_copies",
    "keys_here",
    "successors_agreed",
    "successions_lead_on",
    "conventions_apart",
    "spaces_hold",
    "signed_holds",
    "contents_here",
];

/// How the names of stores begin that were put aside.
const ASIDE: [&str; 2] = ["store.damaged", "store.keyless"];

impl Core {
    /// Every check.
    pub fn doctor(&mut self) -> Result<Vec<Check>, ApiError> {
        let status = self.status()?;
        let mut checks = self.machine_checks(&status).to_vec();
        checks.extend(standing_checks(&status));
        checks.push(nobody(
            "machines_met",
            &self.machines_unmet(&status)?,
            "this machine has nothing yet, and hears of its organisation from none of these: let \
             one run where its admission says; or have one that runs give the admission again, \
             “sincronia node add REQUEST” with the same request, stop this one, and take it: \
             `sincronia node admit ADMISSION`",
        ));
        checks.extend(partner_checks(&status));
        checks.push(nobody(
            "bundles_whole",
            &self.parts_missing()?,
            "these parts, of so many, have not been imported: look for their files, or ask for a \
             new bundle; then these go by themselves, 90 days after the last of them came",
        ));
        let named = |one: &MissingView| format!("{}: {}", one.title, one.entries);
        checks.push(nobody(
            "contents_here",
            &status.missing.iter().map(named).collect::<Vec<_>>(),
            "a machine erased them to which only a stolen root key had given the right; whoever \
             still has them brings them back by itself: let partners connect or send a bundle. \
             What nobody has any more its owner erases for good, as `sincronia status` says, and \
             it is written again as a new record",
        ));
        checks.push(nobody(
            "signed_holds",
            &self.signed_for_nothing(),
            "it does not count, as what is signed apart from a change of the root key; if it was \
             yours and is still right, sign it again: `sincronia node primary MACHINE`, `sincronia \
             node rotate-sealing`, `sincronia succession declare ORGANISATION` or `sincronia \
             succession accept ORGANISATION`",
        ));
        checks.extend(self.placement_checks(&status.decisions)?);
        checks.extend(decision_checks(&status));
        checks.push(nobody(
            "own_edits_erased",
            &self.lost_lately()?,
            "whoever erased these records had not seen what this organisation changed in them, and \
             it went with them: if it may be kept, write it again as a new record",
        ));
        Ok(checks)
    }

    /// What was signed with the recovery words at this machine, or came to it, and does not count.
    fn signed_for_nothing(&self) -> Vec<String> {
        let identity = self.replica.identity(&self.replica.organisation());
        let primary = identity.and_then(Identity::primary_aside);
        let primary = primary.map(|node| format!("primary node: {node}"));
        let sealing = self.replica.is_sealing_uncertified();
        let sealing = sealing.then(|| "new sealing key of this machine".to_owned());
        let successions = identity.map(Identity::successions_aside).unwrap_or_default();
        let successions =
            successions.iter().map(|one| format!("succession: {}", self.name_of(one)));
        primary.into_iter().chain(sealing).chain(successions).collect()
    }

    /// The disk and the line.
    fn machine_checks(&self, status: &Status) -> [Check; 6] {
        let copies = damaged_copies(self.store.path());
        [
            check("store", true, format!("{} bytes", status.bytes_stored), ""),
            self.room_check(status),
            check(
                "damaged_copies",
                copies.is_empty(),
                if copies.is_empty() { "none is kept".into() } else { copies.join("\n") },
                "they keep what was erased since; delete them once the node runs well",
            ),
            check(
                "addresses",
                status.closed || !status.addresses.is_empty(),
                status.addresses.join("\n"),
                "check the listen addresses in sincronia.toml",
            ),
            check(
                "online",
                status.online || status.closed || status.revoked,
                on(status),
                "run `sincronia online`",
            ),
            self.line_check(status),
        ]
    }

    /// The other machines in service, while this one is new and met none: where they are it knows
    /// from its admission alone, and they may be elsewhere since.
    fn machines_unmet(&mut self, status: &Status) -> Result<Vec<String>, ApiError> {
        if status.revoked || status.counts.spaces > 0 || status.counts.partners > 0 {
            return Ok(Vec::new());
        }
        let mut others = self.nodes()?;
        others.retain(|one| !one.this && !one.revoked);
        let is_met = others.iter().any(|one| one.connected);
        let unmet = others.into_iter().filter(|_| !is_met).map(|one| one.node);
        Ok(unmet.collect())
    }

    /// An identity log only grows: who is told knows what to do instead before somebody is invited.
    fn line_check(&self, status: &Status) -> Check {
        let fits = status.closed || self.fits_a_line();
        let found = if fits { "in one message" } else { "too long for one message of a line" };
        check("joined_by_line", fits, found.into(), super::partners::BY_FILES)
    }

    fn room_check(&self, status: &Status) -> Check {
        let free = self.room.free();
        let free = free.map_or_else(|| "unknown".into(), |free| format!("{free} bytes"));
        let is_full = self.room.is_full();
        let remedy = if is_full {
            "the disk is full: free some room, or the next change cannot be written"
        } else {
            "make room on the disk, or lower store.reserve_megabytes; until then nothing is \
             exchanged"
        };
        check("room", !is_full && !status.short_of_room, free, remedy)
    }
}

/// Files that were put aside beside the store, by a repair or because their keys were missing, and
/// that somebody has to delete.
fn damaged_copies(store: &Path) -> Vec<String> {
    let files = store.parent().and_then(|directory| std::fs::read_dir(directory).ok());
    let names = files.into_iter().flatten().filter_map(Result::ok);
    let names = names.map(|file| file.file_name().to_string_lossy().into_owned());
    let is_aside = |name: &String| ASIDE.iter().any(|beginning| name.starts_with(beginning));
    let mut names: Vec<_> = names.filter(is_aside).collect();
    names.sort();
    names
}

/// Whether the node speaks for its organisation, alone and up to date.
fn standing_checks(status: &Status) -> [Check; 6] {
    let aside = status.revoked_aside.join("\n");
    let (certified, remedy) = if status.set_aside {
        (
            "admitted apart from a change of the root key",
            "it is a stranger to the others: what was written here since stands here alone, write \
             it again at another machine; to make this one a machine of the organisation again, \
             set it up anew in another directory and have it admitted with “sincronia node add \
             REQUEST”",
        )
    } else {
        (
            if status.revoked { "revoked" } else { "this node speaks for its organisation" },
            "this node was revoked: work on another one; keep its data or delete it. Where none is \
             left, stop it and make a new one of what it has: `sincronia repair --into DIRECTORY`",
        )
    };
    [
        check(
            "one_copy",
            !status.cloned,
            if status.cloned { "another one runs" } else { "no other one was heard of" }.into(),
            WITHOUT_COPY,
        ),
        check("certified", !status.revoked && !status.set_aside, certified.into(), remedy),
        check(
            "one_version",
            // A revoked node signs nothing: another one says it, and unites.
            !status.divided || status.revoked,
            if status.divided { "signed apart at two machines" } else { "no other one is known" }
                .into(),
            "both count: see whether `sincronia node list` is as it should be, then run \
             `sincronia node unite`; if nobody of yours signed, others have the recovery words",
        ),
        check(
            "removals_hold",
            status.revoked_aside.is_empty(),
            if status.revoked_aside.is_empty() { "every one".into() } else { aside },
            &format!(
                "signed apart from a change of the root key, their removal does not count; if it \
                 was yours: `sincronia node revoke {}`",
                status.revoked_aside.first().map_or("", String::as_str)
            ),
        ),
        nobody(
            "spaces_hold",
            &status.spaces_aside,
            "they were made apart from a change of the root key, and nobody is a member any more; \
             what is in them can still be read here: their owner makes each again with \
             “sincronia convention new”, and what was written since is written again there",
        ),
        check(
            "caught_up",
            status.catching_up.is_none(),
            awaited(status),
            "once it has heard them, the node gives and takes access again, and writes again if its \
             store went back; to go on without them: `sincronia backup finish`",
        ),
    ]
}

/// Whether partners are there, and whether what they wrote arrives.
fn partner_checks(status: &Status) -> [Check; 8] {
    let active = || status.partners.iter().filter(|one| one.state != PartnerState::Blocked);
    // Who is reached by files is not waited for.
    let by_line = || active().filter(|one| one.bundles.is_none());
    let unreached = by_line().filter(|one| !one.sync.connected).map(|one| {
        let failure = one.sync.last_failure.as_ref();
        failure.map_or_else(|| one.name.clone(), |failure| format!("{}: {failure}", one.name))
    });
    let silent = by_line().filter(|one| one.silent).map(|one| one.name.clone());
    let behind = active().filter(|one| one.held_back > 0);
    let behind = behind.map(|one| format!("{}: {}", one.name, one.held_back));
    let divided = active().filter(|one| one.divided).map(|one| one.name.clone());
    let apart =
        active().filter_map(|one| Some(format!("{}: {}", one.name, apart(one.clock_apart?))));
    let is_lost = |one: &&PartnerView| {
        let unknown = one.bundles.as_ref().is_some_and(|bundles| bundles.unknown_there);
        unknown && !one.sync.connected
    };
    let lost = active().filter(is_lost).map(|one| one.name.clone());
    let unverified = active().filter(|one| one.state == PartnerState::Joined);
    [
        nobody(
            "partners_reached",
            &unreached.collect::<Vec<_>>(),
            "offline partners are reached when they return; check addresses if it stays so",
        ),
        nobody(
            "partners_confirmed",
            &silent.collect::<Vec<_>>(),
            "two days without a sign of them from anybody: what stands here may be old; telephone",
        ),
        nobody(
            "nothing_held_back",
            &behind.collect::<Vec<_>>(),
            "they wrote more than an hour ago what has not come here: let them connect directly, \
             and tell whoever carries for them",
        ),
        nobody(
            "partners_one_version",
            &divided.collect::<Vec<_>>(),
            "two versions of which machines speak for them were signed, and both count: telephone, \
             they run “sincronia node unite”",
        ),
        nobody(
            "clocks_agree",
            &apart.collect::<Vec<_>>(),
            "what is written there bears wrong dates, unless it is this machine's clock: see to this \
             one's first, then telephone",
        ),
        nobody(
            "bundles_open",
            &lost.collect::<Vec<_>>(),
            "by their last bundle they know no machine of this organisation in service, and what \
             they send opens nowhere here: hand them a new bundle; if it does not open there \
             either, both have only new machines: `sincronia invite`, and they answer with a file",
        ),
        nobody(
            "keys_here",
            &status.awaited_keys.iter().map(|one| one.name.clone()).collect::<Vec<_>>(),
            if status.sealing_replaced {
                "the sealing key of this machine was replaced, and it runs with the one before: \
                 stop it, and start it again with `sincronia run`"
            } else if status.awaited_keys.iter().any(|one| one.owner == status.organisation) {
                "keys of this organisation's own spaces are at another machine of it, or at a \
                 member: let them connect, or hand them a bundle and import their answer; what \
                 only a lost machine had stays closed"
            } else {
                "their spaces have new keys, which only they or who carries for them can bring: \
                 let them connect or send a bundle; `sincronia status` says what to do where one \
                 is no partner here"
            },
        ),
        nobody(
            "partners_verified",
            &unverified.map(|one| one.name.clone()).collect::<Vec<_>>(),
            "compare the six words by telephone: `sincronia partner verify PARTNER`",
        ),
    ]
}

/// What waits for a person.
fn decision_checks(status: &Status) -> [Check; 2] {
    let counts = &status.counts;
    [
        check(
            "conflicts",
            counts.conflicts == 0,
            counts.conflicts.to_string(),
            "a person decides: `sincronia conflict list`",
        ),
        check(
            "quarantine",
            status.decisions.late == 0,
            status.decisions.late.to_string(),
            "they do not count: see what they would change with `sincronia record late`, and take \
             each up or dismiss it there",
        ),
    ]
}

/// By how much a clock is apart, in minutes or, where that says more, in hours.
fn apart(milliseconds: i64) -> String {
    let minutes = milliseconds.unsigned_abs() / 60_000;
    let by = if minutes < 180 { format!("{minutes} min") } else { format!("{} h", minutes / 60) };
    let sign = if milliseconds < 0 { '−' } else { '+' };
    format!("{sign}{by}")
}

/// A check that is well when nobody is named; a line each, since failures hold semicolons.
fn nobody(name: &str, named: &[String], remedy: &str) -> Check {
    let well = match name {
        "keys_here" | "nothing_held_back" | "bundles_whole" | "own_edits_erased"
        | "contents_here" | "signed_holds" => "nothing is missing",
        _ => "all",
    };
    let detail = if named.is_empty() { well.into() } else { named.join("\n") };
    check(name, named.is_empty(), detail, remedy)
}

fn on(status: &Status) -> String {
    let text = match (status.closed, status.online) {
        (true, _) => "closed by its settings",
        (false, true) => "online",
        (false, false) => "offline",
    };
    text.into()
}

fn awaited(status: &Status) -> String {
    match &status.catching_up {
        Some(one) if one.awaited.is_empty() => "any partner: the list of them is lost".into(),
        Some(one) => one.awaited.join("\n"),
        None => "nobody is waited for".into(),
    }
}

pub(super) fn check(name: &str, ok: bool, detail: String, remedy: &str) -> Check {
    let remedy = (!ok).then(|| remedy.to_owned());
    let warning = WARNINGS.contains(&name) && !ok;
    Check { name: name.into(), ok, warning, detail, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_people_is_a_warning_and_a_fault_of_the_node_is_none() {
        let failed = |name| check(name, false, String::new(), "do something").warning;
        for name in WARNINGS {
            assert!(failed(name), "{name}");
            assert!(!check(name, true, String::new(), "").warning, "{name} is well");
        }
        for name in ["store", "room", "online", "one_copy", "certified", "nothing_held_back"] {
            assert!(!failed(name), "{name}");
        }
    }
}
