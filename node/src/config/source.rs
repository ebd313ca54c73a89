//! Where values come from: flags, environment, file. Here they are only collected, by key.

use super::key::{self, Key, PREFIX};
use super::{ConfigError, Origin};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use toml::Value;

/// The largest file that is read: a thousand times a real one.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Variables of the program that are no settings of the node; others read them.
const OTHER_VARIABLES: [&str; 9] = [
    "SINCRONIA_API",
    "SINCRONIA_API_TOKEN",
    "SINCRONIA_API_TOKEN_FILE",
    "SINCRONIA_DIRECTORY",
    "SINCRONIA_KEY_FILE",
    "SINCRONIA_LANGUAGE",
    "SINCRONIA_NODE",
    "SINCRONIA_PASSPHRASE",
    "SINCRONIA_PASSPHRASE_FILE",
];

/// The values given, each with its origin; those of a stronger source replace the others.
pub type Given = BTreeMap<Key, (Value, Origin)>;

/// Reads the settings of a file; a file that is not there gives none.
pub fn file(path: &Path, given: &mut Given) -> Result<(), ConfigError> {
    written(path)?.map_or(Ok(()), |text| self::text(path, &text, given))
}

/// What is written in the file `path`, if it is there.
///
/// # Errors
/// [`ConfigError::Unreadable`].
pub fn written(path: &Path) -> Result<Option<String>, ConfigError> {
    let unreadable =
        |cause: std::io::Error| ConfigError::Unreadable { path: path.to_path_buf(), cause };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error)),
        Ok(metadata) => read(path, &metadata).map(Some).map_err(unreadable),
    }
}

/// Of a pipe or a device no size is known beforehand, and it may never end.
fn read(path: &Path, metadata: &std::fs::Metadata) -> std::io::Result<String> {
    let mut text = String::new();
    if metadata.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is a pipe or a device, not a file"));
    }
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other("the file is too large"));
    }
    Ok(text)
}

/// Takes the settings of a text that is, or is to be, the file `path`.
pub fn text(path: &Path, text: &str, given: &mut Given) -> Result<(), ConfigError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| ConfigError::Syntax {
        path: path.to_path_buf(),
        cause: error.to_string(),
    })?;
    for (section, value) in table {
        let Value::Table(values) = value else {
            return Err(unknown(&section, path.display().to_string()));
        };
        if values.is_empty() && !Key::ALL.iter().any(|key| begins(key.name(), &section)) {
            return Err(unknown(&section, path.display().to_string()));
        }
        for (name, value) in values {
            let name = format!("{section}.{name}");
            let known = Key::named(&name);
            let key = known.ok_or_else(|| unknown(&name, path.display().to_string()))?;
            given.insert(key, (value, Origin::File(path.to_path_buf())));
        }
    }
    Ok(())
}

/// Reads the settings of environment variables; those of others are not looked at.
pub fn environment(
    variables: impl Iterator<Item = (String, String)>,
    given: &mut Given,
) -> Result<(), ConfigError> {
    for (variable, text) in variables.filter(|(name, _)| name.starts_with(PREFIX)) {
        if OTHER_VARIABLES.contains(&variable.as_str()) {
            continue;
        }
        if let Some(key) = Key::ALL.into_iter().find(|key| key.variable() == variable) {
            given.insert(key, (Value::String(text), Origin::Environment(variable)));
        } else if is_meant_for_us(&variable) {
            let name = variable.clone();
            let known: Vec<_> = Key::ALL.iter().map(|key| key.variable()).collect();
            let nearest = key::nearest(&name, known.iter().map(String::as_str));
            let nearest = nearest.map(str::to_owned);
            return Err(ConfigError::Unknown { name, place: "the environment".into(), nearest });
        }
    }
    Ok(())
}

/// Takes the settings of the command line.
pub fn flags(values: &[(Key, String)], given: &mut Given) {
    for (key, text) in values {
        given.insert(*key, (Value::String(text.clone()), Origin::Flag));
    }
}

/// Whether an unknown variable is a mistyped one of ours: it names one of our sections, or nearly
/// one of our settings.
fn is_meant_for_us(variable: &str) -> bool {
    Key::ALL.iter().any(|key| {
        let name = key.variable();
        let section = key.name().split('.').next().unwrap_or_default().to_uppercase();
        variable.starts_with(&format!("{PREFIX}{section}_"))
            || (variable.len() <= 64 && key::distance(variable, &name) <= 3)
    })
}

fn begins(name: &str, section: &str) -> bool {
    name.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

fn unknown(name: &str, place: String) -> ConfigError {
    let whole = Key::ALL.iter().map(|key| key.name());
    let nearest = key::nearest(name, whole).or_else(|| {
        // A name without its section, or a section by itself.
        let known = Key::ALL.into_iter().map(Key::name);
        known.into_iter().find(|key| key.split('.').any(|part| key::distance(name, part) <= 2))
    });
    let nearest = nearest.map(str::to_owned);
    ConfigError::Unknown { name: crate::foreign::escape(name), place, nearest }
}
