//! A node as a process of its own.

use super::Failure;
use super::api::Api;
use sincronia_node::config::Key;
use sincronia_node::keystore::{Strength, Unlock, create_key_file};
use sincronia_node::setup::{InitOptions, initialise};
use sincronia_node::{RunOptions, run};
use sincronia_protocol::recovery::WordList;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a node may take to start or stop.
const PATIENCE: Duration = Duration::from_mins(1);
/// How finely a start is observed.
const GLANCE: Duration = Duration::from_micros(500);

/// A node as a process of its own.
pub struct Node {
    /// Its organisation.
    pub organisation: String,
    directory: PathBuf,
    program: PathBuf,
    process: Option<Child>,
}

impl Node {
    /// Founds an organisation with a node in `directory`.
    pub fn found(program: &Path, directory: PathBuf, name: &str) -> Result<Self, Failure> {
        let key = key_file(&directory);
        create_key_file(&key)?;
        let founded = initialise(&InitOptions {
            directory: directory.clone(),
            name: name.into(),
            words: WordList::Italian,
            unlock: Unlock::KeyFile(key),
            strength: Strength::Light,
        })?;
        let organisation = founded.organisation.to_string();
        Ok(Self { organisation, directory, program: program.into(), process: None })
    }

    /// Starts the process and waits until its API is announced.
    pub fn start(&mut self) -> Result<Api, Failure> {
        let process = Command::new(&self.program)
            .arg("node")
            .arg(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        self.process = Some(process);
        let until = Instant::now() + PATIENCE;
        loop {
            if let Ok(address) = std::fs::read_to_string(self.directory.join("api-address")) {
                let token = std::fs::read_to_string(self.directory.join("api-token"))?;
                return Ok(Api::new(&address, &token));
            }
            let ended = self.process.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || Instant::now() > until {
                return Err(
                    format!("the node in {} did not start", self.directory.display()).into()
                );
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Stops the process in order.
    pub fn stop(&mut self, api: &Api) -> Result<(), Failure> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let asked: Result<serde_json::Value, Failure> = api.post("/shutdown", &());
        if asked.is_err() {
            process.kill()?;
        }
        process.wait()?;
        Ok(())
    }

    /// The number of the process.
    pub fn process(&self) -> Result<u32, Failure> {
        Ok(self.process.as_ref().ok_or("the node does not run")?.id())
    }

    /// Bytes of its store.
    pub fn stored_bytes(&self) -> Result<u64, Failure> {
        Ok(std::fs::metadata(self.directory.join("store.redb"))?.len())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Nothing more can be done for a process that does not even end.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What the process of a node does: runs the node in `directory` until it is asked to stop.
///
/// # Errors
/// When the node cannot start.
pub fn serve(directory: PathBuf) -> Result<(), Failure> {
    let options = RunOptions {
        unlock: Unlock::KeyFile(key_file(&directory)),
        directory,
        overrides: vec![
            (Key::NetworkListen, "/ip4/127.0.0.1/tcp/0".into()),
            (Key::LogLevel, "warn".into()),
        ],
        words: WordList::Italian,
        offline: false,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(run(options, std::future::pending()))?)
}

/// Beside the directory, where the node itself would not look for it.
fn key_file(directory: &Path) -> PathBuf {
    directory.with_extension("key")
}
