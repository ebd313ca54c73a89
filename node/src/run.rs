//! A node from start to stop.

use crate::api::ErrorCode;
use crate::backup::Replacement;
use crate::config::{self, Config, ConfigError, DirectoryError, Key, NodeDirectory};
use crate::engine::{self, CoreConfig};
use crate::http::{self, Announcement, Settings, Token};
use crate::keystore::{self, KeystoreError, Secrets, Unlock};
use crate::limits;
use crate::logging;
use crate::network::{Network, NetworkConfig, NetworkError, NetworkEvent};
use crate::repair::wait_for_partners;
use crate::setup::credentials;
use crate::store::{Pages, Store, StoreError};
use sincronia_protocol::recovery::WordList;
use sincronia_protocol::replica::Credentials;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::{info, warn};

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
    /// Whether to start without the network, as `sincronia offline` leaves it.
    pub offline: bool,
}

/// Why a node does not run. Each says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The local API cannot listen.
    #[error("the local API cannot listen on {address}: {cause}; choose another api.address")]
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
    /// No node of the organisation has admitted this machine yet.
    #[error(
        "this machine is not admitted yet; hand its request to another node (`sincronia node add`), \
         then `sincronia node admit`"
    )]
    NotAdmitted,
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Another node took its place.
    #[error(
        "another node took the place of this one ({0}), which is revoked; start that one. If it \
         never came to run, remove the file replaced-by here"
    )]
    Replaced(Replacement),
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
    if let Some(replacement) = Replacement::of(&directory) {
        return Err(RunError::Replaced(replacement));
    }
    let config = Config::load(&directory.config(), config::variables(), &options.overrides)?;
    // A process that runs several nodes, as tests do, has set up its logs already.
    let _ = logging::start(config.log_level.value, config.log_format.value);
    let secrets = keystore::open(&directory.keystore(), &options.unlock)?;
    let (store, credentials) = open(&directory, &secrets)?;
    let organisation = credentials.organisation;
    let address = config.api.value;
    let failed = |cause| RunError::Api { address: address.to_string(), cause };
    let api = http::bind(address).map_err(failed)?;
    let seed = zeroize::Zeroizing::new(secrets.node);
    let closed = config.closed.value;
    let wanted = if closed { &[] } else { config.listen.value.as_slice() };
    let (network, network_events) = listen(&directory, seed, wanted).await?;
    let core = CoreConfig {
        credentials,
        store,
        name: config.name.value,
        words: options.words,
        reconnect: (config.reconnect_min.value, config.reconnect_max.value),
        online: !options.offline,
        closed,
        settings: directory.config(),
        reserve: config.reserve.value,
        announce: config.announce.value,
    };
    if options.offline || closed {
        network.pause().await;
    }
    let (handle, running) =
        engine::start(core, network.clone(), network_events).map_err(|error| match error.code {
            ErrorCode::NotPermitted => RunError::NotAdmitted,
            _ => RunError::Engine(error.to_string()),
        })?;
    let token =
        Token::generate().map_err(|_| RunError::Keystore(KeystoreError::System("randomness")))?;
    let local = api.local_addr().map_err(failed)?;
    let announced = Announcement::publish(directory.path(), local, &token);
    let unwritable = |cause| DirectoryError::Io { path: directory.path().to_path_buf(), cause };
    let announced = announced.map_err(unwritable)?;
    info!(%organisation, api = %local, "running");
    let (stopped, engine) = (handle.clone(), handle.clone());
    let stop = async move {
        tokio::select! {
            () = shutdown => {}
            () = stopped.stopped() => {}
        }
        // Before the port is given back: whoever takes it is not announced.
        drop(announced);
    };
    let served = http::serve(api, Arc::new(handle), Settings::new(token), stop).await;
    network.shutdown().await;
    running.end().await;
    info!("stopped");
    served.map_err(failed)?;
    engine.take_failure().map_or(Ok(()), |error| Err(error.into()))
}

/// Opens the store. One that goes back to an older commit has its node wait for its partners.
fn open(directory: &NodeDirectory, secrets: &Secrets) -> Result<(Store, Credentials), RunError> {
    let path = directory.store();
    Pages::check_commits(&path)?;
    // Once redb has opened it, the file does not tell any more.
    let goes_back = Pages::goes_back(&path);
    let organisation = Store::organisation(&path)?;
    let credentials = credentials(secrets, organisation);
    let store = Store::open(&path, &organisation)?;
    Store::check_owner(&path, &store.snapshot()?, &credentials)?;
    if goes_back {
        warn!(
            "the last commit of the store does not hold, and it went back to the one before: \
             nothing is written until partners were heard"
        );
        wait_for_partners(&store, &credentials)
            .map_err(|error| RunError::Engine(error.to_string()))?;
    }
    Ok((store, credentials))
}

/// Listens where the settings say; where they leave the port to the system, on the one it chose
/// last time if that is still free, since partners remember it.
async fn listen(
    directory: &NodeDirectory,
    seed: zeroize::Zeroizing<[u8; 32]>,
    wanted: &[String],
) -> Result<(Network, mpsc::Receiver<NetworkEvent>), RunError> {
    let last = std::fs::read_to_string(directory.last_listen()).unwrap_or_default();
    let last: Vec<&str> = last.lines().collect();
    let again: Vec<String> = wanted
        .iter()
        .map(|address| {
            let fits = |old: &&&str| is_port_of(old, address);
            last.iter().find(fits).map_or_else(|| address.clone(), ToString::to_string)
        })
        .collect();
    let start = |listen: Vec<String>| {
        let (sender, events) = mpsc::channel(limits::NETWORK_EVENTS_MAX);
        let config = NetworkConfig { seed: seed.clone(), listen };
        async move { Network::start(config, sender).await.map(|network| (network, events)) }
    };
    let started = match start(again.clone()).await {
        Err(_) if again != wanted => start(wanted.to_vec()).await?,
        outcome => outcome?,
    };
    directory.write(&directory.last_listen(), &started.0.listening().join("\n"))?;
    Ok(started)
}

/// Whether `old` is `wanted` with its port 0 replaced by a number.
fn is_port_of(old: &str, wanted: &str) -> bool {
    let parts = || old.split('/').zip(wanted.split('/'));
    wanted.split('/').any(|part| part == "0")
        && old.split('/').count() == wanted.split('/').count()
        && parts().all(|(one, other)| one == other || (other == "0" && one.parse::<u16>().is_ok()))
}
