//! Who takes an organisation's place, as its people declare it.

use super::node::{Node, data, says};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long anything may take on a slow, shared machine.
const DEADLINE: Duration = Duration::from_mins(1);

fn join(node: &Node, other: &Node) {
    let invitation = other.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    node.ask(&["join", &invitation]);
}

/// Asks again until the answer is as it should be: each question is a process of its own.
pub fn wait(node: &Node, words: &[&str], holds: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = node.ask(words);
        if holds(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < DEADLINE, "{words:?}: {answer}");
    }
}

fn say(node: &Node, words: &[&str]) -> std::process::Output {
    let file = node.place("words").display().to_string();
    node.tell(&[words, &["--yes", "--recovery-file", &file]].concat())
}

/// An old body and the two that it declared when it was divided; the first one accepted.
fn divided() -> [Node; 3] {
    let [old, first, second] = ["CSSA", "UEPE", "Prefettura"].map(|name| Node::start(name, false));
    join(&first, &old);
    join(&second, &old);
    for words in [&["UEPE"][..], &["Prefettura", "--also"]] {
        let declared = say(&old, &[&["succession", "declare"], words].concat());
        assert!(declared.status.success(), "{}", says(&declared));
    }
    wait(&first, &["succession", "list"], |all| all.as_array().is_some_and(|all| !all.is_empty()));
    let accepted = say(&first, &["succession", "accept", "CSSA"]);
    assert!(accepted.status.success(), "{}", says(&accepted));
    [old, first, second]
}

fn accepted(all: &Value) -> usize {
    let all = all.as_array().into_iter().flatten();
    all.filter(|one| one["declared"] == true && one["accepted"] == true).count()
}

fn convention(old: &Node, title: &str) -> String {
    let made = old.tell(&[
        "--json",
        "convention",
        "new",
        "--title",
        title,
        "--kind",
        "accoglienza",
        "--party",
        "UEPE:inviante",
        "--party",
        "Prefettura:gestore",
        // Its own body is no party.
        "--yes",
    ]);
    assert!(made.status.success(), "{}", says(&made));
    data(&made)["convention"]["id"].as_str().unwrap().to_owned()
}

/// Who typed `accept` alone was sent to the help, and nothing told that anybody had been declared,
/// presented or offered something to this organisation.
#[test]
fn what_waits_for_a_decision_is_told_where_people_look() {
    let [old, first, second] = divided();
    let waits = |all: &Value| all.as_array().is_some_and(|all| !all.is_empty());
    wait(&second, &["succession", "list"], waits);
    let refused = say(&second, &["succession", "accept"]);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("CSSA"), "{}", says(&refused));
    assert!(says(&refused).contains("succession accept"), "{}", says(&refused));
    assert_eq!(second.ask(&["status"])["decisions"]["to_accept"], json!(["CSSA"]));
    assert!(says(&second.tell(&["status"])).contains("succession accept"));

    let same = old.tell(&["introduction", "make", "UEPE", "UEPE"]);
    assert_eq!(same.status.code(), Some(2), "{}", says(&same));
    assert!(says(&same).contains("the same"), "{}", says(&same));
    assert!(old.tell(&["introduction", "make", "UEPE", "Prefettura"]).status.success());
    wait(&second, &["status"], |status| status["decisions"]["introductions"] == 1);
    assert!(says(&second.tell(&["status"])).contains("introduction list"));

    let id = convention(&old, "Accoglienza residenziale");
    wait(&old, &["succession", "list"], |all| accepted(all) == 1);
    assert!(old.tell(&["succession", "offer", "--to", "UEPE", &id, "--yes"]).status.success());
    wait(&first, &["status"], |status| status["decisions"]["offers"] == 1);
    assert!(says(&first.tell(&["status"])).contains("succession take"));
    let italian = says(&first.tell_italian(&["status"]));
    assert!(italian.contains("succession take") && !italian.contains("offered"), "{italian}");
}

/// The old name meant one of the two, whichever signed: the convention went to a body that nobody
/// had named, and a second offer took the first away without a word.
#[test]
fn a_divided_body_is_every_one_of_its_successors_and_a_person_says_which_is_meant() {
    let [old, first, second] = divided();
    let id = convention(&old, "Accoglienza residenziale");
    let other = convention(&old, "Accoglienza diurna");
    wait(&second, &["succession", "list"], |all| all.as_array().is_some_and(|all| !all.is_empty()));
    let new = ["convention", "new", "--title", "Accoglienza notturna", "--kind", "accoglienza"];
    let party = |name: &str| old.tell(&[&new[..], &["--party", name, "--yes"]].concat());
    let is_asked = || {
        let refused = party("CSSA:inviante");
        assert_eq!(refused.status.code(), Some(3), "{}", says(&refused));
        for name in ["UEPE", "Prefettura"] {
            assert!(says(&refused).contains(name), "{}", says(&refused));
        }
    };
    // The one that was quicker to accept is not the only one.
    is_asked();
    let accepted_too = say(&second, &["succession", "accept", "CSSA"]);
    assert!(accepted_too.status.success(), "{}", says(&accepted_too));
    wait(&old, &["succession", "list"], |all| accepted(all) == 2);
    is_asked();
    let listed = says(&old.tell(&["convention", "list", "--organisation", "CSSA"]));
    for name in ["UEPE", "Prefettura"] {
        assert!(listed.contains(name), "{listed}");
    }
    let partners = says(&old.tell(&["partner", "list"]));
    // Neither of the two is the old body under another name.
    assert_eq!(partners.matches("formerly").count(), 0, "{partners}");

    // Offered is offered.
    assert!(old.tell(&["succession", "offer", "--to", "UEPE", &id, "--yes"]).status.success());
    let again = old.tell(&["succession", "offer", "--to", "Prefettura", &id, "--yes"]);
    assert_eq!(again.status.code(), Some(7), "{}", says(&again));
    assert!(says(&again).contains("UEPE"), "{}", says(&again));
    let shown = old.ask(&["convention", "show", &id]);
    let uepe = first.ask(&["status"])["organisation"].clone();
    assert_eq!(shown["space"]["offered_to"], uepe);
    // Its sheet has room for one of them, and whoever looks at it is told of both.
    let sheet = old.ask(&["record", "list", "organisation"])[0].clone();
    let shown = says(&old.tell(&["record", "show", sheet["id"].as_str().unwrap()]));
    let last = shown.lines().find(|line| line.contains("named several")).unwrap_or_default();
    assert!(last.contains("UEPE") && last.contains("Prefettura"), "{shown}");
    // All that is left goes to the other one, and what does not is told.
    let rest = old.tell(&["succession", "offer", "--to", "Prefettura", "--all", "--yes"]);
    assert!(rest.status.success(), "{}", says(&rest));
    assert!(says(&rest).contains("Accoglienza residenziale"), "{}", says(&rest));
    let shown = old.ask(&["convention", "show", &other]);
    assert_eq!(shown["space"]["offered_to"], second.ask(&["status"])["organisation"]);
}

/// Whoever shared a convention with an old name shared it with another body, and was not asked.
#[test]
fn nothing_is_shared_with_a_successor_before_a_person_says_so() {
    let [old, new, other] = ["CSSA", "UEPE", "Casa"].map(|name| Node::start(name, false));
    join(&new, &old);
    assert!(say(&old, &["succession", "declare", "UEPE"]).status.success());
    wait(&new, &["succession", "list"], |all| all.as_array().is_some_and(|all| !all.is_empty()));
    assert!(say(&new, &["succession", "accept", "CSSA"]).status.success());
    wait(&old, &["succession", "list"], |all| accepted(all) == 1);
    let party = |node: &Node| {
        let id = node.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
        format!("{id}:gestore")
    };
    let made = ["convention", "new", "--title", "Accoglienza diurna", "--kind", "accoglienza"];
    let parties = ["--party", &party(&old), "--party", &party(&other)];
    let made = old.ask(&[&made[..], &parties].concat());
    let share = ["convention", "share", made["convention"]["id"].as_str().unwrap(), "CSSA"];
    let refused = old.tell(&share);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("UEPE"), "{}", says(&refused));
    assert!(old.tell(&[&share[..], &["--yes"]].concat()).status.success());

    // Nor does either take the other's place once more.
    for (node, words) in [(&new, ["declare", "CSSA"]), (&old, ["accept", "UEPE"])] {
        let refused = say(node, &[&["succession"], &words[..]].concat());
        assert_eq!(refused.status.code(), Some(7), "{}", says(&refused));
    }
}

/// A newcomer declared one successor, then another by mistake: both stood, signed for good, and
/// nothing had told that one was declared before.
#[test]
fn a_second_successor_is_never_declared_by_mistake() {
    let [old, first, second] = ["CSSA", "UEPE", "Prefettura"].map(|name| Node::start(name, false));
    join(&first, &old);
    join(&second, &old);
    let words = old.place("words").display().to_string();
    let declare = |name: &str, more: &[&str]| {
        let declare = ["succession", "declare", name, "--yes", "--recovery-file", &words];
        old.tell(&[&declare[..], more].concat())
    };
    let declared = || old.ask(&["succession", "list"]).as_array().unwrap().len();
    assert!(declare("UEPE", &[]).status.success());
    let refused = declare("Prefettura", &[]);
    assert_eq!((refused.status.code(), declared()), (Some(2), 1), "{}", says(&refused));
    for told in ["UEPE", "--also"] {
        assert!(says(&refused).contains(told), "{}", says(&refused));
    }
    // The same again is no other one.
    assert!(declare("UEPE", &[]).status.success());
    // A division has several.
    let made = declare("Prefettura", &["--also"]);
    assert_eq!((made.status.code(), declared()), (Some(0), 2), "{}", says(&made));
}

/// What the two successors have besides was listed under the old name as if it had been its own.
#[test]
fn the_name_of_a_divided_body_lists_only_where_it_stood() {
    let [old, owner, _second] = divided_and_accepted();
    let gone = organisation(&old);
    let passed = between(&owner, "Accoglienza passata", [&gone, "UEPE"]);
    between(&owner, "Accoglienza sua", ["UEPE", "Prefettura"]);
    let edited = ["convention", "edit", &passed, "--party", "UEPE:inviante"];
    owner.ask(&[&edited[..], &["--party", "Prefettura:gestore"]].concat());
    let listed = owner.ask(&["convention", "list", "--organisation", "CSSA"]);
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(listed, [&json!(passed)]);
}

fn organisation(node: &Node) -> String {
    node.ask(&["status"])["organisation"].as_str().unwrap().to_owned()
}

/// Whoever was divided among them, as both know it, and each of them knows the other.
fn divided_and_accepted() -> [Node; 3] {
    let [old, first, second] = divided();
    wait(&second, &["succession", "list"], |all| all.as_array().is_some_and(|all| !all.is_empty()));
    let accepted_too = say(&second, &["succession", "accept", "CSSA"]);
    assert!(accepted_too.status.success(), "{}", says(&accepted_too));
    join(&second, &first);
    for node in [&first, &second] {
        wait(node, &["succession", "list"], |all| accepted(all) == 2);
    }
    [old, first, second]
}

/// A convention of `owner` with these two as parties; its identifier.
fn between(owner: &Node, title: &str, parties: [&str; 2]) -> String {
    let [one, other] = parties.map(|party| format!("{party}:inviante"));
    let new = ["--json", "convention", "new", "--kind", "accoglienza", "--title", title];
    let parties = ["--party", &one, "--party", &other, "--yes"];
    let made = owner.tell(&[&new[..], &parties].concat());
    assert!(made.status.success(), "{}", says(&made));
    data(&made)["convention"]["id"].as_str().unwrap().to_owned()
}

/// Asilo takes the place of Casa; both are partners of the owner.
fn succeed(owner: &Node, house: &Node, home: &Node) {
    for node in [house, home] {
        join(node, owner);
    }
    join(home, house);
    assert!(say(house, &["succession", "declare", "Asilo"]).status.success());
    wait(home, &["succession", "list"], |all| all.as_array().is_some_and(|all| !all.is_empty()));
    assert!(say(home, &["succession", "accept", "Casa"]).status.success());
}

/// One body that had been divided stopped all the others half way, and with `--to` what was not
/// touched was listed as done, with a reason that was not so.
#[test]
fn all_that_is_clear_is_followed_and_what_needs_a_choice_is_told() {
    let [old, owner, _second] = divided_and_accepted();
    let [house, home] = ["Casa", "Asilo"].map(|name| Node::start(name, false));
    succeed(&owner, &house, &home);
    wait(&owner, &["succession", "list"], |all| accepted(all) == 3);
    let (gone, house, home) = (organisation(&old), organisation(&house), organisation(&home));
    let unclear = between(&owner, "Accoglienza divisa", [&gone, "Asilo"]);
    let clear = between(&owner, "Accoglienza chiara", [&house, "UEPE"]);
    let both = between(&owner, "Accoglienza doppia", [&house, &home]);
    let parties = |id: &str| {
        let shown = owner.ask(&["convention", "show", id]);
        shown["convention"]["fields"]["parties"].to_string()
    };
    let before = [parties(&unclear), parties(&both)];

    let follow = ["--json", "succession", "follow", "--all", "--yes"];
    let followed = owner.tell(&follow);
    assert_eq!(followed.status.code(), Some(5), "{}", says(&followed));
    let followed = data(&followed);
    assert_eq!(followed["spaces"].as_array().unwrap().len(), 1, "{followed}");
    let left = followed["left"].as_array().unwrap().iter();
    let mut left: Vec<_> = left.map(|one| (one["title"].clone(), one["reason"].clone())).collect();
    left.sort_by_key(|(title, _)| title.to_string());
    let wanted = [("Accoglienza divisa", "divided"), ("Accoglienza doppia", "same_body")];
    assert_eq!(left, wanted.map(|(title, reason)| (json!(title), json!(reason))));
    assert!(parties(&clear).contains(&home));
    assert_eq!(before, [parties(&unclear), parties(&both)]);
    let told = owner.tell(&follow[1..]);
    assert_eq!(told.status.code(), Some(5), "{}", says(&told));
    for said in ["In “Accoglienza divisa” stands “CSSA”", "In “Accoglienza doppia” more than one"]
    {
        assert!(says(&told).contains(said), "{}", says(&told));
    }
    assert!(!says(&told).contains("chiara"), "{}", says(&told));
    // It is told again to whoever looks. Where no other party is left, to keep one role alone was
    // asked for, and refused.
    let shown = |id: &str| says(&owner.tell(&["convention", "show", id]));
    for (id, said) in [(&unclear, "succession follow --to"), (&both, "there is no other")] {
        assert!(shown(id).contains(said), "{}", shown(id));
    }
    let [one, other] = [&house, &home].map(|party| format!("{party}:inviante"));
    let third = ["--party", &one, "--party", &other, "--party", "UEPE:gestore", "--yes"];
    let edited = owner.tell(&[&["convention", "edit", &both][..], &third].concat());
    assert!(edited.status.success(), "{}", says(&edited));
    assert!(shown(&both).contains("which of the roles remains"), "{}", shown(&both));

    // The owner itself may be the successor that stands there.
    let named = owner.tell(&[&follow[..], &["--to", "UEPE"]].concat());
    assert!(named.status.success(), "{}", says(&named));
    assert_eq!(data(&named)["spaces"].as_array().unwrap().len(), 1, "{}", says(&named));
    assert!(!parties(&unclear).contains(&gone));
}

/// A convention that failed half way kept quiet about the ones before it: what had been done, and
/// what waits for a person.
#[test]
fn what_was_followed_before_a_failure_is_told_and_what_waits() {
    let [owner, house, home] = ["Comune", "Casa", "Asilo"].map(|name| Node::start(name, false));
    succeed(&owner, &house, &home);
    wait(&owner, &["succession", "list"], |all| accepted(all) == 1);
    let (gone, now) = (organisation(&house), organisation(&home));
    let both = between(&owner, "Accoglienza doppia", [&gone, &now]);
    let clear = between(&owner, "Accoglienza chiara", [&gone, "Comune"]);
    let closed = between(&owner, "Accoglienza riservata", [&gone, "Comune"]);
    owner.ask(&["convention", "revoke", &closed, "Casa", "--yes"]);
    // What is said there to be read by nobody else keeps the successor out.
    let contact = ["record", "new", "contact", "--space", &closed, "--field", "visibility=private"];
    let fields = ["--field", "contact_kind=casella_funzione", "--field", "name=Segreteria"];
    owner.ask(&[&contact[..], &fields].concat());
    let parties = |id: &str| {
        let shown = owner.ask(&["convention", "show", id]);
        shown["convention"]["fields"]["parties"].to_string()
    };

    let follow = ["succession", "follow", &both, &clear, &closed, "--yes"];
    let failed = owner.tell(&[&["--json"], &follow[..]].concat());
    assert_eq!(failed.status.code(), Some(2), "{}", says(&failed));
    let error: Value = serde_json::from_slice(&failed.stderr).unwrap();
    assert_eq!(error["problems"][0]["code"], "visibility_wider", "{error}");
    let followed = data(&failed);
    assert_eq!(followed["spaces"].as_array().unwrap().len(), 1, "{followed}");
    let left = &followed["left"];
    assert_eq!(
        (&left[0]["reason"], &left[0]["title"]),
        (&json!("same_body"), &json!("Accoglienza doppia"))
    );
    assert!(parties(&clear).contains(&now) && !parties(&closed).contains(&now));
    // Nothing is left to be done before the failure, and what waits is told all the same.
    let again = owner.tell(&follow);
    assert!(!again.status.success(), "{}", says(&again));
    assert!(says(&again).contains("In “Accoglienza doppia” more than one"), "{}", says(&again));
    assert!(says(&again).contains("visibility"), "{}", says(&again));
}
