//! Signs of life for what takes more than a second, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// Nothing is drawn before: most commands are done by then.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// A line that shows what is being done. It vanishes when it is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Dropped with the progress, which tells the thread below that nothing is left to show.
    _done: Option<Sender<()>>,
}

impl Progress {
    /// Something of unknown length.
    #[must_use]
    pub fn waiting(text: String) -> Self {
        Self::start(ProgressBar::hidden(), "{spinner} {msg} {elapsed}", text)
    }

    /// Something of `steps` steps.
    #[must_use]
    pub fn counting(text: String, steps: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
        Self::start(bar, "{spinner} {msg} {bar:24} {pos}/{len}", text)
    }

    /// Another step is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// What is being done now.
    pub fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    fn start(bar: ProgressBar, template: &str, text: String) -> Self {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(text);
        if !std::io::stderr().is_terminal() {
            return Self { bar, _done: None };
        }
        let (done, waiting) = channel::<()>();
        let shown = bar.clone();
        std::thread::spawn(move || {
            let in_time = waiting.recv_timeout(PATIENCE);
            if in_time == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, _done: Some(done) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
