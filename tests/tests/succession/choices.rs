//! What no program can settle of successions is left to a person, and what was signed of them shows
//! no convention where nobody stood.

use super::{check, convention, hand_over, sign, sign_both};
use serde_json::{Value, json};
use sincronia_client::root::Signing;
use sincronia_node::api::{
    ApiError, ConventionRequest, ConventionsQuery, EditRequest, ErrorCode, OfferRequest,
    SearchQuery, SpaceView, TakeRequest,
};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::OrganisationId;
use sincronia_protocol::recovery::restore_entropy;
use sincronia_tests::federation::Node;

type Body = (Node, String);

fn id(node: &Node) -> OrganisationId {
    node.organisation.parse().unwrap()
}

fn try_sign((node, words): &Body, operation: IdentityOperation) -> Result<(), ApiError> {
    let entropy = restore_entropy(words).unwrap();
    let mut signing = Signing::begin(&node.client().identity().unwrap(), entropy).unwrap();
    signing.say(operation).unwrap();
    node.client().extend_identity(&signing.request()).map(drop)
}

fn mutual(node: &Node, wanted: usize) {
    node.wait("what both signed", |client| {
        let known = client.successions().unwrap();
        known.iter().filter(|one| one.declared && one.accepted).count() == wanted
    });
}

fn follow(node: &Node, space: &str, request: Value) -> Result<SpaceView, ApiError> {
    let request: TakeRequest = serde_json::from_value(request).unwrap();
    node.client().follow_successions(space, &request)
}

fn parties(node: &Node, convention: &str) -> Vec<String> {
    let shown = node.client().convention(convention).unwrap().convention.fields;
    let all = shown["parties"].as_array().unwrap().iter();
    all.map(|party| party["org"].as_str().unwrap().to_owned()).collect()
}

fn titled(title: &str, parties: &[&Node]) -> ConventionRequest {
    let parties = parties.iter().zip(["inviante", "gestore", "garante"]);
    let parties: Vec<_> =
        parties.map(|(node, role)| json!({"org": node.organisation, "role": role})).collect();
    let fields = json!({"title": title, "instrument_kind": "accoglienza", "parties": parties});
    serde_json::from_value(json!({ "fields": fields })).unwrap()
}

fn replace(owner: &Node, convention: &str, parties: &[&Node]) {
    let fields = titled("Accoglienza residenziale", parties).fields;
    let edit: EditRequest =
        serde_json::from_value(json!({"fields": {"parties": fields["parties"]}})).unwrap();
    owner.client().edit_convention(convention, &edit).unwrap();
}

/// Three bodies that signed, before they heard of each other, that each takes the place of the one
/// before: what a program or an older command may have left behind.
fn in_a_circle() -> [Body; 3] {
    let bodies = ["A.S.L. n. 1", "Azienda USL", "Azienda zero"].map(Node::found_with_words);
    for (number, (node, words)) in bodies.iter().enumerate() {
        let other = |steps: usize| id(&bodies[(number + steps) % 3].0);
        sign(node, words, IdentityOperation::SucceededBy { organisation: other(1) });
        sign(node, words, IdentityOperation::Succeeds { organisation: other(2) });
    }
    bodies
}

/// Each stood in the other's place, and nobody was told that nothing leads out of it. Whoever
/// followed again and again put another one there each time, and shared it anew.
#[test]
fn in_a_circle_nobody_is_put_in_the_place_of_another() {
    let bodies = in_a_circle();
    let [one, other, third] = bodies.each_ref().map(|(node, _)| node);
    let community = Node::found("Comunità residenziale");
    for (node, partner) in [
        (other, one),
        (third, one),
        (third, other),
        (&community, one),
        (&community, other),
        (&community, third),
    ] {
        assert!(!node.join(partner).name.is_empty());
    }
    let made = community.client().create_convention(&convention(&community, one)).unwrap();
    let owned = one.client().create_convention(&convention(one, &community)).unwrap();
    for node in [one, other, third, &community] {
        mutual(node, 3);
    }
    let found = check(one, "successions_lead_on");
    let detail = found["detail"].as_str().unwrap();
    assert!(detail.contains("Azienda USL") && detail.contains("Azienda zero"), "{found}");
    assert!(found["remedy"].as_str().unwrap().contains("agree"), "{found}");

    let refused = follow(&community, &made.space.id, json!({})).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    for name in ["A.S.L. n. 1", "Azienda USL", "Azienda zero"] {
        assert!(refused.message.contains(name), "{refused:?}");
    }
    assert!(refused.remedy.contains("--to"), "{refused:?}");
    assert_eq!(parties(&community, &made.convention.id)[1], one.organisation);
    // A person who knows it says it.
    follow(&community, &made.space.id, json!({"successor": third.organisation})).unwrap();
    assert_eq!(parties(&community, &made.convention.id)[1], third.organisation);

    // What was offered could go round and round; an offer cannot be taken back.
    let offer = OfferRequest { organisation: other.organisation.clone() };
    let refused = one.client().offer_space(&owned.space.id, &offer).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    assert!(refused.message.contains("Azienda USL"), "{refused:?}");
    // None of them is another one under an old name.
    let query = SearchQuery { q: "azienda usl".to_owned(), ..SearchQuery::default() };
    let hits = community.client().search(&query).unwrap();
    assert!(hits.iter().all(|hit| hit.record != made.convention.id), "{hits:?}");
}

/// What was offered before the circle was closed was taken, too.
#[test]
fn what_was_offered_is_not_taken_in_a_circle() {
    let bodies = ["A.S.L. n. 1", "Azienda USL", "Azienda zero"].map(Node::found_with_words);
    let [one, other, third] = bodies.each_ref().map(|(node, _)| node);
    assert!(!other.join(one).name.is_empty());
    let words = bodies.each_ref().map(|(_, words)| words.as_str());
    sign_both((one, words[0]), (other, words[1]));
    let owned = one.client().create_convention(&convention(one, other)).unwrap();
    let offer = OfferRequest { organisation: other.organisation.clone() };
    one.client().offer_space(&owned.space.id, &offer).unwrap();
    other.wait("the offer", |client| {
        client.space(&owned.space.id).is_ok_and(|space| space.offered_to.is_some())
    });
    // Each of them signs before it hears of the others.
    sign(other, words[1], IdentityOperation::SucceededBy { organisation: id(third) });
    sign(third, words[2], IdentityOperation::Succeeds { organisation: id(other) });
    sign(third, words[2], IdentityOperation::SucceededBy { organisation: id(one) });
    sign(one, words[0], IdentityOperation::Succeeds { organisation: id(third) });
    for node in [one, other] {
        assert!(!node.join(third).name.is_empty());
    }
    mutual(other, 3);
    let refused = other.client().take_space(&owned.space.id, &TakeRequest::default()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    assert!(refused.message.contains("A.S.L. n. 1"), "{refused:?}");
    assert_eq!(other.client().space(&owned.space.id).unwrap().owner, one.organisation);
}

/// The command refused it, a program could sign it: then it stood for good.
#[test]
fn what_would_lead_back_is_not_taken_into_the_log() {
    let bodies = ["CSSA", "UEPE", "Prefettura"].map(Node::found_with_words);
    let [old, new, last] = &bodies;
    for (node, partner) in [(new, old), (last, old), (last, new)] {
        assert!(!node.0.join(&partner.0).name.is_empty());
    }
    try_sign(old, IdentityOperation::SucceededBy { organisation: id(&new.0) }).unwrap();
    // Its own word is enough: the other one may have signed already.
    let refused = try_sign(old, IdentityOperation::Succeeds { organisation: id(&new.0) });
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotPermitted);
    assert!(refused.message.contains("UEPE") && refused.remedy.contains("list"), "{refused:?}");
    try_sign(new, IdentityOperation::Succeeds { organisation: id(&old.0) }).unwrap();
    try_sign(new, IdentityOperation::SucceededBy { organisation: id(&last.0) }).unwrap();
    try_sign(last, IdentityOperation::Succeeds { organisation: id(&new.0) }).unwrap();
    for (node, _) in &bodies {
        mutual(node, 2);
    }
    // Nor by way of another one; what one body says alone stops nobody.
    let declared = try_sign(last, IdentityOperation::SucceededBy { organisation: id(&old.0) });
    assert_eq!(declared.unwrap_err().code, ErrorCode::NotPermitted);
    let accepted = try_sign(old, IdentityOperation::Succeeds { organisation: id(&last.0) });
    assert_eq!(accepted.unwrap_err().code, ErrorCode::NotPermitted);
    assert_eq!(old.0.client().successions().unwrap().len(), 2);
    assert_eq!(old.0.client().status().unwrap().decisions.to_accept, Vec::<String>::new());
}

/// Followed once, a body stood there that was no more itself; and it was shared with that body.
#[test]
fn a_chain_of_successions_is_followed_to_its_end() {
    let bodies = ["CSSA", "UEPE", "ULEPE"].map(Node::found_with_words);
    let [old, middle, last] = bodies.each_ref().map(|(node, _)| node);
    let community = Node::found("Comunità residenziale");
    for node in [old, middle, last] {
        assert!(!community.join(node).name.is_empty());
    }
    assert!(!middle.join(old).name.is_empty() && !last.join(middle).name.is_empty());
    let made = community.client().create_convention(&convention(&community, old)).unwrap();
    let both = titled("Accoglienza di tre", &[&community, old, middle]);
    let both = community.client().create_convention(&both).unwrap();
    sign_both((old, &bodies[0].1), (middle, &bodies[1].1));
    sign(middle, &bodies[1].1, IdentityOperation::SucceededBy { organisation: id(last) });
    sign(last, &bodies[2].1, IdentityOperation::Succeeds { organisation: id(middle) });
    mutual(&community, 2);

    let space = follow(&community, &made.space.id, json!({})).unwrap();
    assert_eq!(parties(&community, &made.convention.id)[1], last.organisation);
    assert!(space.members.iter().any(|one| one.organisation == last.organisation), "{space:?}");
    assert!(space.members.iter().all(|one| one.organisation != middle.organisation), "{space:?}");
    let history = community.client().history(&made.space.id, &made.convention.id).unwrap();
    assert_eq!(history.len(), 3, "one step each: {history:?}");
    let query = SearchQuery { q: "cssa".to_owned(), ..SearchQuery::default() };
    let hits = community.client().search(&query).unwrap();
    assert!(hits.iter().any(|hit| hit.record == made.convention.id), "{hits:?}");

    // Where two of them stand, which of the roles remains is for a person to say.
    follow(&community, &both.space.id, json!({})).unwrap();
    let now = parties(&community, &both.convention.id);
    assert_eq!(now[1..], [old.organisation.clone(), middle.organisation.clone()]);
}

/// A body whose convention went on from its successor to the next was not told of it any more.
#[test]
fn what_was_handed_on_twice_is_told_to_the_first_body() {
    let bodies = ["CSSA", "UEPE", "ULEPE"].map(Node::found_with_words);
    let [old, middle, last] = bodies.each_ref().map(|(node, _)| node);
    for (node, partner) in [(middle, old), (last, middle), (last, old)] {
        assert!(!node.join(partner).name.is_empty());
    }
    let community = Node::found("Comunità residenziale");
    assert!(!community.join(old).name.is_empty());
    let made = old.client().create_convention(&convention(old, &community)).unwrap();
    sign_both((old, &bodies[0].1), (middle, &bodies[1].1));
    sign(middle, &bodies[1].1, IdentityOperation::SucceededBy { organisation: id(last) });
    sign(last, &bodies[2].1, IdentityOperation::Succeeds { organisation: id(middle) });
    for node in [old, middle, last] {
        mutual(node, 2);
    }
    hand_over(old, middle, &made.space.id);
    hand_over(middle, last, &made.space.id);
    old.wait("the last owner", |client| {
        let passed = client.status().unwrap().passed;
        passed
            .iter()
            .any(|one| one.convention == made.convention.id && one.successor == last.organisation)
    });
}

/// Of two bodies that were merged and both stood there, the one with the smaller identifier was put
/// out, and its role was the new body's.
#[test]
fn of_several_that_were_merged_a_person_says_which_role_remains() {
    let bodies = ["A.S.L. n. 1", "A.S.L. n. 2", "Azienda USL"].map(Node::found_with_words);
    let [one, other, new] = bodies.each_ref().map(|(node, _)| node);
    let community = Node::found("Comunità residenziale");
    for (node, partner) in [(new, one), (new, other), (&community, one), (&community, other)] {
        assert!(!node.join(partner).name.is_empty());
    }
    let parties_of = |request| community.client().create_convention(&request).unwrap();
    let both = parties_of(titled("Accoglienza residenziale", &[&community, one, other]));
    let alone = parties_of(titled("Accoglienza diurna", &[&community, other]));
    for (old, words) in [(one, &bodies[0].1), (other, &bodies[1].1)] {
        sign_both((old, words), (new, &bodies[2].1));
    }
    mutual(&community, 2);
    for made in [&both, &alone] {
        follow(&community, &made.space.id, json!({})).unwrap();
    }
    let stands = |one: &Node| one.organisation.clone();
    assert_eq!(
        parties(&community, &both.convention.id),
        [stands(&community), stands(one), stands(other)]
    );
    assert_eq!(parties(&community, &alone.convention.id), [stands(&community), stands(new)]);
}

/// The one of two that was quicker to accept stood there at once, while the old body had named
/// another one as well.
#[test]
fn whom_a_body_named_besides_is_asked_for_also_before_it_accepts() {
    let bodies = ["CSSA", "UEPE", "Prefettura"].map(Node::found_with_words);
    let [old, first, second] = bodies.each_ref().map(|(node, _)| node);
    let community = Node::found("Comunità residenziale");
    for node in [old, first, second] {
        assert!(!community.join(node).name.is_empty());
    }
    assert!(!first.join(old).name.is_empty());
    let made = community.client().create_convention(&convention(&community, old)).unwrap();
    sign(old, &bodies[0].1, IdentityOperation::SucceededBy { organisation: id(second) });
    sign_both((old, &bodies[0].1), (first, &bodies[1].1));
    mutual(&community, 1);
    let refused = follow(&community, &made.space.id, json!({})).unwrap_err();
    assert_eq!(refused.code, ErrorCode::Ambiguous);
    assert!(refused.message.contains("UEPE"), "{refused:?}");
    assert!(refused.message.contains("Prefettura (?)"), "{refused:?}");
    follow(&community, &made.space.id, json!({"successor": first.organisation})).unwrap();
    assert_eq!(parties(&community, &made.convention.id)[1], first.organisation);
}

/// A body took over the conventions of one that it succeeded, and in them it also took the place of
/// a party that had been divided, of which it had got another part.
#[test]
fn who_takes_over_stands_where_the_owner_stood_and_not_where_a_divided_party_stands() {
    let bodies = ["CSSA", "A.S.L. n. 1", "UEPE", "Prefettura"].map(Node::found_with_words);
    let [old, party, new, other] = bodies.each_ref().map(|(node, _)| node);
    for (node, partner) in [(party, old), (new, old), (new, party), (other, party)] {
        assert!(!node.join(partner).name.is_empty());
    }
    // The old owner is no party of it, and one of the two successors of the divided one is.
    let made = old.client().create_convention(&titled("Accoglienza diurna", &[party, other]));
    let made = made.unwrap();
    let both = old.client().create_convention(&convention(old, party)).unwrap();
    let words = bodies.each_ref().map(|(_, words)| words.as_str());
    sign_both((party, words[1]), (new, words[2]));
    sign_both((party, words[1]), (other, words[3]));
    sign_both((old, words[0]), (new, words[2]));
    mutual(new, 3);
    hand_over(old, new, &made.space.id);
    hand_over(old, new, &both.space.id);
    let stands = |one: &Node| one.organisation.clone();
    assert_eq!(parties(new, &made.convention.id), [stands(party), stands(other)]);
    assert_eq!(parties(new, &both.convention.id), [stands(new), stands(party)]);
}

/// The old name of a divided body found whatever its successors had besides.
#[test]
fn the_name_of_a_divided_body_finds_the_conventions_in_which_it_stood() {
    let bodies = ["CSSA", "UEPE", "Prefettura"].map(Node::found_with_words);
    let [old, first, second] = bodies.each_ref().map(|(node, _)| node);
    let community = Node::found("Comunità residenziale");
    for node in [old, first, second] {
        assert!(!community.join(node).name.is_empty());
    }
    assert!(!first.join(old).name.is_empty() && !second.join(old).name.is_empty());
    let create = |title: &str, parties: &[&Node]| {
        community.client().create_convention(&titled(title, parties)).unwrap()
    };
    let passed = create("Accoglienza di una volta", &[&community, old]);
    let besides = create("Accoglienza sua", &[&community, first]);
    for (new, words) in [(first, &bodies[1].1), (second, &bodies[2].1)] {
        sign_both((old, &bodies[0].1), (new, words));
    }
    mutual(&community, 2);
    follow(&community, &passed.space.id, json!({"successor": first.organisation})).unwrap();

    let found = |q: &str| {
        let query = SearchQuery {
            q: q.to_owned(),
            kind: Some("convention".to_owned()),
            ..SearchQuery::default()
        };
        let hits = community.client().search(&query).unwrap();
        hits.into_iter().map(|hit| hit.record).collect::<Vec<_>>()
    };
    let one = std::slice::from_ref(&passed.convention.id);
    assert_eq!(found("cssa"), one);
    assert_eq!(found("cssa accoglienza"), one);
    assert_eq!(found("uepe").len(), 2);
    let query: ConventionsQuery = serde_json::from_value(json!({
        "organisation": first.organisation, "formerly": old.organisation,
    }))
    .unwrap();
    let listed = community.client().conventions(&query).unwrap();
    let listed: Vec<_> = listed.into_iter().map(|one| one.id).collect();
    assert_eq!(listed, [passed.convention.id]);
    assert!(!listed.contains(&besides.convention.id));
}

/// Both had been parties from the start: once a person had taken the old one out, nobody was told
/// any more that it passed, nor when.
#[test]
fn where_both_were_parties_it_is_told_when_a_person_took_the_old_one_out() {
    let bodies = ["CSSA", "UEPE"].map(Node::found_with_words);
    let [old, new] = bodies.each_ref().map(|(node, _)| node);
    let community = Node::found("Comunità residenziale");
    for (node, partner) in [(new, old), (&community, old), (&community, new)] {
        assert!(!node.join(partner).name.is_empty());
    }
    let all = titled("Accoglienza residenziale", &[&community, old, new]);
    let made = community.client().create_convention(&all).unwrap();
    sign_both((old, &bodies[0].1), (new, &bodies[1].1));
    mutual(&community, 1);
    let shown = |what: &str| {
        let view = community.client().convention(&made.convention.id).unwrap();
        view.passed.ok_or_else(|| what.to_owned())
    };
    assert!(shown("not yet").is_err());
    replace(&community, &made.convention.id, &[&community, new]);
    let passed = shown("passed").unwrap();
    assert_eq!((passed.predecessor_name.as_str(), passed.at.is_some()), ("CSSA", true));
    assert_eq!(passed.successor_name, "UEPE");
}
