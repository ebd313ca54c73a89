//! What it costs: workloads W1–W6 between two real nodes, beside what nobody can avoid paying.
//!
//! # Contract
//! Two nodes run as processes of their own on loopback, with keystores, redb files and libp2p, and
//! are driven through their local API only. Beside the figures stand the primitive costs of the
//! same machine in the same run. Nothing is asserted: machines differ, and a slow one is no error.
//!
//! What is counted: bytes on the wire are our frames with their length prefix, both directions, as
//! the node counts them (without the framing of yamux, TLS and TCP); CPU is user and system time of
//! the process (`/proc/PID/stat`, in steps of 10 ms); peak memory is `VmHWM`, memory is `VmRSS`.
//!
//! # Deliberately absent
//! Other systems: they were measured once, by the same workloads, and stand in the design notes.

mod api;
mod content;
mod figure;
mod listener;
mod node;
mod pair;
mod plan;
mod primitives;
mod report;
mod usage;
mod workload;

pub use node::serve;
pub use plan::{Plan, Shape, Workload};
pub use report::Report;

use pair::Pair;
use primitives::Primitives;

/// Why a measurement could not be taken.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs what the plan asks for; `progress` hears what is being done.
///
/// # Errors
/// When a node does not start, or answers with an error.
pub fn run(plan: &Plan, progress: &dyn Fn(&str)) -> Result<Report, Failure> {
    progress("primitive costs");
    let primitives = Primitives::measure(&plan.directory)?;
    let mut report = Report::new(plan, primitives);
    for shape in &plan.shapes {
        progress(&format!("shape {shape}: loading {} records", plan.records));
        let mut pair = Pair::load(plan, *shape)?;
        for workload in Workload::ALL {
            // The first replication is what the others stand on.
            if workload == Workload::First || plan.workloads.contains(&workload) {
                progress(&format!("shape {shape}: {workload}"));
                let figures = workload::measure(workload, &mut pair, &report.primitives)?;
                report.add(*shape, workload, figures);
            }
        }
    }
    Ok(report)
}
