use sincronia_node::keystore::*;
use sincronia_node::setup::*;
use sincronia_node::*;
use sincronia_protocol::recovery::WordList;
#[tokio::main]
async fn main() {
    let a: Vec<String> = std::env::args().collect();
    let dir = std::path::PathBuf::from(&a[2]);
    let key = dir.with_extension("key");
    if a[1] == "init" {
        std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
        create_key_file(&key).unwrap();
        let i = initialise(&InitOptions {
            directory: dir,
            name: a[3].clone(),
            words: WordList::Italian,
            unlock: Unlock::KeyFile(key),
            strength: Strength::Light,
        })
        .unwrap();
        println!("{}", i.organisation);
    } else {
        let key2 = sincronia_node::config::Key::NetworkListen;
        run(
            RunOptions {
                directory: dir,
                unlock: Unlock::KeyFile(key),
                overrides: vec![(key2, "/ip4/127.0.0.1/tcp/0".into())],
                words: WordList::Italian,
            },
            std::future::pending(),
        )
        .await
        .unwrap();
    }
}
