//! W4: one edit on A, until it is durable and visible on B; two hundred times.

use super::super::Failure;
use super::super::figure::{Figure, percentile};
use super::super::listener::Listener;
use super::super::pair::Pair;
use super::super::primitives::Primitives;
use super::milliseconds;
use std::time::Instant;

const EDITS: usize = 200;

pub fn measure(pair: &mut Pair, primitives: &Primitives) -> Result<Vec<Figure>, Failure> {
    pair.a.wait_for_phase(&pair.b, "in_sync")?;
    let heard = Listener::follow(&pair.b.api)?;
    let (mut visible, mut answered) = (Vec::new(), Vec::new());
    for place in pair.records.iter().cycle().take(EDITS) {
        let start = Instant::now();
        pair.edit(&pair.a, place)?;
        answered.push(milliseconds(start, Instant::now()));
        // B tells of a record only after the commit that holds it.
        let end = heard.wait_for_records(std::slice::from_ref(&place.record))?;
        visible.push(milliseconds(start, end));
    }
    let commit = primitives.durable_commit / 1_000.0;
    Ok(vec![
        Figure::new("visible p50", percentile(&mut visible, 0.5), "ms").beside(2.0 * commit),
        Figure::new("visible p99", percentile(&mut visible, 0.99), "ms"),
        Figure::new("answered p50", percentile(&mut answered, 0.5), "ms").beside(commit),
        Figure::new("answered p99", percentile(&mut answered, 0.99), "ms"),
    ])
}
