//! Commands that messages suggest, such that they can be copied.
//!
//! Whoever named a node with `--directory` or `--node` would otherwise be sent to another one, and
//! a node that opens with a key file would not open. Texts write commands between grave accents;
//! those that belong on another machine stand between curved quotes, or begin as one of those that
//! are never said to the node that was named.

use crate::output::foreign::safe;
use crate::output::value::beginning;
use std::path::Path;

/// How a command begins in a text.
const BEGINNING: &str = "`sincronia ";

/// What is never said to the node that was named.
const ELSEWHERE: [&str; 3] = ["node add", "demo", "init --additional"];

/// What opens the keystore of a node.
const OPENING: [&str; 5] = ["run", "repair", "verify", "node admit", "node rotate-sealing"];

/// What a suggestion adds to a command: the words that name a node, and those that open it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Of which node it speaks; empty when nobody named one.
    pub place: String,
    /// With which file it opens; empty when a passphrase is asked for.
    pub opening: String,
}

/// The words that name a node by its directory, as a shell takes them.
#[must_use]
pub fn by_directory(directory: &Path) -> String {
    option("--directory", directory)
}

/// An option with a path, as a shell takes it.
#[must_use]
pub fn option(name: &str, path: &Path) -> String {
    format!("{name} {}", quoted(&path.display().to_string()))
}

/// One word of a command, as a shell takes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || "/._-".contains(one);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The word for an organisation or a thing: its name, if a shell takes that between quotation marks
/// as it is, else the beginning of its identifier. A name is what somebody else chose.
#[must_use]
pub fn named(name: &str, id: &str) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || " .,'’()/_-&".contains(one);
    if !name.is_empty() && name.chars().all(is_plain) && safe(name) == name {
        return format!("\"{name}\"");
    }
    beginning(id).to_owned()
}

/// A command for each of several, by name and identifier.
#[must_use]
pub fn each<'a>(command: &str, of: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let commands = of.map(|(name, id)| format!("{BEGINNING}{command} {}`", named(name, id)));
    commands.collect::<Vec<_>>().join(", ")
}

/// The words that name a node of the demonstration.
#[must_use]
pub fn by_key(key: &str) -> String {
    format!("--node {key}")
}

/// The text with the words that name and open the node at the end of each command that it suggests.
pub(super) fn addressed(text: &str, node: &Node) -> String {
    let mut parts = text.split(BEGINNING);
    let mut addressed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (command, rest) = part.split_once('`').unwrap_or((part, ""));
        addressed.push_str(BEGINNING);
        addressed.push_str(command);
        if command.len() < part.len() {
            let place = (!is_addressed(command)).then_some(&node.place);
            let opening = is_opening(command).then_some(&node.opening);
            for words in place.into_iter().chain(opening).filter(|words| !words.is_empty()) {
                addressed.push(' ');
                addressed.push_str(words);
            }
            addressed.push('`');
            addressed.push_str(rest);
        }
    }
    addressed
}

/// Whether it belongs to another machine, or names its node already.
fn is_addressed(command: &str) -> bool {
    ELSEWHERE.iter().any(|one| command.starts_with(one))
        || command.split(' ').any(|word| matches!(word, "--directory" | "--node"))
}

/// Whether it opens a keystore, and does not say yet with what.
fn is_opening(command: &str) -> bool {
    let begins = |one: &str| {
        command.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    OPENING.iter().any(|one| begins(one))
        && !command.split(' ').any(|word| matches!(word, "--key-file" | "--passphrase-file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: &str) -> Node {
        Node { place: place.to_owned(), opening: String::new() }
    }

    /// Who had set a node up with a key file was sent to a command that asked for a passphrase.
    #[test]
    fn a_suggested_command_opens_the_node_as_it_was_opened() {
        let opening = option("--key-file", Path::new("/srv/key"));
        let node = Node { place: "--directory /srv/nodo".to_owned(), opening };
        let told = addressed("`sincronia run`, `sincronia status`, `sincronia runs`", &node);
        let expected = "`sincronia run --directory /srv/nodo --key-file /srv/key`, `sincronia \
                        status --directory /srv/nodo`, `sincronia runs --directory /srv/nodo`";
        assert_eq!(told, expected);
        assert_eq!(addressed(&told, &node), told);
    }

    #[test]
    fn a_suggested_command_names_the_node_once() {
        let node = at(&by_directory(Path::new("/srv/nodo")));
        let once = addressed("see `sincronia status`, or `sincronia sync`", &node);
        let expected = "see `sincronia status --directory /srv/nodo`, or `sincronia sync \
                        --directory /srv/nodo`";
        assert_eq!(once, expected);
        assert_eq!(addressed(&once, &node), once);
        assert_eq!(addressed("see `sincronia status`", &at("")), "see `sincronia status`");
        assert_eq!(addressed("see `sincronia status", &node), "see `sincronia status");
        assert_eq!(
            addressed("`sincronia status`", &at(&by_key("aulla"))),
            "`sincronia status --node aulla`"
        );
    }

    #[test]
    fn what_belongs_on_another_machine_stays_as_it_is() {
        let text = "run `sincronia node add` there, or see `sincronia demo`";
        assert_eq!(addressed(text, &at("--directory /srv/nodo")), text);
    }

    /// A partner may call itself what it likes, and somebody pastes the command.
    #[test]
    fn a_name_that_a_shell_would_obey_stands_in_no_command() {
        let id = "ente1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";
        assert_eq!(named("A.S.L. n. 1 (già U.S.L.)", id), "\"A.S.L. n. 1 (già U.S.L.)\"");
        for name in ["", "x\"; rm -rf ~; \"", "$(id)", "`id`", "a\\", "a\nb", "!x"] {
            assert_eq!(named(name, id), "ente1qqqqqqqqqqq", "{name}");
        }
    }

    #[test]
    fn each_of_several_has_a_command_of_its_own() {
        let of = [("Comune di Aulla", "ente1aaa"), ("$(id)", "ente1bbb")];
        let told = each("partner verify", of.into_iter());
        let expected = "`sincronia partner verify \"Comune di Aulla\"`, `sincronia partner verify \
                        ente1bbb`";
        assert_eq!(told, expected);
    }

    #[test]
    fn a_directory_with_blanks_stays_one_word() {
        assert_eq!(by_directory(Path::new("/a b/l'ente")), r"--directory '/a b/l'\''ente'");
    }
}
