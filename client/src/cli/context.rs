//! What every command has at hand: texts, output, and the node it talks to.

use super::arguments::{Global, Unlocking};
use super::failure::{Exit, Failure};
use crate::api::Client;
use crate::demo::address_book::AddressBook;
use crate::language::suggestion::{self, Node, option};
use crate::language::{Argument, Catalogue};
use crate::output::Output;
use sincronia_node::api::ApiError;
use sincronia_node::config::{DirectoryError, NodeDirectory};
use sincronia_node::keystore::opens_with_key_file;
use std::collections::BTreeMap;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    /// Every text.
    pub texts: Catalogue,
    /// How to print.
    pub output: Output,
    /// What was typed before the command.
    pub global: Global,
    client: OnceLock<Client>,
    /// Fields that were given by options of their own, and these options.
    options: RwLock<BTreeMap<&'static str, &'static str>>,
}

impl Context {
    pub(super) fn new(texts: Catalogue, global: Global) -> Self {
        let output = Output::new(global.json, texts.language());
        let node = Node { place: named(&global), opening: opening(&global) };
        let (client, options) = (OnceLock::new(), RwLock::default());
        Self { texts: texts.addressing(node), output, global, client, options }
    }

    /// The same, for a command that was told with which file the node opens: so do those that it
    /// suggests.
    pub(super) fn opened_with(self, given: &Unlocking) -> Self {
        let key = given.key_file.as_deref().map(|path| option("--key-file", path));
        let passphrase =
            given.passphrase_file.as_deref().map(|path| option("--passphrase-file", path));
        let Some(opening) = key.or(passphrase) else { return self };
        let node = Node { place: named(&self.global), opening };
        Self { texts: self.texts.addressing(node), ..self }
    }

    /// The node that commands talk to.
    pub fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let directory = self.directory()?;
        let client = Client::connect(&directory);
        let client = client.map_err(|error| self.not_reached(&directory, error))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Nobody starts a node that was never set up.
    fn not_reached(&self, directory: &Path, error: ApiError) -> Failure {
        let found = NodeDirectory::open(directory);
        let is_missing = matches!(found, Err(DirectoryError::Missing { .. }));
        let failure = Failure::from(error);
        if failure.exit != Exit::NotRunning || !is_missing {
            return failure;
        }
        let missing = self.fail(failure.exit, "no_node_here", &directory.display().to_string());
        Failure { code: failure.code, ..missing }
    }

    /// Notes that a field was given by an option of its own: what is wrong with it is told of that.
    pub(super) fn note_option(&self, field: &'static str, option: &'static str) {
        self.options.write().unwrap_or_else(PoisonError::into_inner).insert(field, option);
    }

    /// What the person who typed a field calls it: the option that gave it, and which of several.
    #[must_use]
    pub(super) fn as_typed(&self, field: &str) -> String {
        let options = self.options.read().unwrap_or_else(PoisonError::into_inner);
        let (name, rest) = field.split_at(field.find(['[', '.']).unwrap_or(field.len()));
        let Some(option) = options.get(name) else { return field.to_owned() };
        let at = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match at.and_then(|(at, _)| at.parse::<usize>().ok()) {
            Some(at) => format!("{option} ({})", at.saturating_add(1)),
            None => (*option).to_owned(),
        }
    }

    /// A sentence in which the fields that options gave are called as these. A field whose name is
    /// one word cannot be told from that word.
    #[must_use]
    pub(super) fn with_options(&self, sentence: &str) -> String {
        let options = self.options.read().unwrap_or_else(PoisonError::into_inner);
        let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let piece = |piece: &str| {
            let name = piece.trim_end_matches(|one| !is_name(one));
            match options.get(name).filter(|_| name.contains('_')) {
                Some(option) => piece.replacen(name, option, 1),
                None => piece.to_owned(),
            }
        };
        sentence.split_inclusive(|one| !is_name(one)).map(piece).collect()
    }

    /// The directory of the node.
    pub fn directory(&self) -> Result<PathBuf, Failure> {
        if let Some(key) = &self.global.node {
            let book = AddressBook::open();
            let book = book.map_err(|error| match error.kind() {
                ErrorKind::NotFound => self.fail(Exit::NotRunning, "demo", ""),
                _ => self.fail(Exit::NotRunning, "demo_unreadable", &error.to_string()),
            })?;
            let found = book.directory(key);
            return found.ok_or_else(|| {
                let keys = book.keys().collect::<Vec<_>>().join(", ");
                self.fail(Exit::NotFound, "demo_node", &keys)
            });
        }
        let given = self.global.directory.clone();
        given.or_else(default_directory).ok_or_else(|| self.fail(Exit::Usage, "no_directory", ""))
    }

    /// A failure with the texts of the catalogue.
    pub fn fail(&self, exit: Exit, code: &str, detail: &str) -> Failure {
        self.fail_with(exit, code, &[("detail", detail.into())])
    }

    /// As [`Self::fail`], with other arguments.
    pub fn fail_with(&self, exit: Exit, code: &str, arguments: &[Argument<'_>]) -> Failure {
        Failure::known(self, exit, code, arguments)
    }

    /// Why a file that was named cannot be read: one that is not there is not found.
    pub fn unreadable(&self, path: &Path, error: &std::io::Error) -> Failure {
        let path = path.display();
        if error.kind() == ErrorKind::NotFound {
            return self.fail(Exit::NotFound, "no_file", &path.to_string());
        }
        self.fail(Exit::Usage, "file", &format!("{path}: {}", self.cause(error)))
    }

    /// What the system says, in the words of the catalogue where it has some.
    pub fn cause(&self, error: &std::io::Error) -> String {
        self.texts.text(match error.kind() {
            ErrorKind::AddrInUse => "system-in-use",
            ErrorKind::AlreadyExists => "system-exists",
            ErrorKind::IsADirectory => "system-directory",
            ErrorKind::NotADirectory => "system-no-directory",
            ErrorKind::NotFound => "system-not-found",
            ErrorKind::PermissionDenied => "system-not-permitted",
            ErrorKind::ReadOnlyFilesystem => "system-read-only",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "system-full",
            _ => return error.to_string(),
        })
    }

    /// Whether a question can be asked.
    #[must_use]
    pub fn interactive(&self) -> bool {
        !self.global.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks for a line of text.
    pub fn ask(&self, question: &str) -> Result<String, Failure> {
        if !self.interactive() {
            return Err(self.fail(Exit::Usage, "no_input", question));
        }
        let mut answer = String::new();
        let mut out = std::io::stderr().lock();
        let asked = write!(out, "{question} ").and_then(|()| out.flush());
        let read = asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
        read.map_err(|error| Failure::told(Exit::Error, "input", error))?;
        Ok(answer.trim().to_owned())
    }

    /// Asks whether to go on with what cannot be undone. Without a terminal, `--yes` must say so.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.global.yes {
            return Ok(());
        }
        if !self.interactive() {
            return Err(self.fail(Exit::Usage, "confirm", question));
        }
        let answer = self.ask(&format!("{question} {}", self.texts.text("yes-no")))?;
        let yes = ["s", "sì", "si", "y", "yes"].contains(&answer.to_lowercase().as_str());
        if yes { Ok(()) } else { Err(self.fail(Exit::Error, "declined", "")) }
    }

    /// Says something to the person at the keyboard, in their language.
    pub fn say(&self, key: &str) {
        self.output.message(&self.texts.text(key));
    }
}

/// The words that name the node in suggested commands; none for a directory of the environment,
/// which the next command finds there too.
fn named(global: &Global) -> String {
    if let Some(key) = &global.node {
        return suggestion::by_key(key);
    }
    let inherited = std::env::var_os("SINCRONIA_DIRECTORY").map(PathBuf::from);
    let given = global.directory.as_deref().filter(|path| inherited.as_deref() != Some(*path));
    given.map(suggestion::by_directory).unwrap_or_default()
}

/// What opens the node, as far as its directory tells: of a key file everything but where it is.
fn opening(global: &Global) -> String {
    let directory = global.directory.clone().or_else(default_directory);
    let found = directory.filter(|_| global.node.is_none());
    let found = found.map(|path| NodeDirectory::open(&path));
    let found = found.and_then(Result::ok);
    let is_key_file = found.is_some_and(|found| opens_with_key_file(&found.keystore()));
    if is_key_file { "--key-file FILE".to_owned() } else { String::new() }
}

/// Where the data of a person's programs are, on this system.
fn default_directory() -> Option<PathBuf> {
    let home = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let data = home("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home("LOCALAPPDATA").map(PathBuf::from))
        .or_else(|| home("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    data.map(|data| data.join("sincronia"))
}
