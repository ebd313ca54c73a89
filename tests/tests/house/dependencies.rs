//! Which crates depend on which, and what `protocol` may use.

use super::none;
use super::source::{names, root, sources, sources_of};
use std::fs;
use toml::{Table, Value};

/// `protocol ← node ← client`; `tests` sees all.
const DIRECTION: [(&str, &[&str]); 4] = [
    ("protocol", &[]),
    ("node", &["sincronia-protocol"]),
    ("client", &["sincronia-node", "sincronia-protocol"]),
    ("tests", &["sincronia-client", "sincronia-node", "sincronia-protocol"]),
];

/// Libraries that compute and do nothing else. Add one only if it reads no clock, no random source
/// and no file on its own.
const PURE: [&str; 16] = [
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

/// Words that would let the world into `protocol`.
const IMPURE: [&str; 17] = [
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "tokio",
    "getrandom",
    "OsRng",
    "SysRng",
    "thread_rng",
    "async",
    "println!",
    "eprintln!",
    "tracing",
];

/// Libraries that only one place may know, so that replacing one is the work of a day.
const NAMED_ONLY_IN: [(&str, &[&str]); 11] = [
    ("libp2p", &["node/src/network"]),
    // The benchmark measures the bare store beside the product.
    ("redb", &["node/src/store", "tests/src/benchmark/primitives.rs"]),
    ("automerge", &["protocol/src/record/document"]),
    ("negentropy", &["protocol/src/sync/comparison.rs"]),
    ("hpke", &["protocol/src/crypto/sealing.rs"]),
    ("ed25519_dalek", &["protocol/src/crypto/signature.rs"]),
    ("bech32", &["protocol/src/ids/text.rs"]),
    ("bip39", &["protocol/src/recovery.rs"]),
    ("argon2", &["node/src/keystore"]),
    ("axum", &["node/src/http"]),
    ("fluent_bundle", &["client/src/language"]),
];

fn manifest(folder: &str) -> Table {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest");
    text.parse().expect("a valid manifest")
}

/// The crates one section of a manifest names.
fn section(manifest: &Table, section: &str) -> Vec<String> {
    let table = manifest.get(section).and_then(Value::as_table);
    table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn crates_depend_in_one_direction() {
    let mut findings = Vec::new();
    for (folder, allowed) in DIRECTION {
        let manifest = manifest(folder);
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let ours = section(&manifest, kind);
            let ours = ours.iter().filter(|name| name.starts_with("sincronia"));
            for name in ours.filter(|name| !allowed.contains(&name.as_str())) {
                findings.push(format!("{folder} names {name} in [{kind}]"));
            }
        }
    }
    none(&findings, "protocol <- node <- client, tests sees all:");
}

#[test]
fn every_member_of_the_workspace_has_a_direction() {
    let workspace = manifest("");
    let members = workspace.get("workspace").and_then(|workspace| workspace.get("members"));
    let members = members.and_then(Value::as_array).expect("members");
    let known: Vec<Value> = DIRECTION.iter().map(|(folder, _)| Value::from(*folder)).collect();
    assert_eq!(members, &known, "add the new crate to DIRECTION");
}

#[test]
fn protocol_depends_on_pure_libraries_only() {
    let used = section(&manifest("protocol"), "dependencies");
    assert_eq!(used, PURE, "protocol uses exactly the libraries of the list PURE");
}

#[test]
fn protocol_touches_no_clock_file_socket_or_random_source() {
    let mut findings = Vec::new();
    for source in sources_of("protocol") {
        for (number, line) in source.code() {
            let impure = IMPURE.iter().filter(|word| names(line, word));
            findings.extend(impure.map(|word| format!("{}:{number}: {word}", source.path)));
            if names(line, "std::time") && !line.contains("std::time::Duration") {
                findings.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none(&findings, "time, randomness and storage are arguments of protocol:");
}

#[test]
fn each_library_is_named_in_its_place_only() {
    let mut findings = Vec::new();
    for source in sources() {
        for (library, places) in NAMED_ONLY_IN {
            if places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            let path = format!("{library}::");
            let lines = source.code().into_iter().chain(source.test_code());
            let named = lines.filter(|(_, line)| {
                names(line, path.trim_end_matches(':')) && line.contains(&path)
            });
            findings
                .extend(named.map(|(number, _)| format!("{}:{number}: {library}", source.path)));
        }
    }
    none(&findings, "each of these libraries has one place:");
}

#[test]
fn threat_43_every_direct_dependency_has_its_reason() {
    let reasons = fs::read_to_string(root().join("docs/dependencies.md")).expect("the document");
    let used = manifest("");
    let used = used.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let used = used.and_then(Value::as_table).expect("shared dependencies");
    let missing: Vec<String> = used
        .keys()
        .filter(|name| !name.starts_with("sincronia"))
        .filter(|name| !reasons.contains(&format!("| `{name}` |")))
        .cloned()
        .collect();
    none(&missing, "docs/dependencies.md does not say why these are used:");
}
