//! A node from start to stop.

use crate::config::{self, Config, ConfigError, DirectoryError, Key, NodeDirectory};
use crate::engine::{self, CoreConfig};
use crate::http::{self, Announcement, Settings, Token};
use crate::keystore::{self, KeystoreError, Unlock};
use crate::limits;
use crate::logging;
use crate::network::{Network, NetworkConfig, NetworkError};
use crate::setup::credentials;
use crate::store::{Store, StoreError};
use sincronia_protocol::recovery::WordList;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::info;

/// How to run a node.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Where it lives.
    pub directory: PathBuf,
    /// What opens its keystore.
    pub unlock: Unlock,
    /// What the command line overrides.
    pub overrides: Vec<(Key, String)>,
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
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The engine.
    #[error("the node could not start: {0}")]
    Engine(String),
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
    let directory = NodeDirectory::open(&options.directory)?;
    let _lock = directory.lock()?;
    let config = Config::load(&directory.config(), config::variables(), &options.overrides)?;
    // A process that runs several nodes, as tests do, has set up its logs already.
    let _ = logging::start(config.log_level.value, config.log_format.value);
    let secrets = keystore::open(&directory.keystore(), &options.unlock)?;
    let organisation = Store::organisation(&directory.store())?;
    let credentials = credentials(&secrets, organisation);
    let store = Store::open(&directory.store(), &organisation)?;
    let address = config.api.value;
    let failed = |cause| RunError::Api { address: address.to_string(), cause };
    let api = http::bind(address).map_err(failed)?;
    let (sender, network_events) = mpsc::channel(limits::NETWORK_EVENTS_MAX);
    let seed = zeroize::Zeroizing::new(secrets.node);
    let network_config = NetworkConfig { seed, listen: config.listen.value };
    let network = Network::start(network_config, sender).await?;
    let core = CoreConfig {
        credentials,
        store,
        name: config.name.value,
        words: options.words,
        reconnect: (config.reconnect_min.value, config.reconnect_max.value),
    };
    let handle = engine::start(core, network.clone(), network_events)
        .map_err(|error| RunError::Engine(error.to_string()))?;
    let token =
        Token::generate().map_err(|_| RunError::Keystore(KeystoreError::System("randomness")))?;
    let local = api.local_addr().map_err(failed)?;
    let _announcement = Announcement::publish(directory.path(), local, &token).map_err(failed)?;
    info!(%organisation, api = %local, "running");
    let stopped = handle.clone();
    let stop = async move {
        tokio::select! {
            () = shutdown => {}
            () = stopped.stopped() => {}
        }
    };
    let served = http::serve(api, Arc::new(handle), Settings::new(token), stop).await;
    network.shutdown().await;
    info!("stopped");
    served.map_err(failed)
}
