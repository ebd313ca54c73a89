//! `sincronia sync`, `offline` and `online`.

use super::Outcome;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use sincronia_node::api::NetworkRequest;

pub(super) fn sync(context: &Context) -> Outcome {
    context.client()?.sync()?;
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
