//! Bundles: damaged as they travel, and made by a partner that signs what it likes.

use super::{Form, Parser};
use crate::fuzzing::cast::{NOW, Node, Organisation};
use sincronia_protocol::access::Role;
use sincronia_protocol::bundle::{ExportRequest, export, import, read_parts};
use sincronia_protocol::limits;
use sincronia_protocol::storage::Table;

/// Files of parts. What comes in changes nothing unless it was made by the partner.
#[must_use]
pub fn bundles() -> Parser {
    let organisations = [1, 2].map(Organisation::found);
    let known: Vec<_> = organisations.iter().collect();
    let mut owner = Node::start(&organisations[0], &known);
    let member = Node::start(&organisations[1], &known);
    let space = owner.act(|replica, disk, random| replica.create_space(disk, random));
    owner.grant(&space, organisations[1].id(), Role::Contributor);
    for at in 0..6 {
        owner.note(&space, &format!("Scheda {at}"));
    }
    let export_parts = |owner: &mut Node, part_bytes: usize| {
        let request = ExportRequest {
            recipient: organisations[1].id(),
            name: "Comune".into(),
            all: true,
            part_bytes,
            content_bytes: limits::BUNDLE_CONTENT_BYTES_MAX,
        };
        let made = export(&request, &mut owner.replica, &owner.disk, NOW, &mut owner.random);
        owner.commit();
        made.expect("a bundle").parts
    };
    let parts = export_parts(&mut owner, limits::PART_BYTES_MIN);
    let mut samples =
        vec![export_parts(&mut owner, limits::PART_BYTES_DEFAULT).concat(), parts.concat()];
    samples.extend(parts);
    let honest = samples.clone();
    let (credentials, disk) = (member.credentials.clone(), member.disk.clone());
    let mut member = member;
    Parser::new("bundles", Form::Bytes, samples, move |input| {
        let is_read = read_parts(input).is_ok();
        let (replica, random) = (&mut member.replica, &mut member.random);
        let taken = import(input, replica, &member.disk, NOW, random).is_ok();
        member.replica.forget(&member.disk).expect("a sound disk");
        assert_eq!(member.replica.organisation(), credentials.organisation);
        assert_eq!(member.disk.values(Table::Entries).count(), disk.values(Table::Entries).count());
        let made = |part: &[u8]| honest.iter().any(|one| holds(one, part));
        let parts = read_parts(input).unwrap_or_default();
        let is_whole = |part: &&sincronia_protocol::bundle::Part<'_>| part.count == 1;
        let forged = parts.iter().filter(is_whole).any(|part| !made(part.payload));
        assert!(!(taken && forged), "a bundle that nobody made");
        is_read
    })
}

fn holds(whole: &[u8], piece: &[u8]) -> bool {
    piece.is_empty() || whole.windows(piece.len()).any(|window| window == piece)
}
