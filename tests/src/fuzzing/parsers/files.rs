//! Files of a node that somebody may have changed: the keystore and the settings.

use super::{Form, Parser};
use sincronia_node::config::Config;
use sincronia_node::keystore::{self, KeystoreError, Secrets, Strength, Unlock};
use std::fs;
use std::path::Path;

/// Where the checksum of a keystore begins: its last 32 bytes.
fn checksum_at(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(32)
}

/// The keystore file, also with a checksum that fits the damage.
#[must_use]
pub fn keystore() -> Parser {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, key) = (directory.path().join("keystore"), directory.path().join("key"));
    keystore::create_key_file(&key).expect("a key file");
    let unlock = Unlock::KeyFile(key);
    let mut secrets = Secrets::generate(&mut crate::fuzzing::cast::random());
    secrets.replace_sealing(&mut crate::fuzzing::cast::random());
    keystore::create(&path, &secrets, &unlock, Strength::Light).expect("a keystore");
    let sealed = fs::read(&path).expect("a keystore");
    let passphrase = Unlock::Passphrase(String::from("una frase lunga").into());
    keystore::replace(&path, &secrets, &passphrase, Strength::Light).expect("a keystore");
    let stretched = fs::read(&path).expect("a keystore");
    let honest = sealed.clone();
    Parser::new("keystore", Form::Bytes, vec![sealed, stretched], move |input| {
        let _ = &directory;
        let fitting = with_checksum(input);
        let outcomes = [input, &fitting].map(|bytes| {
            let opened = open(&path, bytes, &unlock);
            assert!(opened.is_err() || bytes == honest, "a keystore that nobody wrote");
            opened.is_ok()
                || matches!(opened, Err(KeystoreError::Wrong | KeystoreError::NeedsPassphrase(_)))
        });
        outcomes.contains(&true)
    })
}

fn open(path: &Path, bytes: &[u8], unlock: &Unlock) -> Result<(), KeystoreError> {
    fs::write(path, bytes).expect("a writable directory");
    keystore::open(path, unlock).map(drop)
}

fn with_checksum(input: &[u8]) -> Vec<u8> {
    let at = checksum_at(input);
    let mut bytes = input.to_vec();
    bytes[at..].fill(0);
    let checksum = blake3::derive_key("sincronia/1/keystore-checksum", &bytes);
    let length = bytes.len() - at;
    bytes[at..].copy_from_slice(&checksum[..length]);
    bytes
}

/// The file of settings, and settings in the environment.
#[must_use]
pub fn settings() -> Parser {
    let sample = b"[organisation]\nname = \"Comune di Aulla\"\n\n[network]\nlisten = \
        [\"/ip4/0.0.0.0/tcp/4001\"]\nclosed = false\n\n[api]\naddress = \"127.0.0.1:8645\"\n\
        allow_remote = false\n\n[log]\nlevel = \"info\"\nformat = \"text\"\n"
        .to_vec();
    let more =
        b"network.reconnect_seconds_min = 5\nnetwork.reconnect_seconds_max = \"600\"\n".to_vec();
    let words: &[&str] = &[
        "[network]",
        "[api]",
        "[[log]]",
        "listen",
        "address",
        "level",
        " = ",
        "\"",
        "'''",
        "true",
        "-1",
        "99999999999999999999",
        "1e999",
        "inf",
        "1979-05-27T07:32:00Z",
        "{ a = 1 }",
        "[",
        "]",
        "\\u0000",
        "\u{0}",
        "0x_",
        "127.0.0.1:0",
        "[::1]:1",
        "\"\"\"",
        "#",
        "\n",
        ".",
        "a.b.c.d",
    ];
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("config.toml");
    Parser::new("settings", Form::Text(words), vec![sample, more], move |input| {
        let _ = &directory;
        fs::write(&path, input).expect("a writable directory");
        let loaded = Config::load(&path, std::iter::empty(), &[]);
        let text = String::from_utf8_lossy(input);
        let variables = ["ORGANISATION_NAME", "NETWORK_LISTEN", "API_ADDRESS", "LOG_LEVEL"]
            .map(|name| (format!("SINCRONIA_{name}"), text.clone().into_owned()));
        let nowhere = Path::new("/nonexistent/config.toml");
        let told = variables.map(|variable| {
            Config::load(nowhere, std::iter::once(variable), &[]).map_err(|error| error.to_string())
        });
        let shown = loaded.as_ref().map(Config::show).map_err(ToString::to_string);
        shown.is_ok() || told.iter().any(Result::is_ok)
    })
}
