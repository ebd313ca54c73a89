//! Why the store cannot be used.

use redb::StorageError;
use std::cell::Cell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// What a panic of redb means.
const CONTRADICTORY: &str = "its pages contradict one another";

/// Why the store cannot be used. Each says what to do next.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something still reads the store.
    #[error("{path}: the store is still being read; stop the node first")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged or is no store.
    #[error("{path}: the store is damaged ({cause}); run `sincronia repair`, or restore a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What redb says.
        cause: String,
    },
    /// The disk or the quota is full.
    #[error("{path}: the disk is full; make room, then start the node again")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{path}: {cause}; check that the directory exists, is writable and has space")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The store belongs to another organisation.
    #[error("{path}: the store belongs to another organisation than the keystore beside it")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// What is sealed in the store was sealed by another node.
    #[error(
        "{path}: this store belongs to another node than the keystore beside it; nothing is \
         damaged: put each store back beside its own keystore"
    )]
    Misplaced {
        /// The file.
        path: PathBuf,
    },
    /// Another process uses it.
    #[error("{path}: the store is in use by another process; stop it first")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "{path}: the store has format {found}, this program knows up to {known}; update the program"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// An earlier failure of the disk stopped the store: what memory holds may differ from the
    /// disk.
    #[error("{path}: the store stopped after a failure of the disk; start the node again")]
    Stopped {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Sorts what redb says by who must act.
    pub(super) fn from_redb(path: &Path, error: impl Into<redb::Error>) -> Self {
        let path = path.to_path_buf();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse { path },
            redb::Error::TransactionInProgress => Self::Busy { path },
            redb::Error::PreviousIo => Self::Stopped { path },
            redb::Error::Io(error) if is_full(&error) => Self::Full { path },
            // redb says so of a file that does not begin like one of its own, or is cut off.
            redb::Error::Io(error)
                if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Damaged { path, cause: error.to_string() }
            }
            redb::Error::Io(error) => Self::Io { path, cause: error.to_string() },
            error => Self::Damaged { path, cause: error.to_string() },
        }
    }

    /// What is damaged, if that is what is wrong.
    #[must_use]
    pub fn into_damage(self) -> Option<String> {
        if let Self::Damaged { cause, .. } = self { Some(cause) } else { None }
    }

    /// Runs what reads a file that may be damaged: redb then panics in places.
    pub(super) fn guard<T>(
        path: &Path,
        read: impl FnOnce() -> Result<T, redb::Error>,
    ) -> Result<T, Self> {
        let is_strange = |one: std::fs::Metadata| !one.is_file() && !one.is_dir();
        if std::fs::metadata(path).is_ok_and(is_strange) {
            // Whoever opened a pipe would wait for ever.
            let cause = std::io::Error::other("it is a pipe or a device, not a file");
            return Err(Self::from_redb(path, redb::Error::Io(cause)));
        }
        let caught = quietly(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)));
        let outcome = caught
            .map_err(|_| Self::Damaged { path: path.to_path_buf(), cause: CONTRADICTORY.into() })?;
        outcome.map_err(|error| Self::from_redb(path, error))
    }
}

thread_local! {
    /// Whether a panic of this thread is expected, and told as a damaged store.
    static EXPECTS_PANIC: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the report of a panic that is caught, and told better, from the screen; those of other
/// threads and places are reported as ever.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !EXPECTS_PANIC.get() {
                report(panic);
            }
        }));
    });
    let before = EXPECTS_PANIC.replace(true);
    let outcome = run();
    EXPECTS_PANIC.set(before);
    outcome
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Reads from a file that was not checked when it was opened, and turns a panic of redb into words.
pub(super) fn contained<T>(
    read: impl FnOnce() -> Result<T, sincronia_protocol::storage::StorageError>,
) -> Result<T, sincronia_protocol::storage::StorageError> {
    let caught = quietly(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)));
    let told = |_| sincronia_protocol::storage::StorageError(CONTRADICTORY.into());
    caught.map_err(told)?
}

/// What a failed read is to the rules: text for the log, without stored content.
pub(super) fn reading_failed(error: &StorageError) -> sincronia_protocol::storage::StorageError {
    sincronia_protocol::storage::StorageError(error.to_string())
}
