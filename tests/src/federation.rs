//! Federations of real nodes: each a process of its own with its directory, keys, redb file and
//! libp2p listener on loopback, driven through its local API.
//!
//! The test program runs itself as the node: a test named [`NODE_TEST`] that calls
//! [`run_if_asked`]. Nothing here sleeps: start-up is read from the node's log, and conditions are
//! looked at again whenever the node tells an event, until a deadline.

mod content;

pub use content::{agreement, practice};
use sincronia_client::api::Client;
use sincronia_client::root::Signing;
use sincronia_node::api::{ApiEvent, InviteRequest, JoinRequest, PartnerView};
use sincronia_node::backup::{self, Heard, Reading, Restoration, RestoreOptions, SalvageReport};
use sincronia_node::config::Key;
use sincronia_node::keystore::{self, Strength, Unlock};
use sincronia_node::machine::{self, RequestOptions};
use sincronia_node::setup::{InitOptions, initialise};
use sincronia_node::{RunOptions, run};
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::identity::{Admission, NodeRequest};
use sincronia_protocol::recovery::{WordList, recovery_sealing, restore_entropy};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// The test that is a node when asked to be one.
pub const NODE_TEST: &str = "node_process";
const DIRECTORY: &str = "NODE_DIRECTORY_UNDER_TEST";
const OFFLINE: &str = "NODE_STARTS_OFFLINE";
const SHORT: &str = "NODE_IS_SHORT_OF_ROOM";
const ANNOUNCED: &str = "NODE_ANNOUNCES";
const CLOSED: &str = "NODE_HAS_NO_LINE";
/// How long anything may take on a slow, shared machine.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Runs this process as the node of the directory in the environment, if there is one.
pub fn run_if_asked() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let directory = PathBuf::from(directory);
    // More than any disk has, or nothing.
    let reserve = if std::env::var_os(SHORT).is_some() { "1000000000" } else { "0" };
    let options = RunOptions {
        unlock: Unlock::KeyFile(key_file(&directory)),
        directory,
        overrides: vec![
            (Key::NetworkListen, "/ip4/127.0.0.1/tcp/0".into()),
            (Key::ReconnectMin, "1".into()),
            (Key::StoreReserve, reserve.into()),
            (Key::NetworkAnnounce, std::env::var(ANNOUNCED).unwrap_or_default()),
            (Key::NetworkClosed, std::env::var_os(CLOSED).is_some().to_string()),
        ],
        words: WordList::Italian,
        offline: std::env::var_os(OFFLINE).is_some(),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Err(error) = runtime.block_on(run(options, std::future::pending())) {
        eprintln!("failed: {error}");
        std::process::exit(1);
    }
    std::process::exit(0);
}

/// An organisation with one node.
pub struct Node {
    /// The organisation's id.
    pub organisation: String,
    /// The node's directory.
    pub directory: PathBuf,
    process: Mutex<Option<Child>>,
    client: Option<Client>,
    /// Lines that it logged since it ran.
    logged: Arc<AtomicU64>,
    _home: TempDir,
}

impl Node {
    /// Founds an organisation and starts its node.
    #[must_use]
    pub fn found(name: &str) -> Self {
        let (mut node, _) = Self::prepare(name);
        node.start();
        node
    }

    /// Founds an organisation and starts its node with its network closed.
    #[must_use]
    pub fn found_closed(name: &str) -> Self {
        let (mut node, _) = Self::prepare(name);
        node.start_closed();
        node
    }

    /// Founds an organisation and starts its node, which tells partners that it is at `address`.
    #[must_use]
    pub fn found_behind(name: &str, address: &str) -> Self {
        let (mut node, _) = Self::prepare(name);
        let mut program = node_process(&node.directory);
        program.env(ANNOUNCED, address);
        node.begin(program);
        node
    }

    /// Where it listens, whatever it tells.
    ///
    /// # Panics
    /// When it never listened.
    #[must_use]
    pub fn listening(&self) -> String {
        let last = std::fs::read_to_string(self.directory.join("last-listen")).expect("a file");
        last.lines().next().expect("an address").to_owned()
    }

    /// Kills it and makes it forget where it listened, so that it starts elsewhere; while the
    /// listener lives, nobody else is where it was.
    ///
    /// # Panics
    /// When it never listened.
    #[must_use]
    pub fn move_away(&mut self) -> TcpListener {
        let port = self.listening().rsplit('/').next().and_then(|port| port.parse::<u16>().ok());
        self.kill();
        std::fs::remove_file(self.directory.join("last-listen")).expect("a file");
        TcpListener::bind(("127.0.0.1", port.expect("a TCP address"))).expect("a free port")
    }

    /// As [`Self::found`], with the recovery words.
    #[must_use]
    pub fn found_with_words(name: &str) -> (Self, String) {
        let (mut node, words) = Self::prepare(name);
        node.start();
        (node, words)
    }

    fn prepare(name: &str) -> (Self, String) {
        let home = TempDir::new().expect("a temporary directory");
        let directory = home.path().join("node");
        keystore::create_key_file(&key_file(&directory)).expect("a key file");
        let founded = initialise(&InitOptions {
            directory: directory.clone(),
            name: name.into(),
            words: WordList::Italian,
            unlock: Unlock::KeyFile(key_file(&directory)),
            strength: Strength::Light,
        });
        let founded = founded.expect("a new directory");
        let (organisation, words) =
            (founded.organisation.to_string(), founded.recovery_words.to_string());
        let (process, client) = (Mutex::new(None), None);
        (
            Self { organisation, directory, process, client, logged: Arc::default(), _home: home },
            words,
        )
    }

    /// A machine that asks to speak for an organisation, and its request.
    ///
    /// # Panics
    /// When its directory cannot be made.
    #[must_use]
    pub fn request(organisation: &str) -> (Self, NodeRequest) {
        let home = TempDir::new().expect("a temporary directory");
        let directory = home.path().join("node");
        keystore::create_key_file(&key_file(&directory)).expect("a key file");
        let request = machine::request(&RequestOptions {
            directory: directory.clone(),
            organisation: organisation.parse().expect("an organisation"),
            unlock: Unlock::KeyFile(key_file(&directory)),
            strength: Strength::Light,
        });
        let organisation = organisation.to_owned();
        let (process, client) = (Mutex::new(None), None);
        let node =
            Self { organisation, directory, process, client, logged: Arc::default(), _home: home };
        (node, request.expect("a new directory"))
    }

    /// Takes its admission, and starts.
    ///
    /// # Panics
    /// When the admission is not for it.
    #[must_use]
    pub fn admit(mut self, admission: &Admission) -> Self {
        let unlock = Unlock::KeyFile(key_file(&self.directory));
        machine::admit(&self.directory, &unlock, admission).expect("its admission");
        self.start();
        self
    }

    /// Restores a node from a backup into a directory of its own, as `sincronia backup restore`
    /// does; it does not run yet.
    ///
    /// # Panics
    /// When the backup cannot be used.
    #[must_use]
    pub fn restore(backup: &[u8], words: &str) -> (Self, Heard) {
        let home = TempDir::new().expect("a temporary directory");
        let directory = home.path().join("node");
        keystore::create_key_file(&key_file(&directory)).expect("a key file");
        let entropy = restore_entropy(words).expect("recovery words");
        let options = restore_options(&directory);
        let restoration = Restoration::begin(
            options,
            Reading::begin(backup).expect("a backup"),
            &recovery_sealing(&entropy),
        )
        .expect("a backup");
        Self::replace(home, directory, restoration, entropy)
    }

    /// Makes a node of what holds in the directory of one that is stopped, as `sincronia repair
    /// --into` does; it does not run yet.
    ///
    /// # Panics
    /// When nothing of it can be used.
    #[must_use]
    pub fn salvage(damaged: &Self, words: &str) -> (Self, SalvageReport) {
        let home = TempDir::new().expect("a temporary directory");
        let directory = home.path().join("node");
        keystore::create_key_file(&key_file(&directory)).expect("a key file");
        let entropy = restore_entropy(words).expect("recovery words");
        let options = restore_options(&directory);
        let salvaged = backup::salvage(options, &damaged.directory, &damaged.unlock());
        let (mut restoration, mut report) = salvaged.expect("a store that opens");
        if !report.knows_identity {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(restoration.recall(&entropy)).expect("the words");
            restoration.salvage_spaces(&mut report).expect("a partner that answers");
        }
        (Self::replace(home, directory, restoration, entropy).0, report)
    }

    /// A copy of its directory as it is now, as a copied virtual machine would be; it does not run
    /// yet.
    ///
    /// # Panics
    /// When the directory cannot be read.
    #[must_use]
    pub fn copy(&self) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        let directory = home.path().join("node");
        std::fs::create_dir(&directory).expect("a directory");
        let mode = std::fs::metadata(&self.directory).expect("a directory").permissions();
        std::fs::set_permissions(&directory, mode).expect("a directory of its own");
        for file in std::fs::read_dir(&self.directory).expect("a directory").flatten() {
            if file.file_type().is_ok_and(|kind| kind.is_file()) {
                std::fs::copy(file.path(), directory.join(file.file_name())).expect("a copy");
            }
        }
        std::fs::copy(key_file(&self.directory), key_file(&directory)).expect("a key file");
        let (process, client) = (Mutex::new(None), None);
        Self {
            organisation: self.organisation.clone(),
            directory,
            process,
            client,
            logged: Arc::default(),
            _home: home,
        }
    }

    /// What opens its keystore.
    #[must_use]
    pub fn unlock(&self) -> Unlock {
        Unlock::KeyFile(key_file(&self.directory))
    }

    fn replace(
        home: TempDir,
        directory: PathBuf,
        mut restoration: Restoration,
        entropy: Secret<32>,
    ) -> (Self, Heard) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let heard = runtime.block_on(restoration.recall(&entropy));
        let heard = heard.expect("one identity log");
        let log = restoration.identity().expect("a store");
        let mut signing = Signing::after(&log, entropy).expect("the words");
        for operation in restoration.operations() {
            signing.say(operation).expect("a possible operation");
        }
        let restored = restoration.finish(signing.signed()).expect("a node");
        let organisation = restored.organisation.to_string();
        let (process, client) = (Mutex::new(None), None);
        (
            Self { organisation, directory, process, client, logged: Arc::default(), _home: home },
            heard,
        )
    }

    /// Starts the process and waits until its API answers.
    ///
    /// # Panics
    /// When it ends instead; its last words are in the message.
    pub fn start(&mut self) {
        self.begin(node_process(&self.directory));
    }

    /// Starts it as `sincronia run --offline` does.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_offline(&mut self) {
        let mut program = node_process(&self.directory);
        program.env(OFFLINE, "yes");
        self.begin(program);
    }

    /// Starts it on a disk that is nearly full.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_short(&mut self) {
        let mut program = node_process(&self.directory);
        program.env(SHORT, "yes");
        self.begin(program);
    }

    /// Starts it as the setting `network.closed` does.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_closed(&mut self) {
        let mut program = node_process(&self.directory);
        program.env(CLOSED, "yes");
        self.begin(program);
    }

    /// Starts it behind a shell that does this first: what a machine denies its programs.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_after(&mut self, commands: &str) {
        let program = behind(commands, &self.directory);
        self.begin(program);
    }

    /// What it says when it does not start behind such a shell.
    ///
    /// # Panics
    /// When there is no shell.
    #[must_use]
    pub fn refusal_after(&self, commands: &str) -> String {
        let mut process = behind(commands, &self.directory).spawn().expect("a shell");
        let words = await_running(process.stderr.take().expect("a pipe"), Arc::default());
        let _ = process.kill();
        let _ = process.wait();
        words
    }

    /// Waits until its process has ended by itself.
    ///
    /// # Panics
    /// When it does not run, or the deadline passes first.
    pub fn wait_stopped(&self) {
        let mut process = self.process.lock().expect("nobody panics with it");
        let process = process.as_mut().expect("a node that was started");
        let end = Instant::now() + DEADLINE;
        while process.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < end, "it still runs");
            std::thread::yield_now();
        }
    }

    /// Sends a signal to its process, by the signal's name.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, name: &str) {
        let process = self.process.lock().expect("nobody panics with it");
        let number = process.as_ref().expect("a running node").id().to_string();
        let sent = Command::new("kill").args(["-s", name, &number]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal {name}");
    }

    fn begin(&mut self, mut program: Command) {
        let mut process = program.spawn().expect("this program");
        let errors = process.stderr.take().expect("a pipe");
        self.process = Mutex::new(Some(process));
        let words = await_running(errors, Arc::clone(&self.logged));
        assert!(words.contains("running"), "the node did not start: {words}");
        self.client = Some(Client::connect(&self.directory).expect("a running node"));
    }

    /// The typed client of its API.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.client.as_ref().expect("a running node")
    }

    /// The most memory that its process ever had, in bytes, as the system says.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        let process = self.process.lock().expect("nobody panics with it");
        let number = process.as_ref().expect("a running node").id();
        let status = std::fs::read_to_string(format!("/proc/{number}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kibibytes.and_then(|text| text.trim().parse::<u64>().ok()).expect("a number") * 1024
    }

    /// Lines that it wrote into its log since it was first started, without those of the start.
    #[must_use]
    pub fn lines_logged(&self) -> u64 {
        self.logged.load(Ordering::Relaxed)
    }

    /// The seed of its node key, for tests that speak in its name.
    ///
    /// # Panics
    /// When its keystore does not open.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        let path = self.directory.join("keystore.cbor");
        let unlock = Unlock::KeyFile(key_file(&self.directory));
        Zeroizing::new(keystore::open(&path, &unlock).expect("its keystore").node)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.kill_now();
        self.client = None;
    }

    /// `kill -9` while somebody still holds the client.
    pub fn kill_now(&self) {
        let process = self.process.lock().expect("nobody panics with it").take();
        if let Some(mut process) = process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Joins by an invitation of `host`.
    #[must_use]
    pub fn join(&self, host: &Self) -> PartnerView {
        let invitation = host.client().invite(&InviteRequest::default()).expect("an invitation");
        let request = JoinRequest { invitation: invitation.text, addresses: Vec::new() };
        self.client().join(&request).expect("a joining")
    }

    /// Waits until `holds`; looked at again at every event of the node.
    ///
    /// # Panics
    /// When the deadline passes first.
    pub fn wait(&self, what: &str, holds: impl Fn(&Client) -> bool) {
        let events = self.listen();
        let end = Instant::now() + DEADLINE;
        while !holds(self.client()) {
            let rest = end.saturating_duration_since(Instant::now());
            // A second without an event is as good an occasion to look as an event.
            match events.recv_timeout(rest.min(Duration::from_secs(1))) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) if rest > Duration::ZERO => {}
                Err(_) => panic!("{what}: not within {DEADLINE:?}"),
            }
        }
    }

    fn listen(&self) -> Receiver<ApiEvent> {
        let (sender, receiver) = channel();
        let events = self.client().events().expect("an event stream");
        std::thread::spawn(move || {
            for event in events.flatten() {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Waits until it is in sync with every partner.
    pub fn wait_in_sync(&self) {
        self.wait("in sync with everybody", |client| {
            let status = client.status().expect("a status");
            status.counts.in_sync == status.counts.partners && !status.projecting
        });
    }
}

fn restore_options(directory: &Path) -> RestoreOptions {
    RestoreOptions {
        directory: directory.to_path_buf(),
        unlock: Unlock::KeyFile(key_file(directory)),
        strength: Strength::Light,
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a second process on the directory says before it ends.
#[must_use]
pub fn last_words(directory: &Path) -> String {
    let mut process = node_process(directory).spawn().expect("this program");
    let words = await_running(process.stderr.take().expect("a pipe"), Arc::default());
    let _ = process.kill();
    let _ = process.wait();
    words
}

/// The key file beside a node's directory.
#[must_use]
pub fn key_file(directory: &Path) -> PathBuf {
    directory.with_extension("key")
}

fn node_process(directory: &Path) -> Command {
    let mut program = Command::new(std::env::current_exe().expect("this program"));
    program
        .args(["--exact", NODE_TEST, "--nocapture"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    program
}

fn behind(commands: &str, directory: &Path) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", &format!("{commands}; exec \"$0\" \"$@\"")])
        .arg(program)
        .args(["--exact", NODE_TEST, "--nocapture"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    shell
}

/// The node's log up to the line that says it runs, or to its end. What follows is read, counted
/// and thrown away, so that the node never waits for a full pipe.
fn await_running(errors: ChildStderr, logged: Arc<AtomicU64>) -> String {
    let mut words = String::new();
    let mut lines = BufReader::new(errors).lines();
    for line in lines.by_ref().map_while(Result::ok) {
        words.push_str(&line);
        words.push('\n');
        if line.contains(": running") {
            break;
        }
    }
    std::thread::spawn(move || {
        for _ in lines {
            logged.fetch_add(1, Ordering::Relaxed);
        }
    });
    words
}
