//! Secrets come from a prompt, a file, or a systemd credential, never from the command line.

use super::arguments::Unlocking;
use super::context::Context;
use super::failure::{Exit, Failure};
use sincronia_node::keystore::Unlock;
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::recovery::{RecoveryError, restore_entropy};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// Nobody types more; a larger file was named by mistake.
const PASSPHRASE_BYTES_MAX: u64 = 4096;
/// Shorter ones are guessed.
const PASSPHRASE_CHARACTERS_MIN: usize = 12;
/// What a keystore expects of a key file.
const KEY_BYTES: usize = 32;

/// What opens the keystore that exists.
pub fn unlock(context: &Context, given: &Unlocking) -> Result<Unlock, Failure> {
    if let Some(unlock) = from_files(context, given)? {
        return Ok(unlock);
    }
    let question = context.texts.text("ask-passphrase");
    prompt(context, &question).map(Unlock::Passphrase)
}

/// What will open a keystore that is being made: a passphrase is asked for twice.
pub fn choose(context: &Context, given: &Unlocking) -> Result<Unlock, Failure> {
    if let Some(unlock) = from_files(context, given)? {
        if let Unlock::Passphrase(passphrase) = &unlock {
            long_enough(context, passphrase)?;
        }
        return Ok(unlock);
    }
    context.say("passphrase-advice");
    let first = prompt(context, &context.texts.text("ask-new-passphrase"))?;
    long_enough(context, &first)?;
    let second = prompt(context, &context.texts.text("ask-passphrase-again"))?;
    if *first != *second {
        return Err(context.fail(Exit::Usage, "passphrase_differs", ""));
    }
    Ok(Unlock::Passphrase(first))
}

fn from_files(context: &Context, given: &Unlocking) -> Result<Option<Unlock>, Failure> {
    if let Some(path) = &given.key_file {
        return Ok(Some(Unlock::KeyFile(path.clone())));
    }
    if let Some(path) = &given.passphrase_file {
        return from_file(context, path).map(|text| Some(Unlock::Passphrase(text)));
    }
    if let Some(path) = credential("sincronia-key") {
        return Ok(Some(Unlock::KeyFile(path)));
    }
    match credential("sincronia-passphrase") {
        Some(path) => from_file(context, &path).map(|text| Some(Unlock::Passphrase(text))),
        None => Ok(None),
    }
}

/// A credential that systemd hands to the service, if it does.
fn credential(name: &str) -> Option<PathBuf> {
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|path| !path.is_empty())?;
    let path = PathBuf::from(directory).join(name);
    path.is_file().then_some(path)
}

/// The recovery entropy from the words in a file, or as typed. Whoever calls this drops it as soon
/// as it has signed.
pub fn recovery(context: &Context, file: Option<&Path>) -> Result<Secret<32>, Failure> {
    let words = match file {
        Some(path) => from_private(context, path, "recovery_file")?,
        None if !context.interactive() => {
            return Err(context.fail(Exit::Usage, "no_recovery_words", ""));
        }
        None => prompt(context, &context.texts.text("ask-recovery-words"))?,
    };
    restore_entropy(&words).map_err(|error| match error {
        RecoveryError::Count(count) => {
            context.fail(Exit::Usage, "recovery_count", &count.to_string())
        }
        RecoveryError::Word(number) => {
            context.fail(Exit::Usage, "recovery_word", &number.to_string())
        }
        _ => context.fail(Exit::Usage, "recovery_checksum", ""),
    })
}

fn from_file(context: &Context, path: &Path) -> Result<Zeroizing<String>, Failure> {
    from_private(context, path, "passphrase_file")
}

/// A path as it was typed, unless it may be the secret itself instead of a file with it.
fn named(path: &Path) -> String {
    let text = path.display().to_string();
    let is_phrase = !text.contains('/') && text.contains(char::is_whitespace);
    if is_phrase { "…".to_owned() } else { text }
}

/// The text of a file that only its owner can read; `code` names the failure.
fn from_private(context: &Context, path: &Path, code: &str) -> Result<Zeroizing<String>, Failure> {
    let named = named(path);
    let unreadable = |cause: &dyn std::fmt::Display| {
        context.fail(Exit::Usage, code, &format!("{named}: {cause}"))
    };
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => context.fail(Exit::NotFound, "no_file", &named),
        _ => unreadable(&error),
    })?;
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(unreadable(&context.texts.text("readable-by-others")));
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(PASSPHRASE_BYTES_MAX + 1).read_to_string(&mut text);
    let read = read.map_err(|error| unreadable(&error))?;
    if read as u64 > PASSPHRASE_BYTES_MAX {
        return Err(unreadable(&context.texts.text("too-long")));
    }
    // Editors end the file with a line end that nobody chose as part of the passphrase.
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(text)
}

/// A secret that is typed unseen.
pub fn prompt(context: &Context, question: &str) -> Result<Zeroizing<String>, Failure> {
    if !context.interactive() {
        return Err(context.fail(Exit::Usage, "no_passphrase", ""));
    }
    let typed = rpassword::prompt_password(format!("{question} "));
    typed.map(Zeroizing::new).map_err(|error| Failure::told(Exit::Error, "input", error))
}

fn long_enough(context: &Context, passphrase: &str) -> Result<(), Failure> {
    if passphrase.chars().count() >= PASSPHRASE_CHARACTERS_MIN {
        return Ok(());
    }
    let least = PASSPHRASE_CHARACTERS_MIN.to_string();
    Err(context.fail(Exit::Usage, "passphrase_short", &least))
}

/// Words that are wiped when they are not needed any more.
pub struct Words(Vec<String>);

impl Words {
    /// Takes them over.
    #[must_use]
    pub fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    /// The words.
    #[must_use]
    pub fn expose(&self) -> &[String] {
        &self.0
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Writes a new file that only its owner can read. One that exists is never replaced: it may be the
/// only copy of something. What could not be written whole goes again: half a key file, or half an
/// invitation, would stand in the way of the next attempt.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = create_private(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(std::fs::remove_file(path)))
}

/// Creates such a file, still empty.
pub fn create_private(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A key file that may have been made for a node: if the node does not come to be, it goes again.
#[must_use]
pub struct MadeKeyFile(Option<PathBuf>);

impl MadeKeyFile {
    /// There is a node that opens with it.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for MadeKeyFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // It opens nothing.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Makes the key file that was named, unless it is there.
pub fn make_key_file(context: &Context, unlock: &Unlock) -> Result<MadeKeyFile, Failure> {
    let Unlock::KeyFile(path) = unlock else { return Ok(MadeKeyFile(None)) };
    if path.exists() {
        return Ok(MadeKeyFile(None));
    }
    let failed = |cause: &dyn std::fmt::Display| {
        context.fail(Exit::Error, "file", &format!("{}: {cause}", path.display()))
    };
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| failed(&error))?;
    write_private(path, key.as_slice()).map_err(|error| failed(&error))?;
    Ok(MadeKeyFile(Some(path.clone())))
}
