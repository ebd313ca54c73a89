//! W1: A holds everything, B joins by invitation; until B answers queries on all of it.

use super::super::figure::{Figure, number};
use super::super::pair::Pair;
use super::super::plan::Shape;
use super::super::primitives::Primitives;
use super::super::{Failure, usage};
use sincronia_node::api::{RecordView, Status};
use std::time::{Duration, Instant};

/// How often B is asked whether it has everything.
const GLANCE: Duration = Duration::from_millis(10);

pub fn measure(pair: &mut Pair, primitives: &Primitives) -> Result<Vec<Figure>, Failure> {
    let (a, b) = (pair.a.node.process()?, pair.b.node.process()?);
    let invitation = pair.a.invite()?;
    let before = (usage::cpu_seconds(a)?, usage::cpu_seconds(b)?, pair.a.traffic()?);
    let start = Instant::now();
    pair.b.join(&invitation)?;
    let joined = start.elapsed();
    let end = loop {
        std::thread::sleep(GLANCE);
        if answers_all(pair)? {
            let end = start.elapsed();
            if has_every_change(pair)? {
                break end;
            }
        }
    };
    let cpu = [usage::cpu_seconds(a)? - before.0, usage::cpu_seconds(b)? - before.1];
    let bytes = number(pair.a.traffic()? - before.2);
    let records = number(pair.records.len() as u64);
    let figures = vec![
        Figure::new("join answered", joined.as_secs_f64() * 1_000.0, "ms"),
        Figure::new("wall", end.as_secs_f64(), "s").beside(limit(pair, primitives)),
        Figure::new("CPU of A", cpu[0], "s"),
        Figure::new("CPU of B", cpu[1], "s").beside(limit(pair, primitives)),
        Figure::new("frames", bytes / 1e6, "MB"),
        Figure::new("frames per record", bytes / records, "B"),
        Figure::new("peak memory of A", usage::peak_memory(a)?, "MiB"),
        Figure::new("peak memory of B", usage::peak_memory(b)?, "MiB"),
        Figure::new("disk of A", number(pair.a.node.stored_bytes()?) / 1e6, "MB"),
        Figure::new("disk of B", number(pair.b.node.stored_bytes()?) / 1e6, "MB"),
    ];
    pair.choose_of_b()?;
    pair.b.wait_for_phase(&pair.a, "in_sync")?;
    Ok(figures)
}

/// What B cannot save itself: opening and applying every change, writing every entry and row; and
/// for each space a keyring and two access entries.
fn limit(pair: &Pair, primitives: &Primitives) -> f64 {
    let (records, changes) = (number(pair.records.len() as u64), number(pair.changes as u64));
    let content = changes * primitives.open_body + primitives.apply_record * changes / 5.0;
    let writes = (changes + 1.0) * primitives.put;
    let space = match pair.shape {
        Shape::Directory => 0.0,
        Shape::Spaces => primitives.open_keyring + 3.0 * primitives.verify + 5.0 * primitives.put,
    };
    records * (content + writes + space) / 1e6
}

fn answers_all(pair: &Pair) -> Result<bool, Failure> {
    if pair.b.phase(&pair.a)? != "in_sync" {
        return Ok(false);
    }
    let status: Status = pair.b.api.get("/status")?;
    let count = status.counts.records.get(pair.kind()).copied().unwrap_or(0);
    Ok(!status.projecting && count >= pair.records.len() as u64)
}

fn has_every_change(pair: &Pair) -> Result<bool, Failure> {
    let path = format!("/records?kind={}", pair.kind());
    let all: Vec<RecordView> = pair.b.api.get(&path)?;
    let whole = |one: &&RecordView| one.entries == pair.changes as u64 && one.waiting == 0;
    Ok(all.iter().filter(whole).count() == pair.records.len())
}
