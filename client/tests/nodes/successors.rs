//! Who takes an organisation's place, as its people declare it.

use super::node::{Node, says};

fn join(node: &Node, other: &Node) {
    let invitation = other.ask(&["invite"])["text"].as_str().unwrap().to_owned();
    node.ask(&["join", &invitation]);
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
