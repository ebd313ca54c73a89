//! What people read off lists and messages, and act on: who houses whom, until when, who sees it.

use super::node::{Node, says};
use super::successors::wait;

const TITLE: &str = "Accoglienza residenziale";

fn agree(comune: &Node, title: &str, more: &[&str]) {
    let made = ["convention", "new", "--title", title, "--kind", "accoglienza"];
    let parties = ["--party", "Comune:inviante", "--party", "Casa:ospitante"];
    comune.ask(&[&made[..], &parties, more].concat());
}

/// A body and partners of it.
fn partners<const COUNT: usize>(names: [&str; COUNT]) -> (Node, [Node; COUNT]) {
    let comune = Node::start("Comune", false);
    let others = names.map(|name| {
        let node = Node::start(name, false);
        let invitation = comune.ask(&["invite"])["text"].as_str().unwrap().to_owned();
        node.ask(&["join", &invitation]);
        node
    });
    (comune, others)
}

/// The line of a list that holds a text.
fn line(text: &str, holds: &str) -> String {
    let found = text.lines().find(|line| line.contains(holds));
    found.unwrap_or_else(|| panic!("{holds}: {text}")).to_owned()
}

/// A convention that had ended a year before, and an insurance that had lapsed, were "in ordine".
#[test]
fn what_has_ended_is_not_in_order_in_any_list() {
    let (comune, _partners) = partners(["Casa"]);
    agree(&comune, "Vecchia accoglienza", &["--from", "2020-01-01", "--until", "2021-12-31"]);
    agree(&comune, "Futura accoglienza", &["--from", "2999-01-01"]);
    agree(&comune, "Accoglienza di oggi", &["--from", "2020-01-01"]);
    let cover = ["--kind", "rct", "--policy", "P1", "--from", "2020-01-01T00:00"];
    let until = ["--until", "2021-10-31T24:00"];
    comune.ask(&[&["cover", "add", "Accoglienza di oggi"], &cover[..], &until].concat());
    let listed = says(&comune.tell_italian(&["convention", "list"]));
    for (title, state) in [
        ("Vecchia", "SCADENZA PASSATA"),
        ("Futura", "non ancora in vigore"),
        ("di oggi", "in ordine"),
    ] {
        assert!(line(&listed, title).contains(state), "{title}: {listed}");
    }
    let covers = says(&comune.tell_italian(&["cover", "list"]));
    let policy = line(&covers, "P1");
    assert!(policy.contains("SCADENZA PASSATA"), "{covers}");
    // Of which convention it is was told by an identifier at best.
    assert!(policy.contains("Accoglienza di oggi"), "{covers}");
    let all = says(&comune.tell_italian(&["record", "list", "convention"]));
    assert!(line(&all, "Vecchia").contains("SCADENZA PASSATA"), "{all}");
    let shown = says(&comune.tell_italian(&["convention", "show", "Vecchia"]));
    assert!(line(&shown, "2021-12-31").contains("SCADENZA PASSATA"), "{shown}");
}

/// Of two ends that two bodies had written apart the list showed one, and it was the later one.
#[test]
fn a_list_shows_both_values_of_a_field_in_conflict() {
    let (comune, [casa]) = partners(["Casa"]);
    agree(&comune, TITLE, &["--until", "2990-12-31"]);
    wait(&casa, &["convention", "list"], |list| list.to_string().contains(TITLE));
    for node in [&comune, &casa] {
        node.ask(&["offline"]);
    }
    comune.ask(&["convention", "edit", TITLE, "--until", "2991-06-30"]);
    casa.ask(&["convention", "edit", TITLE, "--until", "2990-12-15"]);
    for node in [&comune, &casa] {
        node.ask(&["online"]);
    }
    for node in [&comune, &casa] {
        wait(node, &["conflict", "list"], |list| {
            list.as_array().is_some_and(|all| !all.is_empty())
        });
        let listed = says(&node.tell_italian(&["convention", "list"]));
        assert!(listed.contains("2991-06-30") && listed.contains("2990-12-15"), "{listed}");
        assert!(listed.contains("DUE VALORI DIVERSI: Scadenza"), "{listed}");
    }
    let resolve = ["conflict", "resolve", TITLE, "end_date", "--value", "2990-12-15"];
    comune.ask(&resolve);
    // It said that the field has no values any more.
    let again = says(&comune.tell_italian(&resolve));
    assert!(again.contains("il valore è uno solo"), "{again}");
}

/// Taken off the list of parties, a body went on reading and writing, and nobody was told; a body
/// put on it was given everything in silence; and one that only carries was said to read.
#[test]
fn who_comes_and_who_leaves_with_the_list_of_parties_is_told() {
    let (comune, [casa, _unione, _rete]) = partners(["Casa", "Unione", "Rete"]);
    agree(&comune, TITLE, &[]);
    comune.ask(&["convention", "share", TITLE, "Rete", "--role", "carrier"]);
    let edit = |others: &[&str]| {
        let parties = others.iter().chain(&["Comune:inviante"]).flat_map(|one| ["--party", one]);
        let words: Vec<_> = ["convention", "edit", TITLE].into_iter().chain(parties).collect();
        let edited = comune.tell(&words);
        assert!(edited.status.success(), "{}", says(&edited));
        says(&edited)
    };
    let told = edit(&["Casa:ospitante", "Unione:garante", "Rete:garante"]);
    assert!(told.contains("Shared with: Unione."), "{told}");
    assert!(told.contains("only carry here") && !told.contains("only read here"), "{told}");
    let told = edit(&["Unione:garante"]);
    let still = line(&told, "still shared with");
    let advised = still.split('`').find(|one| one.contains("\"Casa\""));
    let advised = advised.unwrap_or_else(|| panic!("{told}")).replace('"', "");
    let words: Vec<_> = advised.split_whitespace().skip(1).take(4).collect();
    assert!(comune.tell(&[&words[..], &["--yes"]].concat()).status.success(), "{advised}");
    wait(&casa, &["convention", "list"], |list| list.to_string().contains(TITLE));
    let left = says(&casa.tell(&["convention", "list"]));
    assert!(left.contains("no longer shared"), "{left}");
}

/// `record fields` said that a name is enough where a record is meant, and a name stood there that
/// meant nothing, or was refused for its spaces.
#[test]
fn a_record_is_named_as_record_fields_says() {
    let (comune, _partners) = partners(["Casa"]);
    let contact = ["contact", "add", "--kind", "casella_funzione"];
    let add = |name: &str| comune.ask(&[&contact[..], &["--name", name]].concat());
    let new = add("Servizio sociale");
    add("Anagrafe");
    let edit = |name: &str| {
        let field = format!("replaced_by={name}");
        comune.tell(&["contact", "edit", "Anagrafe", "--field", &field])
    };
    let refused = edit("Pippo");
    assert_eq!(refused.status.code(), Some(3), "{}", says(&refused));
    let edited = edit("Servizio sociale");
    assert!(edited.status.success(), "{}", says(&edited));
    assert!(line(&says(&edited), "Replaced by").contains("Servizio sociale"), "{}", says(&edited));
    let stored = comune.ask(&["contact", "show", "Anagrafe"]);
    assert_eq!(stored["fields"]["replaced_by"], new["id"]);
    agree(&comune, "Accordo quadro", &["--seats", "month=2026-12; kind=diurno; seats_free=3"]);
    agree(&comune, TITLE, &["--field", "parent=Accordo quadro"]);
    let shown = says(&comune.tell(&["convention", "show", TITLE]));
    assert!(shown.contains("Accordo quadro"), "{shown}");
    // Free places, of nobody and in no convention.
    let seats = line(&says(&comune.tell(&["seats", "list"])), "2026-12");
    assert!(seats.contains("Accordo quadro") && seats.contains("Comune"), "{seats}");
    let fields = says(&comune.tell(&["record", "fields", "convention"]));
    let attachment = line(&fields, "dpa_attachment");
    assert!(!attachment.contains("name"), "no file has a name here: {attachment}");
}

/// Once a body had presented two others, its own name was theirs, too.
#[test]
fn who_presented_others_is_not_meant_with_them() {
    let (comune, [casa, _rete]) = partners(["Casa", "Rete"]);
    comune.ask(&["introduction", "make", "Casa", "Rete"]);
    wait(&casa, &["introduction", "list"], |list| list.to_string().contains("Rete"));
    agree(&comune, TITLE, &["--party", "Rete:garante"]);
    wait(&casa, &["convention", "list"], |list| list.to_string().contains(TITLE));
    let shown = casa.tell(&["partner", "show", "comu"]);
    assert!(shown.status.success(), "{}", says(&shown));
}

/// Whoever had typed a comma, or had not finished, was told that somebody stands between.
#[test]
fn words_with_commas_are_the_same_words_and_too_few_are_no_others() {
    let (comune, [_casa]) = partners(["Casa"]);
    let verify =
        |phrase: &str| comune.tell_italian(&["partner", "verify", "Casa", "--phrase", phrase]);
    let partner = comune.ask(&["partner", "show", "Casa"]);
    let words = partner["verification_phrase"].as_array().unwrap();
    let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
    let few = verify(&words[..2].join(" "));
    assert_eq!(few.status.code(), Some(2), "{}", says(&few));
    assert!(!says(&few).contains("sta in mezzo"), "{}", says(&few));
    let others = verify("a b c d e f");
    assert_eq!(others.status.code(), Some(7), "{}", says(&others));
    let same = verify(&words.join(", "));
    assert!(same.status.success(), "{}", says(&same));
}

/// An unknown code, a limit of nothing and a filter that fits nothing were all "nothing yet".
#[test]
fn a_list_that_is_narrowed_wrongly_is_not_empty() {
    let (comune, [_casa]) = partners(["Casa"]);
    agree(&comune, TITLE, &[]);
    for words in [
        &["contact", "list", "--function", "boh"][..],
        &["convention", "list", "--placement", "boh"],
        &["search", TITLE, "--limit", "0"],
    ] {
        let refused = comune.tell_italian(words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}", says(&refused));
    }
    let none = says(&comune.tell_italian(&["contact", "list", "--function", "tutor"]));
    assert!(none.contains("Nessun risultato"), "{none}");
}

/// What an Italian office read in English, and advice that led back to where it came from.
#[test]
fn mistakes_are_told_in_italian_with_what_to_do() {
    let comune = Node::start("Comune", false);
    let said = |words: &[&str]| says(&comune.tell_italian(words));
    let key = comune.place("other").display().to_string();
    let mistyped = said(&["init", "--additional", "boh", "--key-file", &key]);
    assert!(mistyped.contains("comincia con ente1") && !mistyped.contains("typing"), "{mistyped}");
    let settings = said(&["config", "show", "--origin"]);
    assert!(settings.contains("non indicato") && !settings.contains("default"), "{settings}");
    let invitation = comune.place("invito.txt").display().to_string();
    comune.ask(&["invite", "--output", &invitation]);
    let taken = said(&["bundle", "import", &invitation]);
    assert!(taken.contains("sincronia join") && !taken.contains("copia di nuovo"), "{taken}");
    let table = "contact_kind;name;valid_to\npersona;A;ieri\n";
    std::fs::write(comune.place("rows.csv"), table).unwrap();
    let partial = said(&["import", "rows.csv", "--kind", "contact", "--partial"]);
    assert!(!partial.contains("con --partial"), "it was given: {partial}");
    let path = comune.place("node").join("sincronia.toml");
    let sound = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{sound}boh = 3\n")).unwrap();
    let unknown = said(&["config", "show"]);
    assert!(unknown.contains("network.listen") && !unknown.contains("config show"), "{unknown}");
    std::fs::write(&path, format!("{sound}[log]\nlevel = \"alto\"\n")).unwrap();
    let wrong = said(&["config", "show"]);
    assert!(wrong.contains("debug o trace") && !wrong.contains(" or "), "{wrong}");
}
