//! W3: ten records changed on each side while apart; from the session's opening until all twenty
//! are visible on the other side.

use super::super::Failure;
use super::super::figure::{Figure, number};
use super::super::listener::Listener;
use super::super::pair::{Pair, Place};
use super::super::primitives::Primitives;
use super::{milliseconds, opened};
use serde_json::{Value, json};

pub fn measure(pair: &mut Pair, primitives: &Primitives) -> Result<Vec<Figure>, Failure> {
    pair.a.wait_for_phase(&pair.b, "in_sync")?;
    pair.b.wait_for_phase(&pair.a, "in_sync")?;
    let _: Value = pair.b.api.post("/network", &json!({ "online": false }))?;
    pair.a.wait_for_phase(&pair.b, "offline")?;
    let of_a: Vec<Place> = pair.records.iter().take(10).cloned().collect();
    of_a.iter().try_for_each(|place| pair.edit(&pair.a, place))?;
    pair.of_b.iter().try_for_each(|place| pair.edit(&pair.b, place))?;
    let before = pair.a.traffic()?;
    let (at_a, at_b) = (Listener::follow(&pair.a.api)?, Listener::follow(&pair.b.api)?);
    let _: Value = pair.b.api.post("/network", &json!({ "online": true }))?;
    let opened = opened(&at_a, &pair.b)?;
    let seen = [at_a.wait_for_records(&names(&pair.of_b))?, at_b.wait_for_records(&names(&of_a))?];
    let end = seen.into_iter().max().unwrap_or(opened);
    pair.a.wait_for_phase(&pair.b, "in_sync")?;
    pair.b.wait_for_phase(&pair.a, "in_sync")?;
    let bytes = number(pair.a.traffic()? - before);
    Ok(vec![
        Figure::new("visible on both", milliseconds(opened, end), "ms")
            .beside(2.0 * primitives.durable_commit / 1_000.0),
        Figure::new("frames until in sync", bytes / 1_000.0, "kB"),
    ])
}

fn names(places: &[Place]) -> Vec<String> {
    places.iter().map(|place| place.record.clone()).collect()
}
