//! What carriers hold, and what they never get.

use super::adversary::{keys_within_reach, opened_entries};
use super::circle::Circle;
use super::parcel::Parcel;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::replica::ReplicaError;
use sincronia_protocol::storage::Table;

/// Member and colleague contribute, the outsider carries.
fn with_carrier() -> Circle {
    let mut circle = Circle::of_contributors();
    circle.admit(circle.outsider.organisation(), Role::Carrier);
    circle.owner.give(&mut circle.member, &circle.space);
    circle
}

#[test]
fn two_members_that_never_meet_hear_of_each_other_through_a_carrier() {
    let mut circle = with_carrier();
    let space = circle.space;
    circle.owner.give(&mut circle.outsider, &space);
    let record = circle.member.note(&space, "dal carcere");
    circle.member.give(&mut circle.outsider, &space);
    circle.outsider.give(&mut circle.colleague, &space);
    assert_eq!(circle.colleague.title(&space, &record).as_deref(), Some("dal carcere"));
}

#[test]
fn a_carrier_brings_a_member_its_keys_and_whole_access_log() {
    let mut circle = Circle::new();
    let space = circle.space;
    let record = circle.owner.note(&space, "fin dall'inizio");
    circle.admit(circle.outsider.organisation(), Role::Carrier);
    circle.admit(circle.member.organisation(), Role::Contributor);
    circle.owner.give(&mut circle.outsider, &space);
    circle.outsider.give(&mut circle.member, &space);
    assert_eq!(circle.member.title(&space, &record).as_deref(), Some("fin dall'inizio"));
    circle.member.rename(&space, record, "e risposto").unwrap();
}

/// After a start it took none of the keyrings that it kept for its own, and asked for them without
/// end.
#[test]
fn a_carrier_that_starts_again_still_has_what_it_carried() {
    let mut circle = with_carrier();
    let space = circle.space;
    circle.owner.note(&space, "riservata");
    circle.settle();
    circle.owner.give(&mut circle.outsider, &space);
    circle.outsider.restart();
    // Something comes, and with it the carrier looks through what it has.
    circle.owner.note(&space, "anche questa");
    circle.owner.give(&mut circle.outsider, &space);
    let (organisation, disk) = (circle.owner.organisation(), &circle.outsider.disk);
    let heads = circle.outsider.replica.heads_for(disk, &organisation, &space).unwrap().unwrap();
    assert_eq!(heads.lacking, vec![]);
    assert_eq!(circle.outsider.digests(), circle.owner.digests());
}

#[test]
fn a_carrier_holds_everything_and_opens_nothing() {
    let mut circle = with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "riservata");
    circle.member.note(&space, "anche questa");
    circle.settle();
    circle.owner.give(&mut circle.outsider, &space);

    assert_eq!(circle.outsider.digests(), circle.owner.digests(), "it holds all there is");
    assert!(circle.outsider.shows(&space).is_empty());
    let refused = circle.outsider.rename(&space, record, "riscritta");
    assert_eq!(refused, Err(ReplicaError::NotPermitted));
    let parcels = circle.outsider.author_parcels(&space);
    let runs: Vec<_> = parcels
        .into_iter()
        .filter_map(|parcel| match parcel {
            Parcel::Run(run) => Some(run),
            _ => None,
        })
        .collect();
    let access = circle.outsider.access_log(&space);
    let sealed: Vec<_> =
        circle.outsider.disk.values(Table::Sealed).map(|(_, bytes)| bytes.to_vec()).collect();
    assert_eq!((runs.len(), sealed.len()), (2, 2));
    let keys = keys_within_reach(&circle.outsider.credentials, &space, &access, &sealed);
    assert_eq!(opened_entries(&circle, &runs, &keys), 0);
    assert!(!contains(&circle.outsider, b"riservata"), "plaintext on the carrier's disk");
}

#[test]
fn a_carrier_raised_to_reader_gets_the_key_and_shows_what_it_carried() {
    let mut circle = with_carrier();
    let space = circle.space;
    let record = circle.owner.note(&space, "portata a lungo");
    circle.owner.give(&mut circle.outsider, &space);
    circle.admit(circle.outsider.organisation(), Role::Reader);
    circle.owner.give(&mut circle.outsider, &space);
    assert_eq!(circle.outsider.title(&space, &record).as_deref(), Some("portata a lungo"));
}

#[test]
fn a_reader_raised_from_now_writes_and_keeps_what_it_read() {
    let mut circle = Circle::new();
    let (space, organisation) = (circle.space, circle.member.organisation());
    circle.admit(organisation, Role::Reader);
    let record = circle.owner.note(&space, "letta da sempre");
    circle.owner.grant(&space, organisation, Role::Contributor, History::Now).unwrap();
    circle.settle();
    circle.member.rename(&space, record, "e ora corretta").unwrap();
    circle.settle();
    assert_eq!(circle.owner.title(&space, &record).as_deref(), Some("e ora corretta"));
}

fn contains(node: &super::organisation::Node, text: &[u8]) -> bool {
    Table::ALL.iter().any(|table| {
        node.disk
            .values(*table)
            .any(|(_, value)| value.windows(text.len()).any(|window| window == text))
    })
}
