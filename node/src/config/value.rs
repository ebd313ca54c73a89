//! From what was written to what is meant: one function for each kind of value.

use super::ConfigError;
use super::key::Key;
use super::source::Given;
use super::{LogFormat, Origin, Sourced};
use crate::limits;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use toml::Value;

/// Addresses to listen on: every interface in both families and on both transports is plenty.
const LISTEN_MAX: usize = 32;

pub fn name(given: &mut Given) -> Result<Sourced<String>, ConfigError> {
    sourced(given, Key::OrganisationName, String::new(), "a line of at most 1,000 bytes", |value| {
        let text = value.as_str()?.trim();
        let fits = text.len() <= sincronia_protocol::limits::NAME_BYTES_MAX;
        (fits && sincronia_protocol::text::is_line(text)).then(|| text.to_owned())
    })
}

pub fn listen(given: &mut Given) -> Result<Sourced<Vec<String>>, ConfigError> {
    let default = ["/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1"].map(String::from).to_vec();
    addresses(given, Key::NetworkListen, default)
}

/// Where partners reach the node behind a router or a relay that forwards to it.
pub fn announce(given: &mut Given) -> Result<Sourced<Vec<String>>, ConfigError> {
    addresses(given, Key::NetworkAnnounce, Vec::new())
}

fn addresses(
    given: &mut Given,
    key: Key,
    default: Vec<String>,
) -> Result<Sourced<Vec<String>>, ConfigError> {
    let expected = "a list of addresses like “/ip4/0.0.0.0/tcp/4001”";
    sourced(given, key, default, expected, |value| {
        let list: Option<Vec<String>> = match value {
            Value::Array(values) => {
                values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
            }
            Value::String(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(parts.map(str::to_owned).collect())
            }
            _ => None,
        };
        list.filter(|list| {
            list.len() <= LISTEN_MAX
                && list.iter().all(|address| crate::network::is_address(address))
        })
    })
}

pub fn seconds(
    given: &mut Given,
    key: Key,
    default: Duration,
) -> Result<Sourced<Duration>, ConfigError> {
    sourced(given, key, default, "a number of seconds from 1 to 86400", |value| {
        let seconds = match value {
            Value::Integer(number) => u64::try_from(*number).ok()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (1..=86_400).contains(&seconds).then(|| Duration::from_secs(seconds))
    })
}

/// Bytes of the disk that nothing of partners may take.
pub fn reserve(given: &mut Given) -> Result<Sourced<u64>, ConfigError> {
    let expected = "a number of megabytes from 0 to 1000000000";
    sourced(given, Key::StoreReserve, limits::STORE_RESERVE_BYTES, expected, |value| {
        let megabytes = match value {
            Value::Integer(number) => u64::try_from(*number).ok()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (megabytes <= 1_000_000_000).then_some(megabytes * 1024 * 1024)
    })
}

pub fn address(given: &mut Given) -> Result<Sourced<SocketAddr>, ConfigError> {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let expected = "an IP address and a port, like “127.0.0.1:8645”";
    sourced(given, Key::ApiAddress, default, expected, |value| value.as_str()?.trim().parse().ok())
}

pub fn allow_remote(given: &mut Given) -> Result<Sourced<bool>, ConfigError> {
    yes_or_no(given, Key::ApiAllowRemote)
}

pub fn closed(given: &mut Given) -> Result<Sourced<bool>, ConfigError> {
    yes_or_no(given, Key::NetworkClosed)
}

fn yes_or_no(given: &mut Given, key: Key) -> Result<Sourced<bool>, ConfigError> {
    sourced(given, key, false, "true or false", |value| match value {
        Value::Boolean(value) => Some(*value),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

pub fn log_level(given: &mut Given) -> Result<Sourced<tracing::Level>, ConfigError> {
    let expected = "error, warn, info, debug or trace";
    sourced(given, Key::LogLevel, tracing::Level::INFO, expected, |value| {
        match value.as_str()?.trim() {
            "error" => Some(tracing::Level::ERROR),
            "warn" => Some(tracing::Level::WARN),
            "info" => Some(tracing::Level::INFO),
            "debug" => Some(tracing::Level::DEBUG),
            "trace" => Some(tracing::Level::TRACE),
            _ => None,
        }
    })
}

pub fn log_format(given: &mut Given) -> Result<Sourced<LogFormat>, ConfigError> {
    sourced(given, Key::LogFormat, LogFormat::Text, "text or json", |value| {
        match value.as_str()?.trim() {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        }
    })
}

/// Bounds of the pause between attempts; the first may not exceed the last.
pub fn reconnect(given: &mut Given) -> Result<(Sourced<Duration>, Sourced<Duration>), ConfigError> {
    let shortest = seconds(given, Key::ReconnectMin, limits::RECONNECT_MIN)?;
    let mut longest = seconds(given, Key::ReconnectMax, limits::RECONNECT_MAX)?;
    if longest.origin == Origin::Default {
        longest.value = longest.value.max(shortest.value);
    }
    if shortest.value > longest.value {
        return Err(ConfigError::Value {
            key: Key::ReconnectMax,
            origin: longest.origin,
            expected: "at least network.reconnect_seconds_min",
        });
    }
    Ok((shortest, longest))
}

fn sourced<T>(
    given: &mut Given,
    key: Key,
    default: T,
    expected: &'static str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Sourced<T>, ConfigError> {
    let Some((value, origin)) = given.remove(&key) else {
        return Ok(Sourced { value: default, origin: Origin::Default });
    };
    match read(&value) {
        Some(value) => Ok(Sourced { value, origin }),
        None => Err(ConfigError::Value { key, origin, expected }),
    }
}
