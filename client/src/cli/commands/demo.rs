//! `sincronia demo`: a real federation in one command.

use super::Outcome;
use crate::cli::arguments::Demo;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::demo::data::DataError;
use crate::demo::{self, DemoError, Moment, Options, Report};
use crate::output::progress::Progress;
use crate::output::{print, table::Rows};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) fn run(context: &Context, arguments: &Demo) -> Outcome {
    let options = options(context, arguments)?;
    let interrupted = options.interrupted.clone();
    watch(interrupted.clone())
        .map_err(|error| Failure::told(Exit::Error, "interruption", error))?;
    let display = Display::new(context);
    let report = demo::run(&options, &|moment| display.show(moment), |report| {
        display.clear();
        show(context, report);
        if !arguments.once {
            linger(context, report, &interrupted);
        }
    });
    match report {
        Ok(report) if report.held() => Ok(Exit::Done),
        Ok(report) => {
            let failed = report.checks.iter().filter(|check| !check.held).count();
            Err(context.fail(Exit::Error, "demo_checks", &failed.to_string()))
        }
        Err(DemoError::Data(DataError::Count { least, most })) => {
            Err(context.fail(Exit::Usage, "demo_count", &format!("{least}–{most}")))
        }
        Err(DemoError::Interrupted) => Err(context.fail(Exit::Error, "interrupted", "")),
        Err(error) => Err(Failure::told(Exit::Error, "demo_failed", error)),
    }
}

fn options(context: &Context, arguments: &Demo) -> Result<Options, Failure> {
    let binary =
        std::env::current_exe().map_err(|error| Failure::told(Exit::Error, "program", error))?;
    let mut options = Options::new(binary);
    options.organisations = arguments.organisations;
    options.directory.clone_from(&context.global.directory);
    options.seed = arguments.seed;
    options.patience = Duration::from_secs(arguments.patience);
    Ok(options)
}

/// An interruption from the keyboard, or the end of the session, ends the demonstration in order.
fn watch(interrupted: Arc<AtomicBool>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            if let Ok(mut terminate) = signal(SignalKind::terminate()) {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
                interrupted.store(true, Ordering::SeqCst);
            }
        });
    });
    Ok(())
}

fn show(context: &Context, report: &Report) {
    if context.output.json {
        context.output.document("demo", report);
    } else {
        print(report.text(&context.texts, context.output).trim_end());
    }
}

/// Keeps the nodes running, with what is needed to drive them.
fn linger(context: &Context, report: &Report, interrupted: &AtomicBool) {
    let texts = &context.texts;
    let headings = ["key", "api", "directory"].map(|key| texts.text(key));
    let mut rows = Rows::new(context.output, &headings);
    for node in &report.nodes {
        rows.row([node.key.clone(), node.api.clone(), node.directory.clone()]);
    }
    let key = report.nodes.iter().find(|node| node.key == "mulazzo").or(report.nodes.first());
    let key = key.map(|node| node.key.clone()).unwrap_or_default();
    context.output.message(&rows.to_string());
    context.output.message(&texts.with("demo-running", &[("key", key.into())]));
    while !interrupted.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// One line that says what is going on, and when nobody watches a line for each kind of step: later
/// parts of the demonstration take the same steps again.
struct Display<'a> {
    context: &'a Context,
    progress: Mutex<Option<Progress>>,
    told: Mutex<BTreeSet<&'static str>>,
}

impl<'a> Display<'a> {
    fn new(context: &'a Context) -> Self {
        let progress = Progress::waiting(context.texts.text("demo-starting-all"));
        Self { context, progress: Mutex::new(Some(progress)), told: Mutex::default() }
    }

    fn show(&self, moment: Moment) {
        let text = self.context.texts.text(moment.key);
        let line = format!("{text} {}/{}", moment.done, moment.all);
        if let Ok(progress) = self.progress.lock()
            && let Some(progress) = progress.as_ref()
        {
            progress.say(line);
        }
        let is_watched = std::io::IsTerminal::is_terminal(&std::io::stderr());
        if !is_watched && self.is_first(moment) {
            self.context.output.message(&text);
        }
    }

    fn is_first(&self, moment: Moment) -> bool {
        self.told.lock().is_ok_and(|mut told| told.insert(moment.key))
    }

    fn clear(&self) {
        if let Ok(mut progress) = self.progress.lock() {
            progress.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};

    /// The newcomers are started, invited and written for like those before them, and a log said
    /// everything twice.
    #[test]
    fn each_kind_of_step_is_told_once() {
        let context = Context::new(Catalogue::new(Language::En), Global::default());
        let display = Display::new(&context);
        let steps = ["demo-starting", "demo-joining", "demo-starting", "demo-joining"];
        let told = steps.map(|key| display.is_first(Moment { key, done: 0, all: 1 }));
        assert_eq!(told, [true, true, false, false]);
    }
}
