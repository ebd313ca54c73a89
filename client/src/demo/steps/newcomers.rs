//! Step (c): organisations from elsewhere join while all runs, and receive just their own.

use crate::demo::DemoError;
use crate::demo::expectation::expected;
use crate::demo::network::Network;
use crate::demo::reading::read;
use crate::demo::report::{Report, Verdict};

pub(super) fn play(network: &mut Network<'_>, report: &mut Report) -> Result<(), DemoError> {
    let newcomers = network.newcomers();
    if newcomers.is_empty() {
        return Ok(());
    }
    report.timed("start", || network.start(&newcomers))?;
    let wanted = expected(&network.data, &network.present());
    report.check("newcomers-join", || {
        network.join(&newcomers)?;
        network.write(&newcomers)?;
        Ok(Verdict::held(newcomers.join(", ")))
    })?;
    super::converged(network, &wanted, "newcomers-converge", report)?;
    report.check("newcomers-read-their-own", || {
        let mut objections = Vec::new();
        for (key, wanted) in wanted.iter().filter(|(key, _)| newcomers.contains(key)) {
            let found = read(network.node(key)?)?;
            let differences = wanted.differences(&found);
            objections.extend(differences.iter().map(|text| format!("{key}: {text}")));
        }
        Ok(Verdict::unless(&objections, newcomers.join(", ")))
    })?;
    Ok(())
}
