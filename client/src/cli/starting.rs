//! Why a node cannot be set up or started, in the words of the catalogue.
//!
//! The node's library explains itself in English. Whoever starts a node reads these most of all,
//! so each has a code, a sentence and a remedy of its own.

use super::context::Context;
use super::failure::{Exit, Failure};
use sincronia_node::RunError;
use sincronia_node::backup::RestoreError;
use sincronia_node::config::{ConfigError, DirectoryError, Key, NodeDirectory, Origin};
use sincronia_node::keystore::KeystoreError;
use sincronia_node::machine::SetupMachineError;
use sincronia_node::setup::SetupError;
use sincronia_node::{network::NetworkError, store::StoreError};
use sincronia_protocol::backup::BackupError;
use sincronia_protocol::identity::MachineError;
use std::io::ErrorKind;
use std::path::Path;

/// Why a node was not set up.
pub fn not_set_up(context: &Context, error: &SetupError) -> Failure {
    match error {
        SetupError::Config(error) => config(context, error),
        SetupError::Directory(error) => directory(context, error),
        SetupError::Keystore(error) => keystore(context, error),
        SetupError::Store(error) => store(context, error),
        SetupError::Name => context.fail(Exit::Usage, "organisation_name", ""),
        error => Failure::told(Exit::Error, "setup", error),
    }
}

/// Why another machine was not set up or admitted.
pub fn not_admitted(context: &Context, error: &SetupMachineError) -> Failure {
    match error {
        SetupMachineError::Directory(error) => directory(context, error),
        SetupMachineError::Keystore(error) => keystore(context, error),
        SetupMachineError::Store(error) => store(context, error),
        SetupMachineError::Machine(error) => unusable(context, error),
        error => Failure::told(Exit::Error, "setup", error),
    }
}

/// Why a backup cannot be used, or a node was not restored from it.
pub fn not_restored(context: &Context, error: &RestoreError) -> Failure {
    let damaged = |code: &str, place: &dyn std::fmt::Display| {
        context.fail(Exit::Error, code, &context.texts.told(&place.to_string()))
    };
    match error {
        RestoreError::Backup(BackupError::Foreign) => damaged("backup_foreign", &""),
        RestoreError::Backup(BackupError::Newer(_)) => damaged("backup_newer", &""),
        RestoreError::Backup(BackupError::Damaged(place)) => damaged("backup_damaged", place),
        RestoreError::Backup(BackupError::Truncated(place)) => damaged("backup_truncated", place),
        RestoreError::Backup(BackupError::Words) => {
            context.fail(Exit::NotPermitted, "recovery_other", "")
        }
        RestoreError::Words => context.fail(Exit::NotPermitted, "repair_words", ""),
        RestoreError::Backup(error) => damaged("backup_damaged", error),
        RestoreError::Config(error) => config(context, error),
        RestoreError::Directory(error) => directory(context, error),
        RestoreError::Forked => context.fail(Exit::NotPermitted, "restore_forked", ""),
        RestoreError::Keystore(error) => keystore(context, error),
        RestoreError::Replaced(replacement) => {
            context.fail(Exit::NotPermitted, "replaced", &replacement.to_string())
        }
        RestoreError::NoIdentity => context.fail(Exit::Error, "repair_no_identity", ""),
        RestoreError::Ruined => context.fail(Exit::Error, "repair_nothing", ""),
        RestoreError::Store(error) => store(context, error),
        error => Failure::told(Exit::Error, "restore", error),
    }
}

/// The directory of a node that was set up.
pub fn node_in(context: &Context, path: &Path) -> Result<NodeDirectory, Failure> {
    NodeDirectory::open(path).map_err(|error| directory(context, &error))
}

/// Why a request or an admission cannot be used.
pub fn unusable(context: &Context, error: &MachineError) -> Failure {
    let code = match error {
        MachineError::Organisation => "machine_organisation",
        MachineError::Node => "machine_other",
        MachineError::Version => "machine_version",
        _ => {
            let said = context.texts.told(&error.to_string());
            return context.fail(Exit::Usage, "machine_text", &said);
        }
    };
    context.fail(Exit::Usage, code, "")
}

/// Why a node does not run.
pub fn not_run(context: &Context, error: &RunError) -> Failure {
    match error {
        RunError::Api { address, cause } => {
            let cause = context.cause(cause);
            context.fail(Exit::Network, "api_address", &format!("{address}: {cause}"))
        }
        RunError::Config(error) => config(context, error),
        RunError::Directory(error) => directory(context, error),
        RunError::Keystore(error) => keystore(context, error),
        RunError::Network(error) => network(context, error),
        RunError::Replaced(replacement) => {
            context.fail(Exit::NotPermitted, "replaced", &replacement.to_string())
        }
        RunError::NotAdmitted => context.fail(Exit::NotPermitted, "not_admitted", ""),
        RunError::Store(error) => store(context, error),
        error => Failure::told(Exit::Error, "run", error),
    }
}

/// What is wrong with the settings.
pub fn config(context: &Context, error: &ConfigError) -> Failure {
    let (code, detail) = match error {
        ConfigError::Remote { address } => ("setting_remote", address.to_string()),
        ConfigError::Syntax { path, cause } => {
            ("settings_syntax", format!("{}\n{}", path.display(), cause.trim_end()))
        }
        ConfigError::Unknown { name, place, nearest } => {
            let meant = nearest.as_ref().map(|name| format!(" (→ {name}?)")).unwrap_or_default();
            // `config show` cannot list them while this one stands there.
            let known = Key::ALL.map(|key| key.to_string()).join(", ");
            let detail = format!("“{name}”, {place}{meant}");
            let named = [("detail", detail.into()), ("known", known.into())];
            return context.fail_with(Exit::Usage, "setting_unknown", &named);
        }
        ConfigError::Unreadable { path, cause } => ("file", format!("{}: {cause}", path.display())),
        ConfigError::Value { key, origin, expected } => {
            let expected = context.texts.said(expected).unwrap_or_else(|| (*expected).to_owned());
            ("setting_value", format!("{key} ({}): {expected}", self::origin(context, origin)))
        }
        error => return Failure::told(Exit::Usage, "config", error),
    };
    context.fail(Exit::Usage, code, &detail)
}

/// Where a setting comes from.
pub fn origin(context: &Context, origin: &Origin) -> String {
    match origin {
        Origin::Default => context.texts.text("origin-default"),
        Origin::Flag => context.texts.text("origin-flag"),
        Origin::Environment(name) => {
            context.texts.with("origin-environment", &[("name", name.as_str().into())])
        }
        Origin::File(path) => path.display().to_string(),
    }
}

fn directory(context: &Context, error: &DirectoryError) -> Failure {
    let (exit, code, detail) = match error {
        DirectoryError::InUse { path, process } => {
            let process = process.map(|number| format!(" ({number})")).unwrap_or_default();
            (Exit::Error, "directory_in_use", format!("{}{process}", path.display()))
        }
        DirectoryError::Io { path, cause } => return unwritable(context, path, cause),
        DirectoryError::Keyless { path } => {
            (Exit::NotFound, "keystore_missing", path.display().to_string())
        }
        DirectoryError::Missing { path } => {
            (Exit::NotFound, "no_node_here", path.display().to_string())
        }
        DirectoryError::Open { path } => {
            (Exit::NotPermitted, "directory_open", path.display().to_string())
        }
        error => return Failure::told(Exit::Error, "directory", error),
    };
    context.fail(exit, code, &detail)
}

fn keystore(context: &Context, error: &KeystoreError) -> Failure {
    let (exit, code, path) = match error {
        KeystoreError::Damaged(path) => (Exit::Error, "keystore_damaged", path),
        KeystoreError::Exists(path) => (Exit::Usage, "keystore_exists", path),
        KeystoreError::KeyFile(path) if !path.exists() => (Exit::NotFound, "no_file", path),
        KeystoreError::KeyFile(path) => (Exit::Usage, "key_file", path),
        KeystoreError::Missing(path) => (Exit::NotFound, "no_node_here", path),
        KeystoreError::NeedsKeyFile(path) => (Exit::NotPermitted, "needs_key_file", path),
        KeystoreError::NeedsPassphrase(path) => (Exit::NotPermitted, "needs_passphrase", path),
        KeystoreError::Newer(path) => (Exit::Error, "keystore_newer", path),
        KeystoreError::Weak(path) => (Exit::Error, "keystore_weak", path),
        KeystoreError::Wrong => return context.fail(Exit::NotPermitted, "passphrase_wrong", ""),
        // The keystore itself is looked for before: this is a key file that somebody named.
        KeystoreError::Io { path, cause } if cause.kind() == ErrorKind::NotFound => {
            return context.unreadable(path, cause);
        }
        KeystoreError::Io { path, cause } => {
            return unwritable(context, path, cause);
        }
        error => return Failure::told(Exit::Error, "keystore", error),
    };
    context.fail(exit, code, &path.display().to_string())
}

/// A file of the node that the system does not let be read or written.
fn unwritable(context: &Context, path: &Path, cause: &std::io::Error) -> Failure {
    if matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return disk_full(context, path);
    }
    if cause.kind() == ErrorKind::ReadOnlyFilesystem {
        return context.fail(Exit::Error, "directory_read_only", &path.display().to_string());
    }
    let cause = context.cause(cause);
    context.fail(Exit::Error, "directory", &format!("{}: {cause}", path.display()))
}

/// As a running node says it, but for what becomes of a request: here there is none.
/// There is no room for a file.
pub fn disk_full(context: &Context, path: &Path) -> Failure {
    let failure = context.fail(Exit::Error, "disk_full_here", &path.display().to_string());
    Failure { code: "disk_full".into(), ..failure }
}

fn network(context: &Context, error: &NetworkError) -> Failure {
    match error {
        NetworkError::Listen { address, cause } => {
            context.fail(Exit::Network, "listen_address", &format!("{address}: {cause}"))
        }
        NetworkError::BadAddress(address) => context.fail(Exit::Usage, "not_an_address", address),
        error => Failure::told(Exit::Network, "network", error),
    }
}

fn store(context: &Context, error: &StoreError) -> Failure {
    let (code, path, more) = match error {
        StoreError::Busy { path } | StoreError::InUse { path } => ("store_in_use", path, None),
        StoreError::Damaged { path, cause } => ("store_damaged", path, Some(cause.clone())),
        StoreError::Foreign { path } => ("store_foreign", path, None),
        StoreError::Misplaced { path } => ("store_misplaced", path, None),
        StoreError::Full { path } => return disk_full(context, path),
        StoreError::Io { path, .. } if !path.exists() => ("store_missing", path, None),
        StoreError::Io { path, cause } => ("directory", path, Some(cause.clone())),
        StoreError::Newer { path, found, known } => {
            ("store_newer", path, Some(format!("{found} > {known}")))
        }
        error => return Failure::told(Exit::Error, "store", error),
    };
    let more = more.map(|more| format!(": {}", context.texts.told(&more))).unwrap_or_default();
    context.fail(Exit::Error, code, &format!("{}{more}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Global;
    use crate::language::{Catalogue, Language};
    use sincronia_node::backup::Replacement;
    use std::path::PathBuf;

    #[test]
    fn what_keeps_a_node_from_starting_is_said_in_both_languages_with_a_remedy() {
        let path = || PathBuf::from("/srv/nodo/store.redb");
        let io = || std::io::Error::from(std::io::ErrorKind::AddrInUse);
        let errors = [
            RunError::Api { address: "127.0.0.1:1".into(), cause: io() },
            RunError::Config(ConfigError::Syntax { path: path(), cause: "line 1".into() }),
            RunError::Directory(DirectoryError::InUse { path: path(), process: Some(7) }),
            RunError::Directory(DirectoryError::Io { path: path(), cause: io() }),
            RunError::Directory(DirectoryError::Keyless { path: path() }),
            RunError::Directory(DirectoryError::Missing { path: path() }),
            RunError::Directory(DirectoryError::Open { path: path() }),
            RunError::Keystore(KeystoreError::Damaged(path())),
            RunError::Keystore(KeystoreError::Exists(path())),
            RunError::Keystore(KeystoreError::KeyFile(path())),
            RunError::Keystore(KeystoreError::KeyFile(env!("CARGO_MANIFEST_DIR").into())),
            RunError::Keystore(KeystoreError::NeedsKeyFile(path())),
            RunError::Keystore(KeystoreError::NeedsPassphrase(path())),
            RunError::Keystore(KeystoreError::Newer(path())),
            RunError::Keystore(KeystoreError::Weak(path())),
            RunError::Keystore(KeystoreError::Wrong),
            RunError::Network(NetworkError::BadAddress("pippo".into())),
            RunError::Network(NetworkError::Listen { address: "a".into(), cause: "b".into() }),
            RunError::NotAdmitted,
            RunError::Replaced(Replacement::default()),
            RunError::Store(StoreError::Damaged { path: path(), cause: "magic".into() }),
            RunError::Store(StoreError::Foreign { path: path() }),
            RunError::Store(StoreError::Misplaced { path: path() }),
            RunError::Store(StoreError::Full { path: path() }),
            RunError::Store(StoreError::InUse { path: path() }),
            RunError::Store(StoreError::Io { path: path(), cause: "none".into() }),
            RunError::Store(StoreError::Newer { path: path(), found: 9, known: 1 }),
        ];
        for language in Language::ALL {
            let context = Context::new(Catalogue::new(language), Global::default());
            for error in &errors {
                let failure = not_run(&context, error);
                let said = failure.text(&context);
                assert!(!failure.message.starts_with("error-"), "{said}");
                assert!(!failure.remedy.is_empty(), "{said}");
                assert!(!said.contains('$'), "{said}");
                assert_ne!(failure.exit, Exit::Done);
            }
        }
    }
}
