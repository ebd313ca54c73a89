//! Who comes to read and write what, and what a person is told of it.

use super::node::{Node, says};
use super::successors::wait;

const TITLE: &str = "Custodia di prova";

/// A body and a partner of it.
fn partners() -> [Node; 2] {
    let [comune, unione] = ["Comune", "Unione"].map(|name| Node::start(name, false));
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    unione.ask(&["join", &invitation]);
    [comune, unione]
}

/// Makes a convention of the body with another one.
fn agree(comune: &Node, other: &str, more: &[&str]) {
    let party = format!("{other}:ospitante");
    let made = ["convention", "new", "--title", TITLE, "--kind", "altro"];
    let parties = ["--party", "Comune:inviante", "--party", &party];
    comune.ask(&[&made[..], &parties, more].concat());
}

/// Shared a second time without its role, a carrier became a contributor and read everything, and
/// nobody was asked.
#[test]
fn a_carrier_does_not_become_a_reader_by_the_way() {
    let [comune, unione] = partners();
    let casa = Node::start("Casa", false);
    agree(&comune, casa.ask(&["status"])["organisation"].as_str().unwrap(), &[]);
    let share =
        |more: &[&str]| comune.tell(&[&["convention", "share", TITLE, "Unione"], more].concat());
    assert!(share(&["--role", "carrier"]).status.success());
    let again = share(&[]);
    assert!(again.status.success() && says(&again).contains("nothing was changed"));
    let refused = share(&["--role", "contributor"]);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("becomes contributor"), "{}", says(&refused));
    let members = |node: &Node| {
        let space = node.ask(&["convention", "show", TITLE])["space"].clone();
        space["members"].to_string()
    };
    assert!(members(&comune).contains("carrier"), "{}", members(&comune));
    assert!(!unione.tell(&["convention", "show", TITLE]).status.success());

    assert!(share(&["--role", "contributor", "--yes"]).status.success());
    wait(&unione, &["convention", "list"], |list| list.to_string().contains(TITLE));
    let refused = share(&["--role", "carrier", "--yes"]);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    assert!(says(&refused).contains("convention revoke"), "{}", says(&refused));
}

/// A contact that was to be seen by its own body alone was sent to every partner; a convention that
/// was not to be shared yet was, by the next edit.
#[test]
fn nothing_says_that_fewer_read_it_than_do() {
    let [comune, unione] = partners();
    agree(&comune, "Unione", &["--private"]);
    let contact = ["contact", "add", "--kind", "persona", "--field", "family_name=Segreti"];
    let add = |who: &str| {
        let field = format!("visibility={who}");
        comune.tell(&[&contact[..], &["--phone", "+390187001000", "--field", &field]].concat())
    };
    for who in ["private", "parties"] {
        let refused = add(who);
        assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
        assert!(says(&refused).contains("every partner"), "{}", says(&refused));
    }
    assert!(add("network").status.success());
    comune.ask(&["convention", "edit", TITLE, "--seats-total", "4"]);
    let share = ["convention", "share", TITLE, "Unione"];
    let refused = says(&comune.tell(&share));
    assert!(refused.contains("visibility=parties"), "{refused}");
    // What else lies there and is for nobody else keeps the others out, too.
    let view = comune.ask(&["convention", "show", TITLE]);
    let space = view["space"]["id"].as_str().unwrap();
    let private = ["record", "new", "contact", "--space", space, "--field", "visibility=private"];
    let name = ["--field", "contact_kind=persona", "--field", "family_name=Segreti"];
    let made = comune.ask(&[&private[..], &name, &["--field", "phone=+390187001000"]].concat());
    let publish = ["convention", "edit", TITLE, "--field", "visibility=parties"];
    let refused = comune.tell(&publish);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
    comune.ask(&["erase", made["id"].as_str().unwrap(), "--yes"]);
    comune.ask(&publish);
    wait(&unione, &["convention", "list"], |list| list.to_string().contains(TITLE));
    let refused = comune.tell(&["convention", "edit", TITLE, "--field", "visibility=private"]);
    assert_eq!(refused.status.code(), Some(2), "{}", says(&refused));
}

/// An erased convention left the rest of its space shared, and no command ended that.
#[test]
fn the_space_of_an_erased_convention_can_still_be_taken_away() {
    let [comune, unione] = partners();
    agree(&comune, "Unione", &[]);
    let view = comune.ask(&["convention", "show", TITLE]);
    let [space, id] = ["space", "convention"].map(|part| view[part]["id"].clone());
    let [space, id] = [&space, &id].map(|text| text.as_str().unwrap());
    let meeting = ["record", "new", "meeting", "--space", space, "--field", "title=Verifica"];
    let kind = ["--field", "meeting_kind=verifica_convenzione"];
    let when = ["--field", "start=2026-11-01T09:00", "--field", "end=2026-11-01T10:00"];
    comune.ask(&[&meeting[..], &kind, &when].concat());
    wait(&unione, &["search", "Verifica"], |found| found.to_string().contains("Verifica"));
    let asked = comune.tell(&["erase", id]);
    assert!(says(&asked).contains("Unione"), "{}", says(&asked));
    comune.ask(&["erase", id, "--yes"]);
    comune.ask(&["convention", "revoke", id, "Unione", "--yes"]);
    wait(&unione, &["space", "list"], |list| {
        let mut spaces = list.as_array().unwrap().iter();
        spaces.any(|one| one["id"] == space && one["role"].is_null())
    });
}

/// Each was refused by the node in words of its own, after a question that made no sense.
#[test]
fn what_cannot_be_shared_or_taken_away_is_said_before_anybody_is_asked() {
    let [comune, unione] = partners();
    let casa = Node::start("Casa", false);
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    agree(&comune, "Unione", &[]);
    for (words, code, told) in [
        (["share", "Comune"], 2, "this organisation's already"),
        (["revoke", "Comune"], 2, "cannot remove itself"),
        (["revoke", "Casa"], 3, "not shared with Casa"),
    ] {
        let refused = comune.tell(&["convention", words[0], TITLE, words[1]]);
        assert_eq!(refused.status.code(), Some(code), "{}", says(&refused));
        assert!(says(&refused).contains(told), "{}", says(&refused));
    }
    let refused = comune.tell(&["introduction", "make", "Unione", "Comune"]);
    assert!(says(&refused).contains("not itself"), "{}", says(&refused));
    // Named as a party by an edit, a reader went on reading alone, and nobody said so.
    comune.ask(&["convention", "share", TITLE, "Casa", "--role", "reader"]);
    let parties = ["--party", "Comune:inviante", "--party", "Casa:ospitante"];
    let edited = comune.tell(&[&["convention", "edit", TITLE][..], &parties].concat());
    assert!(says(&edited).contains("may only read here: Casa"), "{}", says(&edited));
    // Who was removed read "ok" beside it in the list, as if it still were there.
    wait(&unione, &["convention", "list"], |list| list.to_string().contains(TITLE));
    comune.ask(&["convention", "revoke", TITLE, "Unione", "--yes"]);
    wait(&unione, &["space", "list"], |list| {
        list.as_array().unwrap().iter().any(|one| one["role"].is_null())
    });
    let list = says(&unione.tell(&["convention", "list"]));
    assert!(list.contains("no longer shared"), "{list}");
}

/// A convention without its own body went to the others at once, and a second one of the same title
/// took the name from both.
#[test]
fn a_new_convention_is_looked_at_before_it_is_shared() {
    let [comune, _unione] = partners();
    agree(&comune, "Unione", &["--private"]);
    let view = comune.ask(&["convention", "show", TITLE]);
    assert_eq!(view["not_shared_yet"], serde_json::json!([]), "it waits for nobody");
    let casa = Node::start("Casa", false);
    let other = format!("{}:gestore", casa.ask(&["status"])["organisation"].as_str().unwrap());
    let new = ["convention", "new", "--title", TITLE, "--kind", "altro"];
    let new = [&new[..], &["--party", "Unione:ospitante", "--party", &other]].concat();
    let asked = comune.tell(&new);
    assert_eq!(asked.status.code(), Some(2), "{}", says(&asked));
    for told in ["not among the parties", "another convention"] {
        assert!(says(&asked).contains(told), "{told}: {}", says(&asked));
    }
    assert_eq!(comune.ask(&["convention", "list"]).as_array().unwrap().len(), 1);
    let made = comune.tell(&[&new[..], &["--yes"]].concat());
    assert!(made.status.success(), "{}", says(&made));
    for told in ["Shared with: Unione.", "not compared yet: Unione", "Not partners yet"] {
        assert!(says(&made).contains(told), "{told}: {}", says(&made));
    }
}

/// Of a party that another party had written into the convention it was said that it is no partner
/// and needs an invitation, although it is one; and who does not own the convention was sent to
/// invite, too, which only the owner can.
#[test]
fn a_party_without_the_convention_is_told_with_what_helps() {
    let [comune, unione] = partners();
    let casa = Node::start("Casa", false);
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    agree(&comune, "Unione", &[]);
    wait(&unione, &["convention", "list"], |list| list.to_string().contains(TITLE));
    let casa_id = casa.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    let third = format!("{casa_id}:gestore");
    let parties = ["--party", "Comune:inviante", "--party", "Unione:ospitante", "--party", &third];
    let edited = says(&unione.tell(&[&["convention", "edit", TITLE][..], &parties].concat()));
    assert!(edited.contains("Only its owner can share it: Comune"), "{edited}");
    assert!(!edited.contains("sincronia invite"), "{edited}");

    let show = ["convention", "show", TITLE];
    wait(&comune, &show, |view| view["not_shared_yet"] == serde_json::json!([casa_id]));
    let told = says(&comune.tell(&show));
    assert!(told.contains("not shared with: Casa.") && !told.contains("invite"), "{told}");
    comune.ask(&["partner", "block", "Casa", "--yes"]);
    let blocked = says(&comune.tell(&show));
    assert!(blocked.contains("`sincronia partner unblock \"Casa\" --directory "), "{blocked}");
    assert!(!blocked.contains("convention share"), "{blocked}");
    let unblocked = says(&comune.tell(&["partner", "unblock", "Casa"]));
    assert!(unblocked.contains("`sincronia partner verify \"Casa\" --directory "), "{unblocked}");
    let (_, command) = told.split_once("`sincronia convention share ").unwrap();
    let id = command.split_whitespace().next().unwrap();
    assert!(command.starts_with(&format!("{id} \"Casa\" --directory ")), "{told}");
    comune.ask(&["convention", "share", id, "Casa"]);
    wait(&casa, &["convention", "list"], |list| list.to_string().contains(TITLE));
    let told = says(&comune.tell(&show));
    assert!(!told.contains("not shared with"), "{told}");
}

/// A block made "to verify" of a verified partner, and so did the end of a block that never was;
/// neither said so.
#[test]
fn who_blocks_a_verified_partner_is_told_that_the_words_are_to_be_compared_again() {
    let [comune, _unione] = partners();
    comune.ask(&["partner", "verify", "Unione", "--yes"]);
    let state = || comune.ask(&["partner", "show", "Unione"])["state"].clone();
    let none = says(&comune.tell(&["partner", "unblock", "Unione"]));
    assert!(none.contains("was not blocked"), "{none}");
    assert_eq!(state(), "verified");
    let asked = says(&comune.tell(&["partner", "block", "Unione"]));
    assert!(asked.contains("compared again"), "{asked}");
    let blocked = says(&comune.tell(&["partner", "block", "Unione", "--yes"]));
    assert!(blocked.contains("compare them again"), "{blocked}");
    let unblocked = says(&comune.tell(&["partner", "unblock", "Unione"]));
    assert!(unblocked.contains("`sincronia partner verify \"Unione\" "), "{unblocked}");
    assert_eq!(state(), "joined");
}

/// Each was sent to ask for an invitation, or told no more than that there is no such partner.
#[test]
fn whoever_was_presented_is_accepted_and_not_asked_for_an_invitation() {
    let [comune, unione] = partners();
    let casa = Node::start("Casa", false);
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    comune.ask(&["introduction", "make", "Casa", "Unione"]);
    let list = ["introduction", "list"];
    wait(&unione, &list, |list| list.as_array().is_some_and(|list| !list.is_empty()));
    let id = casa.ask(&["status"])["organisation"].as_str().unwrap().to_owned();
    for whom in ["Casa", &id] {
        for words in [&["partner", "show", whom][..], &["bundle", "export", "--for", whom]] {
            let refused = unione.tell(words);
            let (told, italian) = (says(&refused), says(&unione.tell_italian(words)));
            for told in [told, italian] {
                assert!(told.contains("`sincronia introduction accept ente1"), "{told}");
                assert!(!told.contains("join"), "{told}");
            }
        }
    }
    let parties = ["--party", "Unione:inviante", "--party"];
    let new = ["convention", "new", "--title", TITLE, "--kind", "altro"];
    let told = says(&unione.tell(&[&new[..], &parties, &[&format!("{id}:ospitante")]].concat()));
    assert!(told.contains("`sincronia introduction accept "), "{told}");
    assert!(!told.contains("sincronia invite"), "{told}");
    casa.ask(&["introduction", "accept", "Unione", "--yes"]);
    let made = casa.ask(&["bundle", "export", "--for", "Unione", "--output", "stick"]);
    let made = casa.place(made["files"][0].as_str().unwrap()).display().to_string();
    let refused = says(&unione.tell(&["bundle", "import", &made]));
    assert!(refused.contains("`sincronia introduction accept ente1"), "{refused}");
    unione.ask(&["introduction", "accept", "Casa", "--yes"]);
    unione.ask(&["bundle", "import", &made]);
    wait(&casa, &["convention", "list"], |list| list.to_string().contains(TITLE));
    assert_eq!(unione.ask(&["partner", "show", "Casa"])["state"], "joined");
}

/// Nobody who met the owner at the carrier alone hears of its removal: such a partner went on
/// writing, and read that the carrier had everything.
#[test]
fn who_takes_a_carrier_away_is_told_who_does_not_hear_of_it() {
    let [comune, _unione] = partners();
    let casa = Node::start("Casa", false);
    let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    casa.ask(&["join", &invitation]);
    agree(&comune, "Casa", &[]);
    comune.ask(&["convention", "share", TITLE, "Unione", "--role", "carrier"]);
    let revoked = says(&comune.tell(&["convention", "revoke", TITLE, "Unione", "--yes"]));
    assert!(revoked.contains("met this organisation only at Unione"), "{revoked}");
    assert!(revoked.contains("tell Casa."), "{revoked}");
    let party = says(&comune.tell(&["convention", "revoke", TITLE, "Casa", "--yes"]));
    assert!(!party.contains("only at"), "{party}");
}

/// A machine that ran on with the sealing key before could open nothing that came, and said that
/// its partners had to bring it.
#[test]
fn a_machine_that_runs_with_the_key_before_is_to_be_started_again() {
    let comune = Node::start("Comune", false);
    let rotate = ["node", "rotate-sealing", "--recovery-file", "words", "--key-file", "key"];
    assert!(comune.ask(&["status"])["sealing_replaced"].is_null());
    let rotated = comune.tell(&[&rotate[..], &["--yes"]].concat());
    assert!(rotated.status.success(), "{}", says(&rotated));
    assert_eq!(comune.ask(&["status"])["sealing_replaced"], true);
    let told = says(&comune.tell(&["status"]));
    assert!(told.contains("stopped and started again"), "{told}");
    let comune = comune.meanwhile(|_, _| ());
    assert!(comune.ask(&["status"])["sealing_replaced"].is_null());
    assert!(!says(&comune.tell(&["status"])).contains("started again"));
}
