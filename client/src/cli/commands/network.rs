//! `sincronia sync`, `offline` and `online`.

use super::Outcome;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use serde_json::{Value, json};
use sincronia_node::api::{NetworkRequest, PartnerView};

pub(super) fn sync(context: &Context) -> Outcome {
    let client = context.client()?;
    let status = client.status()?;
    // Of a revoked node only the node itself says what it says of that.
    if status.closed && !status.revoked {
        return Err(context.fail(Exit::NotPermitted, "network_closed", ""));
    }
    if !status.online && !status.revoked {
        return Err(context.fail(Exit::Network, "node_offline", ""));
    }
    client.sync()?;
    let unreached = status.partners.iter().filter(|one| !one.sync.connected);
    let unreached: Vec<_> = unreached.map(unreached_partner).collect();
    let started = json!({ "partners": status.counts.partners, "unreached": unreached });
    context.output.show("sync", &started, || context.texts.text("sync-started"));
    Ok(Exit::Done)
}

/// Whom no session reaches yet, and why the last attempt failed.
fn unreached_partner(partner: &PartnerView) -> Value {
    let PartnerView { organisation, name, sync, .. } = partner;
    json!({ "organisation": organisation, "name": name, "last_failure": sync.last_failure })
}

pub(super) fn switch(context: &Context, online: bool) -> Outcome {
    let request = NetworkRequest { online };
    context.client()?.network(&request)?;
    context.output.show("network", &request, || {
        context.texts.text(if online { "now-online" } else { "now-offline" })
    });
    Ok(Exit::Done)
}
