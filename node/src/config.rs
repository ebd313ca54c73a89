//! How a node is set up, and where its files are.
//!
//! # Contract
//! A setting comes from the strongest source that names it: flags, then the environment
//! (`SINCRONIA_NETWORK_LISTEN`), then `sincronia.toml` in the node's directory, then the default.
//! Each value keeps its [`Origin`], so that `config show --origin` can tell why a node behaves as
//! it does. A setting nobody knows is refused together with the one that was probably meant: a
//! mistyped protection must not be silently absent.
//!
//! # Deliberately absent
//! Secrets: they enter by file or by asking, never as settings. Settings that people change while
//! the node runs: those are in the store.

mod claim;
mod directory;
mod key;
mod lock;
mod source;
mod value;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use claim::Claim;
pub use directory::{DirectoryError, NodeDirectory};
pub use key::{Key, distance};
pub use lock::DirectoryLock;
pub(crate) use source::written;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// The environment variable of this name.
    Environment(String),
    /// This file.
    File(PathBuf),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Flag => formatter.write_str("command line"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Why settings are refused. Each says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The API would be reachable from other machines.
    #[error(
        "api.address = {address} can be reached from other machines; use 127.0.0.1, or set api.allow_remote = true if a reverse proxy with TLS stands before it"
    )]
    Remote {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML; correct it or remove it\n{cause}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: String,
    },
    /// There is no such setting.
    #[error("unknown setting “{name}” in {place}{}", meant(.nearest.as_deref()))]
    Unknown {
        /// What was written.
        name: String,
        /// Where.
        place: String,
        /// The known setting nearest to it.
        nearest: Option<String>,
    },
    /// The file cannot be read.
    #[error("{path} cannot be read: {cause}; check its owner and permissions")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The value is not one.
    #[error("{key} ({origin}) must be {expected}")]
    Value {
        /// The setting.
        key: Key,
        /// Where it was given.
        origin: Origin,
        /// What is expected.
        expected: &'static str,
    },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; `sincronia config show` lists all settings".into(),
        |name| format!("; did you mean “{name}”?"),
    )
}

/// The environment of this process, as far as it is text and could hold settings.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(key::PREFIX))
}

/// The settings of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the organisation calls itself; empty when not set.
    pub name: Sourced<String>,
    /// Addresses on which partners reach this node. Port 0 lets the system choose.
    pub listen: Sourced<Vec<String>>,
    /// Where partners reach this node, if that is not where it listens.
    pub announce: Sourced<Vec<String>>,
    /// Whether it never listens or dials.
    pub closed: Sourced<bool>,
    /// First pause between attempts to reach a partner.
    pub reconnect_min: Sourced<Duration>,
    /// Longest pause between attempts.
    pub reconnect_max: Sourced<Duration>,
    /// Bytes of the disk that nothing of partners may take.
    pub reserve: Sourced<u64>,
    /// Where the local API listens.
    pub api: Sourced<SocketAddr>,
    /// Whether the API may be reached from other machines.
    pub api_allow_remote: Sourced<bool>,
    /// How much is logged.
    pub log_level: Sourced<tracing::Level>,
    /// The form of log lines.
    pub log_format: Sourced<LogFormat>,
}

impl Config {
    /// Reads the settings of the node whose file is `path`, under those of the environment and of
    /// the command line. `variables` is [`variables()`] but in tests.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting, where it was given, and what it should be.
    pub fn load(
        path: &Path,
        variables: impl Iterator<Item = (String, String)>,
        flags: &[(Key, String)],
    ) -> Result<Self, ConfigError> {
        let mut given = source::Given::new();
        source::file(path, &mut given)?;
        source::environment(variables, &mut given)?;
        source::flags(flags, &mut given);
        Self::from_given(given)
    }

    /// Whether a node with the settings `text`, which are to be in the file `path`, under those of
    /// the environment, may never dial.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn closes_network(
        path: &Path,
        text: &str,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<bool, ConfigError> {
        let mut given = source::Given::new();
        source::text(path, text, &mut given)?;
        source::environment(variables, &mut given)?;
        Ok(value::closed(&mut given)?.value)
    }

    fn from_given(mut given: source::Given) -> Result<Self, ConfigError> {
        let (reconnect_min, reconnect_max) = value::reconnect(&mut given)?;
        let config = Self {
            name: value::name(&mut given)?,
            listen: value::listen(&mut given)?,
            announce: value::announce(&mut given)?,
            closed: value::closed(&mut given)?,
            reconnect_min,
            reconnect_max,
            reserve: value::reserve(&mut given)?,
            api: value::address(&mut given)?,
            api_allow_remote: value::allow_remote(&mut given)?,
            log_level: value::log_level(&mut given)?,
            log_format: value::log_format(&mut given)?,
        };
        if config.api.value.ip().is_loopback() || config.api_allow_remote.value {
            Ok(config)
        } else {
            Err(ConfigError::Remote { address: config.api.value })
        }
    }

    /// Every setting with its value as text and its origin.
    #[must_use]
    pub fn show(&self) -> Vec<(Key, String, Origin)> {
        let seconds = |value: Duration| value.as_secs().to_string();
        vec![
            (Key::OrganisationName, self.name.value.clone(), self.name.origin.clone()),
            (Key::NetworkListen, self.listen.value.join(", "), self.listen.origin.clone()),
            (Key::NetworkAnnounce, self.announce.value.join(", "), self.announce.origin.clone()),
            (Key::NetworkClosed, self.closed.value.to_string(), self.closed.origin.clone()),
            (
                Key::ReconnectMin,
                seconds(self.reconnect_min.value),
                self.reconnect_min.origin.clone(),
            ),
            (
                Key::ReconnectMax,
                seconds(self.reconnect_max.value),
                self.reconnect_max.origin.clone(),
            ),
            (
                Key::StoreReserve,
                (self.reserve.value / 1024 / 1024).to_string(),
                self.reserve.origin.clone(),
            ),
            (Key::ApiAddress, self.api.value.to_string(), self.api.origin.clone()),
            (
                Key::ApiAllowRemote,
                self.api_allow_remote.value.to_string(),
                self.api_allow_remote.origin.clone(),
            ),
            (
                Key::LogLevel,
                self.log_level.value.as_str().to_lowercase(),
                self.log_level.origin.clone(),
            ),
            (Key::LogFormat, self.log_format.value.to_string(), self.log_format.origin.clone()),
        ]
    }
}

#[cfg(test)]
mod tests;
