//! What mutations begin from.

use serde_json::Value;
use sincronia_node::keystore::{self, Secrets, Strength};
use std::path::Path;

/// Values of the golden vectors under one of the names of their forms.
fn recorded(form: &str) -> Vec<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/tests/vectors");
    let mut files: Vec<_> =
        std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "json")) {
        let text = std::fs::read_to_string(file).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let vectors = document["vectors"].as_array().cloned().unwrap_or_default();
        found.extend(vectors.iter().filter_map(|one| one[form].as_str().map(str::to_owned)));
    }
    found
}

/// Every binary value of the golden vectors.
pub(super) fn binary() -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes = |text: String| text.as_bytes().chunks(2).map(byte).collect::<Vec<u8>>();
    recorded("hex").into_iter().map(bytes).filter(|one| one.len() > 2).collect()
}

/// Every text of the golden vectors.
pub(super) fn texts() -> Vec<Vec<u8>> {
    recorded("text").into_iter().map(String::into_bytes).collect()
}

/// The content of a backup, opened.
pub(super) fn items() -> Vec<Vec<u8>> {
    use sincronia_protocol::backup::BackupItem;
    let items = [
        BackupItem::Settings("[organisation]\n".into()),
        BackupItem::Table("settings/1".into()),
        BackupItem::Pair { key: b"key".to_vec(), value: b"value".to_vec() },
        BackupItem::End { pairs: 1 },
    ];
    let encoded = items.iter().map(|item| item.encode().unwrap().to_vec());
    vec![encoded.flatten().collect()]
}

/// Tables as offices export them.
pub(super) fn tables() -> Vec<Vec<u8>> {
    let texts = [
        "name;email;contact_kind\nSegreteria;segreteria@comune.example;casella_funzione\n",
        "Nome,Telefono\n\"Ufficio, protocollo\",+390187001000\n",
        "\u{feff}title\tnotes\nTitolo\t\"su \"\"due\"\"\nrighe\"\n",
        "name;email\r\nà;è\r\n",
    ];
    let mut samples: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    samples.push(b"name;email\nUfficio di citt\xe0;x@y.example\n".to_vec());
    samples
}

/// Documents as programs send them.
pub(super) fn documents() -> Vec<Vec<u8>> {
    let texts = [
        r#"[{"name":"Segreteria","contact_kind":"casella_funzione"},{"name":"Altro"}]"#,
        r#"{"fields":{"title":"T","parties":[{"org":"ente1","role":"gestore"}]},"operator":"o"}"#,
        r#"{"kind":"contact","rows":[{"name":"a"},{"name":"b"}],"dry_run":true}"#,
        r#"{"invitation":"invito1qqqq","addresses":["/ip4/127.0.0.1/tcp/1"]}"#,
        r#"{"field":"end_date","value":"2027-01-01","comment":"x"}"#,
        r#"{"entries":["82"],"organisation":"ente1","role":"reader","history":"start"}"#,
        r#"{"a":1,"a":2,"b":[[[[[[[[1]]]]]]]],"c":1e999,"d":-0.0,"e":"\ud83d\ude00"}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Files of settings.
pub(super) fn settings() -> Vec<Vec<u8>> {
    let texts = [
        "[organisation]\nname = \"Comune di Aulla\"\n[network]\nlisten = [\"/ip4/0.0.0.0/tcp/4001\"]\n",
        "[api]\naddress = \"127.0.0.1:8645\"\nallow_remote = false\n[log]\nlevel = \"debug\"\n",
        "[network]\nclosed = true\nreconnect_seconds_min = 1\nreconnect_seconds_max = 60\n",
        "[store]\nreserve_megabytes = 256\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A keystore that a key file opens.
pub(super) fn keystores() -> Vec<Vec<u8>> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("keystore.cbor");
    let (unlock, secrets) =
        (super::files::unlock(), Secrets::generate(&mut super::files::random()));
    keystore::create(&path, &secrets, &unlock, Strength::Light).unwrap();
    vec![std::fs::read(&path).unwrap()]
}

/// Seeds of conversations.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    (0..64_u64).map(|seed| seed.to_le_bytes().to_vec()).collect()
}

/// Messages of a session between nodes that nobody here knows.
pub(super) fn conversations() -> Vec<Vec<u8>> {
    static FRAMES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    let is_message = |bytes: &Vec<u8>| sincronia_protocol::sync::Message::decode(bytes).is_ok();
    FRAMES.get_or_init(|| binary().into_iter().filter(is_message).collect()).clone()
}
