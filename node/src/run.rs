//! A node from start to stop.

use crate::config::{Config, ConfigError, Overrides};
use crate::engine::{self, CoreConfig};
use crate::keystore::{self, KeystoreError, Unlock};
use crate::limits;
use crate::network::{Network, NetworkConfig, NetworkError};
use crate::setup::{KEYSTORE, STORE, credentials};
use crate::store::{Store, StoreError};
use crate::{http, random};
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::recovery::WordList;
use std::fs::{File, TryLockError};
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tracing::info;

/// Where programs of the same user find the API's address.
pub const API_ADDRESS: &str = "api-address";
/// Where programs of the same user find the API's token.
pub const API_TOKEN: &str = "api-token";
const LOCK: &str = "lock";

/// How to run a node.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Where it lives.
    pub directory: PathBuf,
    /// What opens its keystore.
    pub unlock: Unlock,
    /// What the command line overrides.
    pub overrides: Overrides,
    /// The list that verification phrases are taken from.
    pub words: WordList,
}

/// Why a node does not run. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The local API cannot listen.
    #[error("the local API cannot listen on {address}: {cause}; choose another api_address")]
    Api {
        /// The address.
        address: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of the directory.
    #[error("{path}: {cause}; check that the directory is writable and has space")]
    Directory {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The engine.
    #[error("the node could not start: {0}")]
    Engine(String),
    /// Another process runs this node.
    #[error("this node runs already, as process {0}; stop that one first")]
    InUse(String),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs a node until `shutdown` resolves or it is asked to stop through its API.
///
/// # Errors
/// [`RunError`] when it cannot start.
pub async fn run(
    options: RunOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let directory = &options.directory;
    let secrets = keystore_of(&options)?;
    let _lock = lock(directory)?;
    let config = Config::load(directory, &options.overrides)?;
    let credentials = credentials(&secrets);
    let organisation = credentials.organisation;
    let store = Store::open(&directory.join(STORE), &organisation)?;
    let api = TcpListener::bind(&config.api_address).await;
    let api = api.map_err(|cause| RunError::Api { address: config.api_address.clone(), cause })?;
    let (sender, network_events) = mpsc::channel(limits::NETWORK_EVENTS_MAX);
    let seed = zeroize::Zeroizing::new(secrets.node);
    let network_config = NetworkConfig { seed, listen: config.listen.clone() };
    let network = Network::start(network_config, sender).await?;
    let core = CoreConfig { credentials, store, name: config.name.clone(), words: options.words };
    let handle = engine::start(core, network.clone(), network_events)
        .map_err(|error| RunError::Engine(error.to_string()))?;
    let token = publish(directory, &api)?;
    info!(organisation = %organisation, "running");
    let stopped = handle.clone();
    let stop = async move {
        tokio::select! {
            () = shutdown => {}
            () = stopped.stopped() => {}
        }
    };
    let served = http::serve(api, Arc::new(handle), token, stop).await;
    network.shutdown().await;
    let _ = std::fs::remove_file(directory.join(API_ADDRESS));
    served.map_err(|cause| RunError::Api { address: config.api_address, cause })
}

fn keystore_of(options: &RunOptions) -> Result<keystore::Secrets, RunError> {
    Ok(keystore::open(&options.directory.join(KEYSTORE), &options.unlock)?)
}

/// Keeps other processes out of the directory while the returned file is open.
fn lock(directory: &Path) -> Result<File, RunError> {
    let path = directory.join(LOCK);
    let failed = |cause| RunError::Directory { path: path.clone(), cause };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            Err(RunError::InUse(holder))
        }
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

/// Writes address and token where only this user can read them.
fn publish(directory: &Path, api: &TcpListener) -> Result<zeroize::Zeroizing<String>, RunError> {
    let failed = |path: PathBuf| move |cause| RunError::Directory { path, cause };
    let address = api.local_addr().map_err(failed(directory.join(API_ADDRESS)))?;
    let mut random = random::generator()
        .map_err(|_| RunError::Keystore(KeystoreError::System("randomness")))?;
    let secret = Secret::<32>::random(&mut random);
    let token: String = secret.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    let token = zeroize::Zeroizing::new(token);
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        keystore::file::write_private(&path, text.as_bytes()).map_err(failed(path))
    };
    write(API_TOKEN, &token)?;
    // The address comes last: whoever finds it finds the token too.
    write(API_ADDRESS, &address.to_string())?;
    Ok(token)
}
