//! The document that the vectors belong to names all of them.

use sincronia_protocol::crypto::Domain;
use std::fs;
use std::path::Path;

#[test]
fn the_document_names_every_domain_and_every_file() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(here.join("../docs/protocol.md")).unwrap();
    let domains = Domain::ALL.iter().map(|domain| domain.text().replace("sincronia/1/", ""));
    let files = fs::read_dir(here.join("tests/vectors")).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files = files.filter(|name| Path::new(name).extension().is_some_and(|end| end == "json"));
    let missing: Vec<_> =
        domains.chain(files).filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/protocol.md does not tell of {missing:?}");
}
