//! Waiting: by asking again, with a deadline, and never in vain after somebody said stop.

use super::DemoError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two questions: short beside what a person notices, long beside what a question costs.
const PAUSE: Duration = Duration::from_millis(50);
/// Nodes of a large network are asked less often.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// What a question found.
pub(super) enum Found<T> {
    /// What was waited for.
    Done(T),
    /// Who is behind, and by what.
    Behind(String),
}

/// How long to wait, and whether to go on at all.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    limit: Duration,
    interrupted: Arc<AtomicBool>,
}

impl Patience {
    pub(super) fn new(limit: Duration, interrupted: Arc<AtomicBool>) -> Self {
        Self { limit, interrupted }
    }

    pub(super) fn check(&self) -> Result<(), DemoError> {
        if self.interrupted.load(Ordering::SeqCst) { Err(DemoError::Interrupted) } else { Ok(()) }
    }

    /// Asks until the answer is there. A question that fails ends the wait.
    pub(super) fn until<T>(
        &self,
        what: &str,
        mut question: impl FnMut() -> Result<Found<T>, DemoError>,
    ) -> Result<T, DemoError> {
        let started = Instant::now();
        let mut pause = PAUSE;
        loop {
            self.check()?;
            match question()? {
                Found::Done(answer) => return Ok(answer),
                Found::Behind(behind) if started.elapsed() >= self.limit => {
                    let seconds = self.limit.as_secs();
                    return Err(DemoError::Late { what: what.to_owned(), seconds, behind });
                }
                Found::Behind(_) => std::thread::sleep(pause),
            }
            pause = (pause + pause / 4).min(PAUSE_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_passes_names_who_is_behind() {
        let patience = Patience::new(Duration::ZERO, Arc::default());
        let late = patience.until::<()>("all agree", || Ok(Found::Behind("aulla: 3 of 4".into())));
        let message = late.unwrap_err().to_string();
        assert!(message.contains("aulla: 3 of 4") && message.contains("all agree"), "{message}");
    }

    #[test]
    fn nobody_waits_after_an_interruption() {
        let patience = Patience::new(Duration::from_secs(60), Arc::new(AtomicBool::new(true)));
        let ended = patience.until::<()>("anything", || Ok(Found::Behind(String::new())));
        assert!(matches!(ended, Err(DemoError::Interrupted)));
    }
}
