//! What was measured, for people and for machines.

use super::figure::Figure;
use super::plan::{Plan, Shape, Workload};
use super::primitives::Primitives;
use serde_json::{Value, json};
use std::fmt;

/// What was measured.
pub struct Report {
    records: usize,
    changes: usize,
    /// The primitive costs of the same run.
    pub(super) primitives: Primitives,
    sections: Vec<(Shape, Workload, Vec<Figure>)>,
}

impl Report {
    /// A report without figures yet.
    pub(super) const fn new(plan: &Plan, primitives: Primitives) -> Self {
        let (records, changes) = (plan.records, plan.changes);
        Self { records, changes, primitives, sections: Vec::new() }
    }

    pub(super) fn add(&mut self, shape: Shape, workload: Workload, figures: Vec<Figure>) {
        self.sections.push((shape, workload, figures));
    }

    /// For machines. Primitive costs are in microseconds.
    #[must_use]
    pub fn json(&self) -> Value {
        let section = |(shape, workload, figures): &(Shape, Workload, Vec<Figure>)| {
            json!({
                "shape": shape.to_string(),
                "workload": workload.to_string(),
                "figures": figures,
            })
        };
        json!({
            "records": self.records,
            "changes": self.changes,
            "primitives_us": self.primitives,
            "workloads": self.sections.iter().map(section).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} records, {} changes each\n", self.records, self.changes)?;
        for (name, microseconds) in self.primitives.rows() {
            writeln!(formatter, "  {name:<44}{microseconds:>12.1} µs")?;
        }
        writeln!(
            formatter,
            "\n{:<8}{:<24}{:>12} {:<8}{:>12}{:>8}",
            "", "", "measured", "", "limit", "ratio"
        )?;
        for (shape, workload, figures) in &self.sections {
            for figure in figures {
                let Figure { name, value, unit, limit } = figure;
                let limit = limit.map_or(String::new(), |limit| format!("{limit:.2}"));
                let ratio = figure.distance().map_or(String::new(), |one| format!("{one:.1}×"));
                let place = format!("{workload} {shape}");
                writeln!(
                    formatter,
                    "{place:<8}{name:<24}{value:>12.2} {unit:<8}{limit:>12}{ratio:>8}"
                )?;
            }
        }
        Ok(())
    }
}
