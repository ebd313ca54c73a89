//! How each domain separates hashes, keyed hashes and signatures.

use super::cast::secret;
use super::golden::Golden;
use sincronia_protocol::crypto::{Domain, NodeKey, Signature};
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::record::{Kind, derive_id};

const PARTS: [&[u8]; 2] = [b"ab", b"c"];

#[test]
fn every_domain_hashes_and_signs_in_its_own_way() {
    let mut golden = Golden::new(
        "For each domain: hash and keyed hash (key 32 x 07) of the parts `ab` and `c`, and the \
         signature of `abc` by the node key of seed 32 x 11.",
    );
    let key = NodeKey::from_seed(&secret(0x11));
    for domain in Domain::ALL {
        let text = domain.text();
        golden.hex(&format!("{text} hash"), domain.hash(&PARTS));
        golden.hex(&format!("{text} keyed hash"), domain.keyed_hash(&[7; 32], &PARTS));
        golden.hex(&format!("{text} signature"), key.sign(*domain, b"abc").as_bytes());
    }
    let recorded = golden.settle("hashes.json");

    for domain in Domain::ALL {
        let text = domain.text();
        let signature = Signature::from_bytes(recorded.array(&format!("{text} signature")));
        assert_eq!(signature.verify(*domain, &key.id(), b"abc"), Ok(()));
        let others = Domain::ALL.iter().filter(|other| *other != domain);
        for other in others {
            assert!(signature.verify(*other, &key.id(), b"abc").is_err(), "{text}");
        }
        assert_eq!(composed(text, &PARTS), recorded.array(&format!("{text} hash")));
    }
}

/// The construction as the document tells it, made by hand.
fn composed(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let lengths = |part: &&[u8]| [&(part.len() as u64).to_le_bytes(), *part].concat();
    blake3::derive_key(domain, &parts.iter().flat_map(lengths).collect::<Vec<_>>())
}

#[test]
fn records_are_named_in_a_domain_of_the_list() {
    let (kind, node, nonce) = (Kind::Practice, NodeId::from_bytes([7; 32]), [1; 8]);
    let mut hasher = blake3::Hasher::new_derive_key(Domain::RECORD_ID.text());
    hasher.update(&[kind.code()]).update(node.as_bytes()).update(&nonce);
    let hash = hasher.finalize();
    assert_eq!(derive_id(kind, &node, nonce).as_bytes()[1..], hash.as_bytes()[..15]);
}
