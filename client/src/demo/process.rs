//! One node as a process.

use super::DemoError;
use super::stage::Stage;
use sincronia_node::config::Key;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a node may take to put its things away before it is stopped.
const GRACE: Duration = Duration::from_secs(5);
/// Lines of a log that explain a start that failed.
const LOG_LINES: usize = 3;

/// A running `sincronia run`. It ends with this value, and by itself when this process dies: it
/// follows its standard input (see the argument `--with-parent`).
#[derive(Debug)]
pub(super) struct Process {
    key: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Creates the node of an organisation with the same command that people use.
    pub(super) fn initialise(stage: &Stage, key: &str, name: &str) -> Result<(), DemoError> {
        let failed = |reason: String| DemoError::Process { key: key.to_owned(), reason };
        let output = command(stage, key, "init")
            .arg("--recovery-file")
            .arg(stage.recovery_file(key))
            .arg("--")
            .arg(name)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Runs a command of the node of `key` to its end, as people do; what it printed. `opens` says
    /// whether the command needs what opens the keystore.
    pub(super) fn tell(
        stage: &Stage,
        key: &str,
        words: &[&str],
        opens: bool,
    ) -> Result<String, DemoError> {
        let failed = |reason: String| DemoError::Process { key: key.to_owned(), reason };
        let mut command = program(stage, key);
        command.args(["--yes", "--json"]).args(words);
        if opens {
            command.arg("--key-file").arg(stage.key_file(key));
        }
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Starts it, with or without a line. It is not ready yet.
    pub(super) fn start(stage: &Stage, key: &str, closed: bool) -> Result<Self, DemoError> {
        let failed = |reason: String| DemoError::Process { key: key.to_owned(), reason };
        let log = stage.log(key);
        let file = File::create(&log).map_err(|error| failed(error.to_string()))?;
        let copy = file.try_clone().map_err(|error| failed(error.to_string()))?;
        let mut command = command(stage, key, "run");
        command
            .args(["--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0", "--with-parent"])
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(copy);
        if closed {
            command.env(Key::NetworkClosed.variable(), "true");
        }
        // An interruption from the keyboard is for the demonstration, which then ends its nodes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| failed(error.to_string()))?;
        Ok(Self { key: key.to_owned(), log, child })
    }

    /// An error if it has ended.
    pub(super) fn check(&mut self) -> Result<(), DemoError> {
        let ended = match self.child.try_wait() {
            Ok(None) => return Ok(()),
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let mut last: Vec<_> = said.lines().rev().take(LOG_LINES).collect();
        last.reverse();
        let reason = format!("{ended}; {}", last.join(" / "));
        Err(DemoError::Process { key: self.key.clone(), reason })
    }

    /// Tells it to end, by closing its input.
    pub(super) fn release(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Stops it as a machine stops that falls into the water.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn end(&mut self) {
        self.release();
        let started = Instant::now();
        while started.elapsed() < GRACE {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        // It may have ended just now; then there is nothing to stop, and nothing to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn command(stage: &Stage, key: &str, name: &str) -> Command {
    let mut command = program(stage, key);
    command.arg(name);
    command.arg("--key-file").arg(stage.key_file(key));
    command
}

/// The program without the settings of the person who runs the demonstration.
fn program(stage: &Stage, key: &str) -> Command {
    let mut command = Command::new(&stage.binary);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("SINCRONIA_")) {
        command.env_remove(name);
    }
    command.env_remove("CREDENTIALS_DIRECTORY");
    command.arg("--no-input");
    command.arg("--directory").arg(stage.directory(key));
    command
}
