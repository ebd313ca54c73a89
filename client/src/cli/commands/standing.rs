//! Where synchronisation with each partner stands, in words: what is known here, and what nobody
//! here can know.

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::naming::Organisations;
use crate::output::table::Rows;
use crate::output::value::{Names, time};
use sincronia_node::api::{CarrierView, PartnerBundles, PartnerState, PartnerView};

/// How addresses of nodes begin. They fill lines, and stand in `partner show`.
const ADDRESSES: [&str; 4] = ["/ip4/", "/ip6/", "/dns", "/p2p/"];

/// What partners are called where people look them up.
pub(super) fn looked_up(context: &Context) -> Result<Names, Failure> {
    Ok(Organisations::known(context)?.names_with_former())
}

/// A table that fits an ordinary terminal.
pub(super) fn partners(context: &Context, names: &Names, partners: &[PartnerView]) -> String {
    let texts = &context.texts;
    let headings = ["partner", "trust", "sync", "outstanding", "last-exchange"];
    let mut rows = Rows::within(context.output, &headings.map(|key| texts.text(key)));
    for partner in partners {
        let trust = texts.text(match partner.state {
            PartnerState::Joined => "trust-joined",
            PartnerState::Verified => "trust-verified",
            PartnerState::Blocked => "trust-blocked",
        });
        let phase = format!("{}{}", phase(context, partner), warnings(context, partner));
        let last = partner.last_exchange.map_or_else(|| texts.text("never"), time);
        let outstanding = outstanding(context, partner);
        let name = names.known(&partner.organisation).unwrap_or_else(|| partner.name.clone());
        let cells = [name, trust, phase, outstanding, last];
        if partner.state == PartnerState::Joined { rows.urgent(cells) } else { rows.row(cells) }
    }
    rows.to_string()
}

/// Without a session nobody can count: 0 would say that the partner has everything.
fn outstanding(context: &Context, partner: &PartnerView) -> String {
    let sync = &partner.sync;
    if sync.connected {
        let counts = [("outgoing", sync.outgoing.into()), ("differences", sync.differences.into())];
        return context.texts.with("outstanding-counts", &counts);
    }
    if let Some(bundles) = &partner.bundles {
        let count = [("count", bundles.unacknowledged.into())];
        return context.texts.with("outstanding-bundles", &count);
    }
    context.texts.text(match (partner.carriers.is_empty(), partner.no_line) {
        (false, _) => "outstanding-carried",
        (true, true) => "outstanding-elsewhere",
        (true, false) => "outstanding-unknown",
    })
}

fn phase(context: &Context, partner: &PartnerView) -> String {
    let texts = &context.texts;
    if !partner.sync.connected {
        let bundles = partner.bundles.as_ref().map(|bundles| by_bundle(context, bundles));
        let carried = by_carriers(context, partner);
        let ways: Vec<_> = bundles.into_iter().chain(carried).collect();
        if !ways.is_empty() {
            return ways.join(" · ");
        }
        if partner.no_line {
            return texts.text("phase-no-line");
        }
    }
    let phase = partner.sync.phase.replace('_', "-");
    let words = texts.find(&format!("phase-{phase}"), &[]).unwrap_or(phase);
    match &partner.sync.last_failure {
        Some(failure) if !partner.sync.connected => {
            format!("{words} ({})", without_addresses(&said(context, failure)))
        }
        _ => words,
    }
}

/// What the node said, in the reader's language.
pub(super) fn said(context: &Context, sentence: &str) -> String {
    context.texts.said(sentence).unwrap_or_else(|| context.texts.addressed(sentence))
}

fn without_addresses(text: &str) -> String {
    let is_address = |word: &str| ADDRESSES.iter().any(|one| word.contains(one));
    let shown = text.split(' ').map(|word| match word.chars().last() {
        Some(end @ (';' | ',' | ')')) if is_address(word) => format!("…{end}"),
        _ if is_address(word) => "…".to_owned(),
        _ => word.to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// What may be old, or missing, of a partner.
fn warnings(context: &Context, partner: &PartnerView) -> String {
    let texts = &context.texts;
    let since = partner.confirmed.unwrap_or(partner.joined_at);
    let silent = partner.silent.then(|| ("partner-silent", ("time", time(since).into())));
    let held_back = partner.held_back > 0;
    let lacking = held_back.then(|| ("partner-held-back", ("spaces", partner.held_back.into())));
    let owners = partner.awaited_keys.join("; ");
    let awaited = (!owners.is_empty()).then(|| ("partner-keys-awaited", ("names", owners.into())));
    let minutes = partner.clock_apart.map(|by| by / 60_000);
    let clock = minutes.map(|by| match by {
        0.. => ("partner-clock-ahead", ("minutes", by.into())),
        _ => ("partner-clock-behind", ("minutes", by.saturating_neg().into())),
    });
    let told = [silent, lacking, awaited, clock].into_iter().flatten();
    let told = told.map(|(key, argument)| texts.with(key, &[argument]));
    let divided = partner.divided.then(|| texts.text("partner-divided"));
    told.chain(divided).flat_map(|words| [" · ".to_owned(), words]).collect()
}

/// A partner that is reached by files: which was the last one each way, and when.
fn by_bundle(context: &Context, bundles: &PartnerBundles) -> String {
    let told = |number: Option<u64>, at: Option<u64>| match (number, at) {
        (Some(number), Some(at)) => format!("{number} · {}", time(at)),
        _ => context.texts.text("never"),
    };
    let arguments = [
        ("out", told(bundles.last_out_number, bundles.last_out).into()),
        ("in", told(bundles.last_in_number, bundles.last_in).into()),
    ];
    context.texts.with("phase-bundles", &arguments)
}

/// A partner that meets this node at others': who they are, up to when they have everything, and
/// when it last said that it lives. Nobody says what it fetched there.
fn by_carriers(context: &Context, partner: &PartnerView) -> Option<String> {
    if partner.carriers.is_empty() {
        return None;
    }
    let texts = &context.texts;
    let one = |carrier: &CarrierView| {
        let at = carrier.in_sync_at.map_or_else(|| texts.text("never"), time);
        let arguments = [("name", carrier.name.clone().into()), ("time", at.into())];
        texts.with("phase-carrier", &arguments)
    };
    let mut ways: Vec<_> = partner.carriers.iter().map(one).collect();
    if let Some(at) = partner.confirmed.filter(|at| Some(*at) > partner.last_exchange) {
        ways.push(texts.with("partner-seen", &[("time", time(at).into())]));
    }
    Some(ways.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};
    use serde_json::{Value, json};

    fn context() -> Context {
        Context::new(Catalogue::new(Language::En), Global::default())
    }

    fn partner(more: &Value) -> PartnerView {
        let mut fields = json!({
            "organisation": "ente1", "name": "Comune di Villafranca in Lunigiana",
            "state": "joined", "verification_phrase": [], "addresses": [], "joined_at": 1,
            "spaces": 1, "sync": {
                "connected": false, "phase": "offline", "outgoing": 0, "differences": 0,
            },
        });
        let object = fields.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn a_partner_with_a_carrier_is_not_called_behind() {
        let carrier = json!({
            "organisation": "ente2", "name": "Unione", "spaces": 1, "in_sync_at": 1_798_761_600_000_u64,
        });
        let text =
            partners(&context(), &Names::default(), &[partner(&json!({ "carriers": [carrier] }))]);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Unione") && text.contains("2027-01-01"), "{text}");
        assert!(!words.contains("offline"), "{text}");
    }

    #[test]
    fn a_partner_without_a_line_is_not_called_offline() {
        let text = phase(&context(), &partner(&json!({ "no_line": true })));
        assert!(text.contains("bundle") && !text.contains("offline"), "{text}");
    }

    #[test]
    fn the_table_fits_an_ordinary_terminal_whatever_failed() {
        let address = format!("/ip4/192.0.2.1/tcp/4001/p2p/{}", "n".repeat(80));
        let failure = format!(
            "nobody answers at {address}; check that the node runs and that the address is reachable"
        );
        let sync = json!({
            "connected": false, "phase": "offline", "outgoing": 0, "differences": 0,
            "last_failure": failure,
        });
        let text = partners(
            &context(),
            &Names::default(),
            &[partner(&json!({ "sync": sync, "silent": true }))],
        );
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(!text.contains("/ip4/") && text.contains("nobody"), "{text}");
    }
}
