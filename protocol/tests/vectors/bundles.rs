//! Bundles as files: an answer to an invitation, a bundle there, and one back.

use super::cast::{NOW, Organisation};
use super::golden::Golden;
use super::session::End;
use sincronia_protocol::bundle::{
    ExportRequest, Imported, Outcome, answer_invitation, export, import, read_parts,
};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::limits;

fn bundle(from: &mut End, recipient: OrganisationId, part_bytes: usize) -> Vec<Vec<u8>> {
    let request = ExportRequest {
        recipient,
        name: "Comune di Mulazzo".to_owned(),
        all: false,
        part_bytes,
        content_bytes: limits::BUNDLE_CONTENT_BYTES_MAX,
    };
    let made = export(&request, &mut from.replica, &from.disk, NOW, &mut from.random);
    from.commit();
    made.unwrap().parts
}

fn read(to: &mut End, file: &[u8]) -> Imported {
    let outcomes = import(file, &mut to.replica, &to.disk, NOW, &mut to.random).unwrap();
    to.commit();
    match outcomes.into_iter().next_back() {
        Some(Outcome::Imported(imported)) => *imported,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bundles_as_files() {
    let (first, second) = (Organisation::found(1, 1), Organisation::found(2, 1));
    let (mut owner, mut member) = (End::new(&first, &second), End::new(&second, &first));
    let mut golden = Golden::new(
        "Files between the organisations of entropy 01 and 02: the second answers an invitation of \
         the first, the first exports a space with one record in two parts, the second \
         acknowledges.",
    );
    let (invitation, _) = owner
        .replica
        .invite(Vec::new(), 3_600_000, None, Vec::new(), NOW, &mut owner.random)
        .unwrap();
    owner.commit();
    golden.text("invitation", &invitation.to_text());
    let name = "Casa di reclusione di Massa".to_owned();
    let (replica, disk, random) = (&mut member.replica, &member.disk, &mut member.random);
    let answer = answer_invitation(&invitation, name, replica, disk, NOW, random).unwrap();
    member.commit();
    golden.hex("answer", &answer);
    assert!(read(&mut owner, &answer).has_joined);

    let space = owner.share(&second);
    owner.write(space, "Dal primo plico");
    for (number, part) in (1..).zip(bundle(&mut owner, second.id(), limits::PART_BYTES_MIN)) {
        golden.hex(&format!("there, part {number}"), part);
    }
    let there: Vec<u8> = golden.names("there").iter().flat_map(|name| golden.bytes(name)).collect();
    assert!(read(&mut member, &there).refused.is_empty());
    let back = bundle(&mut member, first.id(), limits::PART_BYTES_DEFAULT).concat();
    golden.hex("back", &back);
    assert_eq!(read(&mut owner, &back).number, 1);
    let recorded = golden.settle("bundles.json");

    // A member that begins anew reads what was recorded.
    let mut member = End::new(&second, &first);
    let there: Vec<u8> =
        recorded.names("there").iter().flat_map(|name| recorded.bytes(name)).collect();
    let parts = read_parts(&there).unwrap();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.recipient == second.id()));
    assert!(read(&mut member, &there).is_complete);
    assert_eq!(member.titles(), ["Dal primo plico"]);
}
