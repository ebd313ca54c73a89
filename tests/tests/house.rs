//! The rules of the house, as tests: which way dependencies point, what `protocol` may touch, and
//! how long a file may be. Style that is checked needs no arguing in reviews.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a guard that cannot read the house fails"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|one| one == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    manifest["dependencies"].as_table().unwrap().keys().cloned().collect()
}

#[test]
fn dependencies_point_one_way() {
    let ours = |name: &str| -> BTreeSet<String> {
        dependencies(name).into_iter().filter(|one| one.starts_with("sincronia-")).collect()
    };
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(ours("protocol"), set(&[]));
    assert_eq!(ours("node"), set(&["sincronia-protocol"]));
    assert_eq!(ours("client"), set(&["sincronia-node", "sincronia-protocol"]));
}

/// No crate that opens files or sockets, reads a clock, or makes randomness of its own. Automerge is
/// the one that could: it is given its actor, and is named in one module.
#[test]
fn protocol_depends_on_pure_crates_only() {
    let allowed = [
        "automerge",
        "bech32",
        "bip39",
        "blake3",
        "chacha20poly1305",
        "ed25519-dalek",
        "hpke",
        "minicbor",
        "negentropy",
        "rand_core",
        "serde",
        "serde_json",
        "subtle",
        "thiserror",
        "unicode-normalization",
        "zeroize",
    ];
    for dependency in dependencies("protocol") {
        assert!(allowed.contains(&dependency.as_str()), "{dependency} is not known to be pure");
    }
}

#[test]
fn protocol_touches_no_clock_file_socket_thread_or_random_source() {
    let banned = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "std::time",
        "Instant",
        "tokio::",
        "getrandom::",
        "OsRng",
        "SysRng",
        "thread_rng",
    ];
    let is_test = |path: &Path| path.to_string_lossy().contains("tests");
    for (path, text) in sources(&root().join("protocol/src")) {
        if is_test(path.strip_prefix(root()).unwrap()) {
            continue;
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in banned {
                assert!(!line.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

/// Inside `protocol`, a layer uses only itself and those before it.
#[test]
fn the_layers_of_protocol_point_one_way() {
    let layers: [&[&str]; 10] = [
        &["limits", "time", "codec"],
        &["ids", "storage"],
        &["crypto"],
        &["log", "recovery", "phrase", "invitation"],
        &["identity"],
        &["access", "joining"],
        &["record"],
        &["replica"],
        &["sync"],
        &[],
    ];
    let layer_of = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let base = root().join("protocol/src");
    for (path, text) in sources(&base) {
        let inside = path.strip_prefix(&base).unwrap();
        let own = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let own = own.trim_end_matches(".rs");
        let Some(here) = layer_of(own) else { continue };
        for used in text.lines().filter_map(|line| line.trim().strip_prefix("use crate::")) {
            let name = used.split([':', '{', ';', ',']).next().unwrap();
            let there = layer_of(name).unwrap_or_else(|| panic!("{name} is in no layer"));
            assert!(there <= here, "{}: {own} uses {name}", inside.display());
        }
    }
}

#[test]
fn heavy_crates_are_named_where_they_belong_only() {
    let places = [
        ("automerge::", "protocol/src/record"),
        ("negentropy::", "protocol/src/sync/comparison.rs"),
        ("redb::", "node/src/store"),
        ("libp2p::", "node/src/network"),
    ];
    let crates = ["protocol/src", "node/src", "client/src"];
    for (path, text) in crates.iter().flat_map(|one| sources(&root().join(one))) {
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        for (name, place) in places {
            let named =
                text.lines().any(|line| !line.trim().starts_with("//") && line.contains(name));
            assert!(!named || path.starts_with(place), "{path} names {name}");
        }
    }
}

#[test]
fn files_are_short_and_nothing_is_left_undone() {
    let undone = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME")];
    for part in ["protocol", "node", "client", "tests"] {
        for (path, text) in sources(&root().join(part)) {
            let lines = text.lines().count();
            assert!(lines <= 600, "{} has {lines} lines", path.display());
            assert!(path.file_name().unwrap() != "mod.rs", "{}", path.display());
            for word in undone {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}
