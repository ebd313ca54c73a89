//! One measured figure.

use serde::Serialize;

/// One measured figure, and what it would be if only the unavoidable were paid.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What the primitive costs of this run alone would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

impl Figure {
    /// A figure without a known limit.
    pub const fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit, limit: None }
    }

    /// Beside it, what the primitive costs alone would give.
    pub const fn beside(self, limit: f64) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// How far from the limit: 1 is at it, more is further away.
    pub fn distance(&self) -> Option<f64> {
        let limit = self.limit.filter(|limit| *limit > 0.0 && self.value > 0.0)?;
        // A rate falls short of its limit, a cost exceeds it.
        Some(if self.unit.ends_with("/s") { limit / self.value } else { self.value / limit })
    }
}

/// A count as a figure's value; counts here are far below 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub const fn number(count: u64) -> f64 {
    count as f64
}

/// The value below which a share of the sorted `samples` lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index between 0 and the number of samples"
)]
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    let index = (number(last as u64) * share).round() as usize;
    samples.get(index).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_samples() {
        let mut samples: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert!((percentile(&mut samples, 0.5) - 50.0).abs() < f64::EPSILON);
        assert!((percentile(&mut samples, 0.99) - 99.0).abs() < f64::EPSILON);
        assert!(percentile(&mut [], 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn rates_and_costs_keep_their_distance_in_the_same_direction() {
        let close = |one: Option<f64>, other: f64| (one.unwrap() - other).abs() < 1e-9;
        assert!(close(Figure::new("edits", 500.0, "edits/s").beside(1_000.0).distance(), 2.0));
        assert!(close(Figure::new("wall", 6.0, "s").beside(2.0).distance(), 3.0));
    }
}
