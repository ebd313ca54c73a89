//! A node that the command set up and runs, and the command as its people type it.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// Ends with its process, which follows its standard input.
pub struct Node {
    home: Option<TempDir>,
    process: Child,
}

impl Node {
    /// Sets a node up and starts it, with or without a line.
    pub fn start(name: &str, is_closed: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let init = sincronia(&home.path().join("node"))
            .args(["init", name, "--no-input", "--key-file"])
            .arg(home.path().join("key"))
            .arg("--recovery-file")
            .arg(home.path().join("words"))
            .output()
            .unwrap();
        assert!(init.status.success(), "{}", says(&init));
        Self::run(home, is_closed)
    }

    /// Stops, and makes a copy of everything: itself again, and its files as they are now.
    pub fn copied(mut self, is_closed: bool) -> (Self, TempDir) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let (home, copy) = (self.home.take().unwrap(), tempfile::tempdir().unwrap());
        let mut command = Command::new("cp");
        let copied = command.arg("-a").arg(home.path().join(".")).arg(copy.path()).status();
        assert!(copied.unwrap().success());
        (Self::run(home, is_closed), copy)
    }

    /// Stops, lets something happen to the directory of the node and its key file, and goes on.
    pub fn meanwhile(mut self, act: impl FnOnce(&Path, &Path)) -> Self {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let home = self.home.take().unwrap();
        act(&home.path().join("node"), &home.path().join("key"));
        Self::run(home, false)
    }

    /// Stops for good, and lets something happen to the directory of the node.
    pub fn stopped(mut self, act: impl FnOnce(&Path)) -> Self {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        act(&self.place("node"));
        self
    }

    /// Starts a node that was set up there.
    pub fn run(home: TempDir, is_closed: bool) -> Self {
        let mut run = sincronia(&home.path().join("node"));
        run.args(["run", "--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0"])
            .args(["--with-parent", "--key-file"])
            .arg(home.path().join("key"))
            .env("SINCRONIA_NETWORK_CLOSED", is_closed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = run.spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        assert!(log.any(|line| line.unwrap().contains(": running")), "it did not start");
        std::thread::spawn(move || log.for_each(drop));
        Self { home: Some(home), process }
    }

    fn home(&self) -> &Path {
        self.home.as_ref().expect("a home").path()
    }

    /// Where files of a person of this node are.
    pub fn place(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// Runs a command at [`Self::place`].
    pub fn tell(&self, words: &[&str]) -> Output {
        self.tell_of("node", words)
    }

    /// As [`Self::tell`], with another directory of a node at [`Self::place`].
    pub fn tell_of(&self, directory: &str, words: &[&str]) -> Output {
        let mut command = sincronia(&self.place(directory));
        command.current_dir(self.home()).args(words).output().unwrap()
    }

    /// As [`Self::tell_of`], where no file can hold anything.
    pub fn tell_where_full(&self, directory: &str, words: &[&str]) -> Output {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_sincronia"));
        command.args(["--language", "en", "--directory"]).arg(self.place(directory));
        command.current_dir(self.home()).args(words).output().unwrap()
    }

    /// As [`Self::tell`], of files whatever their names.
    pub fn tell_of_files(&self, words: &[&str], files: &[PathBuf]) -> Output {
        let mut command = sincronia(&self.place("node"));
        command.current_dir(self.home()).args(words).args(files).output().unwrap()
    }

    /// As [`Self::tell`], to whom reads Italian.
    pub fn tell_italian(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sincronia"));
        command.args(["--language", "it", "--directory"]).arg(self.place("node"));
        command.current_dir(self.home()).args(words).output().unwrap()
    }

    /// As [`Self::tell`], when it must succeed; the data of its answer.
    pub fn ask(&self, words: &[&str]) -> Value {
        let output = self.tell(&[&["--json"], words].concat());
        assert!(output.status.success(), "{words:?}: {}", says(&output));
        data(&output)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sincronia(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sincronia"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SINCRONIA_") {
            command.env_remove(name);
        }
    }
    command.args(["--language", "en", "--directory"]).arg(directory);
    command
}

/// The data of a document.
pub fn data(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["data"].clone()
}

/// Everything that was printed.
pub fn says(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(bytes).unwrap()
}
