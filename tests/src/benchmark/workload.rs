//! The workloads, each measured on two nodes as the one before left them.

mod cold_start;
mod edits;
mod few_changed;
mod first;
mod live;
mod unchanged;

use super::Failure;
use super::figure::Figure;
use super::listener::Listener;
use super::pair::{Pair, Side};
use super::plan::Workload;
use super::primitives::Primitives;
use sincronia_node::api::ApiEvent;
use std::time::Instant;

/// Measures one workload.
pub fn measure(
    workload: Workload,
    pair: &mut Pair,
    primitives: &Primitives,
) -> Result<Vec<Figure>, Failure> {
    match workload {
        Workload::First => first::measure(pair, primitives),
        Workload::Unchanged => unchanged::measure(pair),
        Workload::FewChanged => few_changed::measure(pair, primitives),
        Workload::Live => live::measure(pair, primitives),
        Workload::ColdStart => cold_start::measure(pair),
        Workload::Edits => edits::measure(pair, primitives),
    }
}

/// Waits for the first sign of `other` after it was offline: the opening of its session.
fn opened(heard: &Listener, other: &Side) -> Result<Instant, Failure> {
    let (at, ()) = heard.wait(|event| {
        let ApiEvent::PartnerChanged { organisation } = event else { return Ok(None) };
        Ok((*organisation == other.node.organisation).then_some(()))
    })?;
    Ok(at)
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1_000.0
}
