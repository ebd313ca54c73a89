//! Removal: what the removed cannot read, and what of the others' work stays.

use super::adversary::{keys_within_reach, opened_entries};
use super::circle::Circle;
use super::organisation::Node;
use super::parcel::Parcel;
use sincronia_protocol::access::{AccessOperation, History, Role};
use sincronia_protocol::ids::SpaceId;
use sincronia_protocol::log::Run;
use sincronia_protocol::replica::{QuarantineReason, ReplicaError};
use sincronia_protocol::storage::Table;

/// Everything a space ever produced, handed to whoever wants to break it.
struct Loot {
    access: Vec<sincronia_protocol::access::AccessEntry>,
    keyrings: Vec<Vec<u8>>,
    runs: Vec<Run>,
}

fn loot(holder: &mut Node, space: &SpaceId) -> Loot {
    let keyrings = holder.disk.values(Table::Sealed).map(|(_, sealed)| sealed.to_vec()).collect();
    let runs = holder
        .author_parcels(space)
        .into_iter()
        .filter_map(|parcel| match parcel {
            Parcel::Run(run) => Some(run),
            _ => None,
        })
        .collect();
    Loot { access: holder.access_log(space), keyrings, runs }
}

#[test]
fn threat_16_a_removed_member_opens_nothing_that_was_written_after_its_removal() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let before = circle.owner.note(&space, "scritta prima");
    circle.colleague.note(&space, "prima, del collega");
    circle.settle();
    circle.remove_member();
    circle.owner.give(&mut circle.colleague, &space);
    circle.owner.rename(&space, before, "scritta dopo").unwrap();
    circle.colleague.rename(&space, before, "dopo ancora").unwrap();
    circle.colleague.note(&space, "nuova pratica");
    circle.settle();

    let stolen = loot(&mut circle.owner, &space);
    assert_eq!(stolen.runs.len(), 5);
    let of_member =
        keys_within_reach(&circle.member.credentials, &space, &stolen.access, &stolen.keyrings);
    assert_eq!(
        opened_entries(&circle, &stolen.runs, &of_member),
        2,
        "just what it could read before"
    );
    let of_colleague =
        keys_within_reach(&circle.colleague.credentials, &space, &stolen.access, &stolen.keyrings);
    assert_eq!(
        opened_entries(&circle, &stolen.runs, &of_colleague),
        5,
        "who stayed reads everything"
    );
}

#[test]
fn a_member_admitted_from_now_opens_nothing_earlier() {
    let mut circle = Circle::new();
    let space = circle.space;
    circle.owner.note(&space, "scritta prima");
    let organisation = circle.member.organisation();
    circle.owner.grant(&space, organisation, Role::Reader, History::Now).unwrap();
    let after = circle.owner.note(&space, "scritta dopo");
    circle.owner.give(&mut circle.member, &space);
    assert_eq!(circle.member.shows(&space).keys().collect::<Vec<_>>(), [&after]);

    let stolen = loot(&mut circle.owner, &space);
    let keys =
        keys_within_reach(&circle.member.credentials, &space, &stolen.access, &stolen.keyrings);
    assert_eq!(keys.keys().collect::<Vec<_>>(), [&1]);
    assert_eq!((stolen.runs.len(), opened_entries(&circle, &stolen.runs, &keys)), (2, 1));
}

#[test]
fn removal_and_rotation_are_one_entry_that_names_no_node_of_the_removed() {
    let mut circle = Circle::of_contributors();
    circle.remove_member();
    let log = circle.owner.access_log(&circle.space);
    let AccessOperation::Revoke { rotation, .. } = &log.last().unwrap().statement.operation else {
        panic!("the last entry is the removal");
    };
    let recipients: Vec<_> = rotation.recipients.iter().map(|one| one.node).collect();
    assert_eq!(recipients, [circle.colleague.id()]);
    assert_eq!(rotation.epoch, 1);
}

#[test]
fn what_the_removed_wrote_before_the_cut_counts_and_what_it_wrote_later_is_listed() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let known = circle.member.note(&space, "consegnata");
    circle.settle();
    let late = circle.member.note(&space, "scritta senza linea");
    circle.remove_member();
    circle.settle();
    assert_eq!(circle.agreed_title(&known).as_deref(), Some("consegnata"));
    assert_eq!(circle.agreed_title(&late), None);
    assert_eq!(circle.quarantine(), [(circle.member.id(), 1, QuarantineReason::Late)]);
    let refused = circle.member.rename(&space, known, "ancora");
    assert_eq!(refused, Err(ReplicaError::NotPermitted), "it knows of its removal");
}

#[test]
fn an_honest_edit_built_on_a_late_one_is_not_lost_and_brings_the_late_one_along() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.member.note(&space, "della persona rimossa");
    let alone = circle.member.note(&space, "senza seguito");
    // The colleague hears of it directly; the owner does not, and revokes.
    circle.member.give(&mut circle.colleague, &space);
    circle.colleague.rename(&space, record, "corretta dal collega").unwrap();
    circle.remove_member();
    circle.settle();
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("corretta dal collega"));
    assert_eq!(circle.agreed_title(&alone), None);
    assert_eq!(circle.quarantine(), [(circle.member.id(), 1, QuarantineReason::Late)]);
}

#[test]
fn a_new_grant_opens_a_new_interval_and_leaves_the_gap_out() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let before = circle.member.note(&space, "scritta prima");
    circle.settle();
    circle.remove_member();
    // It has not heard yet: this is written under the grant that has ended.
    let between = circle.member.note(&space, "nel mezzo");
    circle.settle();
    circle.admit(circle.member.organisation(), Role::Contributor);
    circle.settle();
    let after = circle.member.note(&space, "scritta dopo");
    circle.settle();
    assert_eq!(circle.agreed_title(&before).as_deref(), Some("scritta prima"));
    assert_eq!(circle.agreed_title(&between), None);
    assert_eq!(circle.agreed_title(&after).as_deref(), Some("scritta dopo"));
    assert_eq!(circle.quarantine(), [(circle.member.id(), 1, QuarantineReason::Late)]);
    assert_eq!(circle.member.title(&space, &between), None, "its author agrees");
}

#[test]
fn a_late_removal_takes_back_what_was_shown_and_leaves_the_rest() {
    let mut circle = Circle::of_contributors();
    let space = circle.space;
    let record = circle.owner.note(&space, "della titolare");
    circle.settle();
    circle.remove_member();
    circle.member.rename(&space, record, "cambiata troppo tardi").unwrap();
    circle.member.give(&mut circle.colleague, &space);
    let seen = circle.colleague.title(&space, &record);
    assert_eq!(seen.as_deref(), Some("cambiata troppo tardi"), "it cannot know yet");
    circle.settle();
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("della titolare"));
    circle.colleague.restart();
    assert_eq!(circle.agreed_title(&record).as_deref(), Some("della titolare"));
}
