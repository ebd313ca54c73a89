//! The names of all settings, on one screen.

use std::fmt;

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `organisation.name`: what the organisation calls itself.
    OrganisationName,
    /// `network.listen`: addresses on which partners reach this node.
    NetworkListen,
    /// `network.announce`: where partners reach this node, if that is not where it listens.
    NetworkAnnounce,
    /// `network.closed`: whether the node never listens or dials, and takes part by bundles only.
    NetworkClosed,
    /// `network.reconnect_seconds_min`: first pause between attempts to reach a partner.
    ReconnectMin,
    /// `network.reconnect_seconds_max`: longest pause between attempts.
    ReconnectMax,
    /// `store.reserve_megabytes`: room on the disk that nothing of partners may take.
    StoreReserve,
    /// `api.address`: where the local API listens.
    ApiAddress,
    /// `api.allow_remote`: whether the API may listen on an address that other machines reach.
    ApiAllowRemote,
    /// `log.level`: how much is logged.
    LogLevel,
    /// `log.format`: text for people, json for machines.
    LogFormat,
}

impl Key {
    /// Every setting, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::OrganisationName,
        Self::NetworkListen,
        Self::NetworkAnnounce,
        Self::NetworkClosed,
        Self::ReconnectMin,
        Self::ReconnectMax,
        Self::StoreReserve,
        Self::ApiAddress,
        Self::ApiAllowRemote,
        Self::LogLevel,
        Self::LogFormat,
    ];

    /// The name: section and name in the file, joined by a dot.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrganisationName => "organisation.name",
            Self::NetworkListen => "network.listen",
            Self::NetworkAnnounce => "network.announce",
            Self::NetworkClosed => "network.closed",
            Self::ReconnectMin => "network.reconnect_seconds_min",
            Self::ReconnectMax => "network.reconnect_seconds_max",
            Self::StoreReserve => "store.reserve_megabytes",
            Self::ApiAddress => "api.address",
            Self::ApiAllowRemote => "api.allow_remote",
            Self::LogLevel => "log.level",
            Self::LogFormat => "log.format",
        }
    }

    /// The environment variable: `network.listen` is `SINCRONIA_NETWORK_LISTEN`.
    #[must_use]
    pub fn variable(self) -> String {
        format!("{PREFIX}{}", self.name().replace('.', "_").to_uppercase())
    }

    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What every environment variable of the program begins with.
pub const PREFIX: &str = "SINCRONIA_";

/// Longest name that is compared with the known ones.
const NAME_BYTES_MAX: usize = 64;

/// The known name that was most probably meant by an unknown one.
pub fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if unknown.len() > NAME_BYTES_MAX {
        return None;
    }
    known
        .map(|name| (distance(unknown, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len() / 2)
        .map(|(_, name)| name)
}

/// Letters to insert, delete or replace to turn one name into the other (Levenshtein).
#[must_use]
pub fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, byte) in one.bytes().enumerate() {
        let mut next = vec![line + 1];
        let above = row.iter().zip(row.iter().skip(1));
        for ((diagonal, up), letter) in above.zip(other.bytes()) {
            let left = next.last().copied().unwrap_or(0);
            let replaced = diagonal + usize::from(byte != letter);
            next.push(replaced.min(left + 1).min(up + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_meant() {
        let near = |name| nearest(name, Key::ALL.iter().map(|key| key.name()));
        assert_eq!(near("network.listn"), Some("network.listen"));
        assert_eq!(near("log.levle"), Some("log.level"));
        assert_eq!(near("zzz"), None);
        assert_eq!(near(&"x".repeat(10_000)), None);
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
