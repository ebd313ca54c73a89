//! `sincronia sync`, `offline` and `online`.

use super::Outcome;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use sincronia_node::api::NetworkRequest;

pub(super) fn sync(context: &Context) -> Outcome {
    let client = context.client()?;
    let status = client.status()?;
    if status.closed {
        return Err(context.fail(Exit::NotPermitted, "network_closed", ""));
    }
    if !status.online {
        return Err(context.fail(Exit::Network, "node_offline", ""));
    }
    client.sync()?;
    context.say("sync-started");
    Ok(Exit::Done)
}

pub(super) fn switch(context: &Context, online: bool) -> Outcome {
    let request = NetworkRequest { online };
    context.client()?.network(&request)?;
    context.output.show("network", &request, || {
        context.texts.text(if online { "now-online" } else { "now-offline" })
    });
    Ok(Exit::Done)
}
