//! W2: both hold everything, B restarts; from the session's opening until both say "in sync".

use super::super::Failure;
use super::super::figure::{Figure, number};
use super::super::listener::Listener;
use super::super::pair::Pair;
use super::{milliseconds, opened};
use std::time::Instant;

pub fn measure(pair: &mut Pair) -> Result<Vec<Figure>, Failure> {
    pair.a.wait_for_phase(&pair.b, "in_sync")?;
    pair.b.stop()?;
    pair.a.wait_for_phase(&pair.b, "offline")?;
    let before = pair.a.traffic()?;
    let heard = Listener::follow(&pair.a.api)?;
    pair.b.start()?;
    let opened = opened(&heard, &pair.b)?;
    pair.a.wait_for_phase(&pair.b, "in_sync")?;
    pair.b.wait_for_phase(&pair.a, "in_sync")?;
    let end = Instant::now();
    let bytes = number(pair.a.traffic()? - before);
    Ok(vec![
        Figure::new("in sync", milliseconds(opened, end), "ms"),
        Figure::new("frames", bytes, "B"),
    ])
}
