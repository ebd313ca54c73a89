//! Inside `protocol`, a module knows only the layers below its own.

use super::none;
use super::source::sources_of;
use std::collections::BTreeSet;

/// From the ground up, as `protocol/src/lib.rs` draws them. Modules of one layer do not know each
/// other.
const LAYERS: [&[&str]; 12] = [
    &["limits", "ids", "text", "time"],
    &["codec"],
    &["crypto"],
    &["log", "recovery", "invitation"],
    &["phrase", "identity", "backup"],
    &["access", "joining"],
    &["record"],
    &["storage"],
    &["replica"],
    &["sync"],
    &["bundle"],
    &["lib"],
];

/// Arrows the list of layers alone would allow, and that would still be wrong: what a record is
/// depends neither on who signed it nor on who may write it.
const NEVER: [(&str, &str); 4] =
    [("record", "access"), ("record", "identity"), ("record", "log"), ("record", "crypto")];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The module at the root of the crate to which a file belongs.
fn module(path: &str) -> &str {
    let inside = path.trim_start_matches("protocol/src/");
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

/// The modules a line names by `crate::`.
fn named(line: &str) -> BTreeSet<&str> {
    line.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next())
        .map(Option::unwrap_or_default)
        .collect()
}

#[test]
fn modules_of_protocol_know_only_the_layers_below() {
    let mut findings = Vec::new();
    for source in sources_of("protocol") {
        let from = module(&source.path);
        let height = layer(from);
        for (number, line) in source.code() {
            for to in named(line).into_iter().filter(|to| *to != from) {
                let below = layer(to).zip(height).is_some_and(|(to, from)| to < from);
                if !below || NEVER.contains(&(from, to)) {
                    findings.push(format!("{}:{number}: {from} names `{to}`", source.path));
                }
            }
        }
    }
    none(&findings, "arrows point down the layers of protocol/src/lib.rs only:");
}

#[test]
fn every_module_of_protocol_has_a_layer() {
    let all = sources_of("protocol");
    let missing: BTreeSet<&str> = all
        .iter()
        .filter(|source| source.path.starts_with("protocol/src/"))
        .map(|source| module(&source.path))
        .filter(|module| layer(module).is_none())
        .collect();
    assert!(missing.is_empty(), "give these modules a layer: {missing:?}");
}
