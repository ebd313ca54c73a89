//! W6: durable local edits a second, with B away: one writer, then 64 at once.

use super::super::Failure;
use super::super::figure::{Figure, number};
use super::super::pair::Pair;
use super::super::primitives::Primitives;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(3);
const WRITERS: usize = 64;

pub fn measure(pair: &mut Pair, primitives: &Primitives) -> Result<Vec<Figure>, Failure> {
    pair.b.stop()?;
    let one = rate(pair, 1)?;
    let many = rate(pair, WRITERS)?;
    pair.b.start()?;
    let commits = 1e6 / primitives.durable_commit;
    Ok(vec![
        Figure::new("one writer", one, "edits/s").beside(commits),
        Figure::new("64 writers", many, "edits/s").beside(1e6 / primitives.put),
    ])
}

/// Edits a second of so many writers, each on records of its own and waiting for its answers.
fn rate(pair: &Pair, writers: usize) -> Result<f64, Failure> {
    let start = Instant::now();
    let write = |writer: usize| -> Result<u64, Failure> {
        let own = pair.records.iter().skip(writer).step_by(writers).cycle();
        let mut written = 0;
        for place in own.take_while(|_| start.elapsed() < TIME) {
            pair.edit(&pair.a, place)?;
            written += 1;
        }
        Ok(written)
    };
    let written = std::thread::scope(|scope| {
        let write = &write;
        let threads: Vec<_> =
            (0..writers).map(|writer| scope.spawn(move || write(writer))).collect();
        threads.into_iter().try_fold(0, |sum, thread| {
            let count = thread.join().map_err(|_| Failure::from("a writer failed"))??;
            Ok::<u64, Failure>(sum + count)
        })
    })?;
    Ok(number(written) / start.elapsed().as_secs_f64())
}
