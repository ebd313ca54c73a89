//! W5: from the start of B's process to its first answer, with A away.

use super::super::figure::Figure;
use super::super::pair::Pair;
use super::super::{Failure, usage};
use super::milliseconds;
use sincronia_node::api::RecordView;
use std::time::Instant;

pub fn measure(pair: &mut Pair) -> Result<Vec<Figure>, Failure> {
    pair.a.stop()?;
    pair.b.stop()?;
    let place = pair.records.first().ok_or("no records")?;
    let path = format!("/spaces/{}/records/{}", place.space, place.record);
    let start = Instant::now();
    pair.b.api = pair.b.node.start()?;
    let _: RecordView = pair.b.api.get(&path)?;
    let end = Instant::now();
    let memory = usage::memory(pair.b.node.process()?)?;
    pair.b.stop()?;
    pair.a.start()?;
    pair.b.start()?;
    Ok(vec![
        Figure::new("first answer", milliseconds(start, end), "ms"),
        Figure::new("memory", memory, "MiB"),
    ])
}
