//! One organisation takes the place of another, and a convention passes with it.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

#[path = "succession/choices.rs"]
mod choices;

use serde_json::json;
use sincronia_client::root::Signing;
use sincronia_node::api::{
    ConventionRequest, EditRequest, ErrorCode, ExportBundleRequest, IntroduceRequest,
    InviteRequest, JoinByBundleRequest, NetworkRequest, OfferRequest, SearchQuery, TakeRequest,
};
use sincronia_protocol::identity::{Admission, IdentityOperation};
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::recovery::restore_entropy;
use sincronia_tests::federation::{self, Node};

/// Is a node when the harness asks for one.
#[test]
fn node_process() {
    federation::run_if_asked();
}

/// Both bodies sign, and hear of it.
fn sign_both((old, old_words): (&Node, &str), (new, new_words): (&Node, &str)) {
    let successor = new.organisation.parse().unwrap();
    let predecessor = old.organisation.parse().unwrap();
    sign(old, old_words, IdentityOperation::SucceededBy { organisation: successor });
    sign(new, new_words, IdentityOperation::Succeeds { organisation: predecessor });
    for node in [old, new] {
        node.wait("a succession that both signed", |client| {
            let known = client.successions().unwrap();
            known.iter().any(|one| one.declared && one.accepted)
        });
    }
}

fn hand_over(old: &Node, new: &Node, space: &str) {
    let offer = OfferRequest { organisation: new.organisation.clone() };
    old.client().offer_space(space, &offer).unwrap();
    new.wait("the offer", |client| {
        client.space(space).is_ok_and(|one| one.offered_to.is_some() && one.has_key)
    });
    new.client().take_space(space, &TakeRequest::default()).unwrap();
}

fn carry(from: &Node, to: &Node) {
    let organisation = to.organisation.clone();
    let request = ExportBundleRequest { organisation, part_bytes: None, all: false };
    let made = from.client().export_bundle(&request).unwrap();
    to.client().import_bundle(&made.bytes).unwrap();
}

fn edit(title: &str) -> EditRequest {
    serde_json::from_value(json!({"fields": {"title": title}})).unwrap()
}

fn convention(owner: &Node, party: &Node) -> ConventionRequest {
    serde_json::from_value(json!({
        "fields": {
            "title": "Accoglienza residenziale",
            "instrument_kind": "accoglienza",
            "parties": [
                {"org": owner.organisation, "role": "inviante", "protocol_no": "12/2010"},
                {"org": party.organisation, "role": "gestore"},
            ],
        },
        "operator": "segreteria",
    }))
    .unwrap()
}

/// Signs with the root key of the recovery words and hands the entry to the node.
fn sign(node: &Node, words: &str, operation: IdentityOperation) {
    let entropy = restore_entropy(words).unwrap();
    let mut signing = Signing::begin(&node.client().identity().unwrap(), entropy).unwrap();
    signing.say(operation).unwrap();
    node.client().extend_identity(&signing.request()).unwrap();
}

#[test]
fn a_body_that_was_merged_passes_its_conventions_to_the_new_one() {
    let (old, old_words) = Node::found_with_words("A.S.L. n. 1");
    let (new, new_words) = Node::found_with_words("Azienda USL");
    let community = Node::found("Comunità residenziale");
    let joined = [new.join(&old), community.join(&old), community.join(&new)];
    assert!(joined.iter().all(|partner| !partner.name.is_empty()));
    let made = old.client().create_convention(&convention(&old, &community)).unwrap();
    let (space, id) = (made.space.id, made.convention.id);
    community.wait("the convention", |client| client.convention(&id).is_ok());

    // Nobody takes what was not offered, and nothing is offered to who takes no part.
    let refused = new.client().take_space(&space, &TakeRequest::default()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);

    let successor = new.organisation.parse().unwrap();
    let predecessor = old.organisation.parse().unwrap();
    sign(&new, &new_words, IdentityOperation::Succeeds { organisation: predecessor });
    sign(&old, &old_words, IdentityOperation::SucceededBy { organisation: successor });
    for node in [&old, &new] {
        node.wait("a succession that both signed", |client| {
            let known = client.successions().unwrap();
            known.iter().any(|one| one.declared && one.accepted)
        });
    }
    let offer = OfferRequest { organisation: new.organisation.clone() };
    let offered = old.client().offer_space(&space, &offer).unwrap();
    assert_eq!(offered.offered_to.as_deref(), Some(new.organisation.as_str()));
    new.wait("the offer", |client| {
        client.space(&space).is_ok_and(|one| one.offered_to.is_some() && one.has_key)
    });
    let taken = new.client().take_space(&space, &TakeRequest::default()).unwrap();
    assert_eq!((taken.owner.as_str(), taken.offered_to), (new.organisation.as_str(), None));

    for node in [&old, &community] {
        node.wait("the new party and owner", |client| {
            let view = client.convention(&id).unwrap();
            let party = &view.convention.fields["parties"][0];
            view.space.owner == new.organisation
                && party["org"] == json!(new.organisation)
                && party["protocol_no"] == json!("12/2010")
        });
    }
    // The history keeps who stood there before.
    let history = community.client().history(&space, &id).unwrap();
    assert_eq!(history.len(), 2);
    let before = serde_json::to_string(&history[0]).unwrap();
    assert!(before.contains(&old.organisation) && !before.contains(&new.organisation));
    // The old body shares no more, the new one may.
    let refused = old.client().rotate(&space).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    new.client().remove_member(&space, &old.organisation).unwrap();
    old.wait("its own removal", |client| client.space(&space).is_ok_and(|one| one.role.is_none()));
}

/// A name that nobody accepted: whose word it is, and the beginning of the identifier.
fn marked(name: &str, by: &str, node: &Node) -> String {
    let id: OrganisationId = node.organisation.parse().unwrap();
    format!("{name} (as {by} calls it, {id:?}…)")
}

/// What `node` calls another member of a space.
fn called(node: &Node, space: &str, member: &Node) -> Option<String> {
    let members = node.client().space(space).ok()?.members;
    members.into_iter().find(|one| one.organisation == member.organisation).map(|one| one.name)
}

#[test]
fn a_name_that_nobody_accepted_is_told_as_the_word_of_whoever_says_it() {
    let old = Node::found("A.S.L. n. 1");
    let (new, new_words) = Node::found_with_words("Azienda USL");
    let double = Node::found("a.s.l. N 1");
    let community = Node::found("Comunità residenziale");
    let joined = [new.join(&old), double.join(&old), community.join(&old)];
    assert!(joined.iter().all(|partner| !partner.name.is_empty()));
    let space = old.client().create_convention(&convention(&old, &community)).unwrap().space.id;
    for node in [&new, &double] {
        let member = json!({"organisation": node.organisation, "role": "reader"});
        old.client().add_member(&space, &serde_json::from_value(member).unwrap()).unwrap();
    }
    // The new body alone says whose place it takes; the sheet of the old one names it.
    let operation = IdentityOperation::Succeeds { organisation: old.organisation.parse().unwrap() };
    sign(&new, &new_words, operation);
    let said = json!({"kind": "sostituzione", "into": new.organisation, "note": "Prefettura"});
    let sheet = json!({"name": "A.S.L. n. 1", "org_kind": "altro", "succession": said});
    let batch = json!({"kind": "organisation", "rows": [sheet]});
    let written = old.client().batch(&serde_json::from_value(batch).unwrap()).unwrap();
    assert_eq!(written.written, 1, "{written:?}");
    community.wait("both members and the sheet", |client| {
        let query = SearchQuery { q: "prefettura".to_owned(), ..SearchQuery::default() };
        called(&community, &space, &double).is_some()
            && client.successions().unwrap().iter().any(|one| one.accepted && !one.declared)
            && !client.search(&query).unwrap().is_empty()
    });
    let beginning = |node: &Node| {
        let id: OrganisationId = node.organisation.parse().unwrap();
        format!("{id:?}…")
    };
    assert_eq!(called(&community, &space, &new), Some(beginning(&new)));

    for node in [&new, &double] {
        let (one, other) = (community.organisation.clone(), node.organisation.clone());
        old.client().introduce(&IntroduceRequest { one, other }).unwrap();
    }
    let named = marked("Azienda USL", "A.S.L. n. 1", &new);
    community.wait("both introductions", |client| client.introductions().unwrap().len() == 2);
    assert_eq!(called(&community, &space, &new), Some(named));
    assert_eq!(called(&community, &space, &double), Some(beginning(&double)), "a partner's name");
}

#[test]
fn a_party_without_a_line_is_told_whom_to_ask_and_the_successor_whom_to_invite() {
    let (old, old_words) = Node::found_with_words("A.S.L. n. 1");
    let (new, new_words) = Node::found_with_words("Azienda USL");
    let prison = Node::found_closed("Casa di reclusione");
    assert!(!new.join(&old).name.is_empty());
    let invitation = old.client().invite(&InviteRequest::default()).unwrap().text;
    let answer = prison.client().join_by_bundle(&JoinByBundleRequest { invitation }).unwrap();
    old.client().import_bundle(&answer.bytes).unwrap();
    let made = old.client().create_convention(&convention(&old, &prison)).unwrap();
    let (space, id) = (made.space.id, made.convention.id);

    // Before the declaration nothing is offered: an offer cannot be taken back.
    let offer = OfferRequest { organisation: new.organisation.clone() };
    let refused = old.client().offer_space(&space, &offer).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    assert!(refused.remedy.contains("succession declare"), "{refused:?}");
    sign_both((&old, &old_words), (&new, &new_words));
    let offered = old.client().offer_space(&space, &offer).unwrap();
    let names = |space: &sincronia_node::api::SpaceView| {
        space.to_invite.iter().map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&offered), ["Casa di reclusione"]);
    // The old body presented the party, so the successor hears its name, as the old body's word.
    let marked = marked("Casa di reclusione", "A.S.L. n. 1", &prison);
    new.wait("the offer and the party's name", |client| {
        let space = client.space(&space);
        space.is_ok_and(|one| one.has_key && names(&one) == [marked.as_str()])
    });
    let taken = new.client().take_space(&space, &TakeRequest::default()).unwrap();
    assert_eq!(names(&taken), [marked.as_str()]);
    new.client().rotate(&space).unwrap();
    old.wait("the new owner and its key", |client| {
        client.space(&space).is_ok_and(|one| one.owner == new.organisation && one.epoch > 0)
    });
    carry(&old, &prison);

    assert_eq!(prison.client().space(&space).unwrap().owner_name, "Azienda USL");
    let refused = prison.client().edit_convention(&id, &edit("Altro titolo")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::KeyMissing);
    assert!(refused.message.contains("Azienda USL"), "{refused:?}");
    assert!(refused.remedy.contains("invitation"), "{refused:?}");
    assert_eq!(names(&prison.client().space(&space).unwrap()), ["Casa di reclusione"]);

    // It is said what is awaited and from whom, until it has come.
    let [awaited] = &prison.client().status().unwrap().awaited_keys[..] else {
        panic!("one owner")
    };
    assert_eq!((awaited.name.as_str(), awaited.spaces), ("Azienda USL", 1));
    assert!(!awaited.reachable, "{awaited:?}");
    let partner = prison.client().partner(&old.organisation).unwrap();
    assert_eq!(partner.awaited_keys, ["Azienda USL"]);
    let keys_here = || {
        let checks = prison.client().doctor().unwrap();
        checks.into_iter().find(|one| one.name == "keys_here").unwrap()
    };
    let check = keys_here();
    assert!(check.warning && check.detail.contains("Azienda USL"), "{check:?}");
    let invitation = new.client().invite(&InviteRequest::default()).unwrap().text;
    let answer = prison.client().join_by_bundle(&JoinByBundleRequest { invitation }).unwrap();
    new.client().import_bundle(&answer.bytes).unwrap();
    carry(&new, &prison);
    assert!(prison.client().status().unwrap().awaited_keys.is_empty());
    assert!(keys_here().ok);
    prison.client().edit_convention(&id, &edit("Altro titolo")).unwrap();
}

/// A party that is reached by files alone read `ente1…` where the new body stood, until that one
/// had accepted and its word had come, too.
#[test]
fn a_successor_that_was_only_declared_is_called_as_the_old_body_calls_it() {
    let (old, old_words) = Node::found_with_words("A.S.L. n. 1");
    let new = Node::found("Azienda USL");
    let prison = Node::found_closed("Casa di reclusione");
    assert!(!new.join(&old).name.is_empty());
    let invitation = old.client().invite(&InviteRequest::default()).unwrap().text;
    let answer = prison.client().join_by_bundle(&JoinByBundleRequest { invitation }).unwrap();
    old.client().import_bundle(&answer.bytes).unwrap();
    let successor = new.organisation.parse().unwrap();
    sign(&old, &old_words, IdentityOperation::SucceededBy { organisation: successor });
    carry(&old, &prison);
    let known = prison.client().successions().unwrap();
    assert!(known[0].declared && !known[0].accepted, "{known:?}");
    assert_eq!(known[0].successor_name, marked("Azienda USL", "A.S.L. n. 1", &new));
}

#[test]
fn the_body_that_is_no_more_is_told_what_passed_and_its_name_finds_the_new_one() {
    let (old, old_words) = Node::found_with_words("A.S.L. n. 1");
    let (new, new_words) = Node::found_with_words("Azienda USL");
    let community = Node::found("Comunità residenziale");
    let joined = [new.join(&old), community.join(&old), community.join(&new)];
    assert!(joined.iter().all(|partner| !partner.name.is_empty()));
    let made = old.client().create_convention(&convention(&old, &community)).unwrap();
    let (space, id) = (made.space.id, made.convention.id);
    // In this one both are parties: which role remains is for a person to say.
    let both = old.client().create_convention(&convention(&old, &new)).unwrap();
    sign_both((&old, &old_words), (&new, &new_words));
    assert!(old.client().status().unwrap().passed.is_empty());
    hand_over(&old, &new, &space);
    hand_over(&old, &new, &both.space.id);

    old.wait("what passed", |client| client.status().unwrap().passed.len() == 2);
    old.wait("the new party", |client| {
        client.convention(&id).is_ok_and(|view| view.passed.is_some_and(|one| one.at.is_some()))
    });
    let passed = old.client().convention(&id).unwrap().passed.unwrap();
    let named = [passed.predecessor_name.as_str(), passed.successor_name.as_str()];
    assert_eq!(named, ["A.S.L. n. 1", "Azienda USL"]);
    let kept = new.client().convention(&both.convention.id).unwrap();
    let kept = serde_json::to_string(&kept.convention.fields).unwrap();
    assert!(kept.contains(&old.organisation) && kept.contains(&new.organisation), "{kept}");

    // It goes on as a party until it is removed, and each signs in its own name.
    let edited = old.client().edit_convention(&id, &edit("Scritto dopo il subentro")).unwrap();
    assert!(edited.passed.is_some_and(|one| one.predecessor == old.organisation));
    community.wait("the edit", |client| client.history(&space, &id).unwrap().len() == 3);
    let history = community.client().history(&space, &id).unwrap();
    let signed = history.iter().map(|step| step.origin.organisation_name.as_str());
    let signed: Vec<_> = signed.collect();
    assert_eq!(signed, ["A.S.L. n. 1", "Azienda USL", "A.S.L. n. 1"]);

    // Who looks for the old name finds where the new body stands now.
    new.client().remove_member(&space, &old.organisation).unwrap();
    let query = SearchQuery { q: "a.s.l. n. 1".to_owned(), ..SearchQuery::default() };
    let hits = community.client().search(&query).unwrap();
    let hit = hits.iter().find(|hit| hit.record == id).unwrap();
    assert!(hit.text.contains("Azienda USL"), "{hit:?}");
}

fn check(node: &Node, name: &str) -> serde_json::Value {
    let checks = json!(node.client().doctor().unwrap());
    let found = checks.as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("{name}: {checks}"))
}

/// Two people of one office declared a successor each, at machines that did not hear of each other.
#[test]
fn successors_that_two_machines_declared_apart_are_named() {
    let (mut first, words) = Node::found_with_words("A.S.L. n. 1");
    let [north, south] = ["Azienda USL nord", "Azienda USL sud"].map(Node::found);
    assert!([north.join(&first), south.join(&first)].iter().all(|one| !one.name.is_empty()));
    let (machine, request) = Node::request(&first.organisation);
    sign(&first, &words, IdentityOperation::AddNode { admission: request.admission });
    let admission = first.client().identity().unwrap().admission;
    let mut second = machine.admit(&Admission::from_text(&admission).unwrap());
    second.wait("its partners", |client| client.partners().unwrap().len() == 2);
    let declare = |node: &Node, successor: &Node| {
        let organisation = successor.organisation.parse().unwrap();
        sign(node, &words, IdentityOperation::SucceededBy { organisation });
    };
    first.kill();
    second.kill();
    first.start_offline();
    declare(&first, &north);
    first.kill();
    second.start_offline();
    declare(&second, &south);
    first.start();
    second.client().network(&NetworkRequest { online: true }).unwrap();
    for node in [&first, &second] {
        node.wait("both versions", |client| client.status().unwrap().divided);
        let found = check(node, "successors_agreed");
        let detail = found["detail"].as_str().unwrap();
        assert!(
            found["warning"] == true && detail.contains("nord") && detail.contains("sud"),
            "{found}"
        );
        assert!(found["remedy"].as_str().unwrap().contains("node unite"), "{found}");
    }
}

/// In a convention of somebody else the successor with the smaller identifier was put in place of
/// a body that had been divided, whichever of the two went on with it.
#[test]
fn in_the_place_of_a_divided_body_stands_whom_the_owner_names() {
    let (old, old_words) = Node::found_with_words("A.S.L. n. 1");
    let (north, north_words) = Node::found_with_words("Azienda USL nord");
    let (south, south_words) = Node::found_with_words("Azienda USL sud");
    let community = Node::found("Comunità residenziale");
    for node in [&north, &south] {
        assert!(!node.join(&old).name.is_empty() && !node.join(&community).name.is_empty());
    }
    assert!(!community.join(&old).name.is_empty());
    let made = community.client().create_convention(&convention(&community, &old)).unwrap();
    sign_both((&old, &old_words), (&north, &north_words));
    sign_both((&old, &old_words), (&south, &south_words));
    community.wait("both successions", |client| {
        let known = client.successions().unwrap();
        known.iter().filter(|one| one.declared && one.accepted).count() == 2
    });
    let follow = |request: serde_json::Value| {
        let request: TakeRequest = serde_json::from_value(request).unwrap();
        community.client().follow_successions(&made.space.id, &request)
    };
    let refused = follow(json!({})).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Ambiguous);
    assert!(refused.message.contains("nord") && refused.message.contains("sud"), "{refused:?}");
    follow(json!({"successor": south.organisation})).unwrap();
    let shown = community.client().convention(&made.convention.id).unwrap().convention.fields;
    assert_eq!(shown["parties"][1]["org"], json!(south.organisation));
}
