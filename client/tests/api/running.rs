//! A running server, announced in a directory as a node does.

use super::probe::Probe;
use sincronia_client::api::Client;
use sincronia_node::http::{self, Announcement, Settings, Token};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Runs until it is dropped or told to stop.
pub struct Running {
    pub directory: TempDir,
    pub probe: Arc<Probe>,
    pub runtime: Runtime,
    pub served: tokio::task::JoinHandle<()>,
}

impl Running {
    pub fn start() -> Self {
        Self::with(Probe::new(64))
    }

    pub fn with(probe: Probe) -> Self {
        let runtime = Runtime::new().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_path_buf();
        let probe = Arc::new(probe);
        let (service, stop) = (probe.clone(), probe.clone());
        let guard = runtime.enter();
        let listener = http::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let token = Token::generate().unwrap();
        let address = listener.local_addr().unwrap();
        let announcement = Announcement::publish(&path, address, &token).unwrap();
        let served = runtime.spawn(async move {
            let shutdown = async move { stop.stop.notified().await };
            http::serve(listener, service, Settings::new(token), shutdown).await.unwrap();
            drop(announcement);
        });
        drop(guard);
        Self { directory, probe, runtime, served }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.directory.path()).unwrap()
    }
}
