//! The settings of a node in the place of another: those of the other, and over them what somebody
//! wrote for the new machine before. A network that either of the two closed stays closed, and the
//! organisation has the name that it had: an attempt that was interrupted may have left another.

use crate::config::{ConfigError, written};
use std::path::Path;
use toml::{Table, Value};

/// What is written in the file `path` already.
///
/// # Errors
/// [`ConfigError`] when it cannot be read: its writer mends it before a node is made by it.
pub fn prepared(path: &Path) -> Result<Table, ConfigError> {
    let text = written(path)?.unwrap_or_default();
    let syntax = |error: toml::de::Error| ConfigError::Syntax {
        path: path.to_path_buf(),
        cause: error.to_string(),
    };
    toml::from_str(&text).map_err(syntax)
}

/// The settings of a node of which those of the one before are `kept`.
pub fn over(kept: String, prepared: Table) -> String {
    let Ok(mut joined) = toml::from_str::<Table>(&kept) else { return kept };
    if prepared.is_empty() {
        return kept;
    }
    let name = joined.get("organisation").and_then(|one| one.get("name")).cloned();
    let shut = [&joined, &prepared].into_iter().any(is_closed);
    for (name, value) in prepared {
        match (joined.get_mut(&name), value) {
            (Some(Value::Table(section)), Value::Table(new)) => section.extend(new),
            (_, value) => drop(joined.insert(name, value)),
        }
    }
    let closed = shut.then(|| true.into());
    for (section, key, value) in [("organisation", "name", name), ("network", "closed", closed)] {
        let section = joined.entry(section).or_insert_with(|| Table::new().into());
        if let Some((section, value)) = section.as_table_mut().zip(value) {
            section.insert(key.into(), value);
        }
    }
    toml::to_string(&joined).unwrap_or(kept)
}

fn is_closed(settings: &Table) -> bool {
    let closed = settings.get("network").and_then(|network| network.get("closed"));
    closed.and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(kept: &str, prepared: &str) -> Table {
        toml::from_str(&over(kept.into(), toml::from_str(prepared).unwrap())).unwrap()
    }

    /// The settings of the backup were written over those of the new machine: one whose network
    /// was closed beforehand listened and dialled.
    #[test]
    fn what_was_written_for_the_new_machine_stands_over_the_settings_of_the_old_one() {
        let kept = "[organisation]\nname = \"Comune\"\n[network]\nlisten = [\"old\"]\n";
        let found = joined(
            kept,
            "[organisation]\nname = \"Altra\"\n[network]\nclosed = true\nlisten = []\n[log]\nlevel = \"warn\"\n",
        );
        assert_eq!(found["organisation"]["name"].as_str(), Some("Comune"));
        assert_eq!(found["network"]["listen"].as_array().map(Vec::len), Some(0));
        assert_eq!(found["network"]["closed"].as_bool(), Some(true));
        assert_eq!(found["log"]["level"].as_str(), Some("warn"));
    }

    #[test]
    fn a_network_that_was_closed_is_opened_by_no_older_file() {
        let (open, closed) = ("[network]\nclosed = false\n", "[network]\nclosed = true\n");
        for (kept, prepared, expected) in
            [(open, closed, true), (closed, open, true), (open, open, false), (closed, "", true)]
        {
            let found = joined(kept, prepared);
            assert_eq!(found["network"]["closed"].as_bool(), Some(expected), "{kept}{prepared}");
        }
    }

    #[test]
    fn settings_that_stand_alone_stay_as_they_were_written() {
        let kept = "# Comment.\n[network]\nclosed = true\n";
        assert_eq!(over(kept.into(), Table::new()), kept);
    }
}
