//! Commands that messages suggest, such that they can be copied.
//!
//! Whoever named a node with `--directory` or `--node` would otherwise be sent to another one.
//! Texts write commands between grave accents; those that belong on another machine stand between
//! curved quotes, or begin as one of those that are never said to the node that was named.

use std::path::Path;

/// How a command begins in a text.
const BEGINNING: &str = "`sincronia ";

/// What is never said to the node that was named.
const ELSEWHERE: [&str; 3] = ["node add", "demo", "init --additional"];

/// The words that name a node by its directory, as a shell takes them.
#[must_use]
pub fn by_directory(directory: &Path) -> String {
    let text = directory.display().to_string();
    let is_plain = |one: char| one.is_alphanumeric() || "/._-".contains(one);
    if !text.is_empty() && text.chars().all(is_plain) {
        return format!("--directory {text}");
    }
    format!("--directory '{}'", text.replace('\'', r"'\''"))
}

/// The words that name a node of the demonstration.
#[must_use]
pub fn by_key(key: &str) -> String {
    format!("--node {key}")
}

/// The text with `node`, the words that name a node, at the end of each command that it suggests.
pub(super) fn addressed(text: &str, node: &str) -> String {
    let mut parts = text.split(BEGINNING);
    let mut addressed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (command, rest) = part.split_once('`').unwrap_or((part, ""));
        addressed.push_str(BEGINNING);
        addressed.push_str(command);
        if !node.is_empty() && !is_addressed(command) && command.len() < part.len() {
            addressed.push(' ');
            addressed.push_str(node);
        }
        if command.len() < part.len() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_command_names_the_node_once() {
        let node = by_directory(Path::new("/srv/nodo"));
        let once = addressed("see `sincronia status`, or `sincronia sync`", &node);
        let expected = "see `sincronia status --directory /srv/nodo`, or `sincronia sync \
                        --directory /srv/nodo`";
        assert_eq!(once, expected);
        assert_eq!(addressed(&once, &node), once);
        assert_eq!(addressed("see `sincronia status`", ""), "see `sincronia status`");
        assert_eq!(addressed("see `sincronia status", &node), "see `sincronia status");
        assert_eq!(
            addressed("`sincronia status`", &by_key("aulla")),
            "`sincronia status --node aulla`"
        );
    }

    #[test]
    fn what_belongs_on_another_machine_stays_as_it_is() {
        let text = "run `sincronia node add` there, or see `sincronia demo`";
        assert_eq!(addressed(text, "--directory /srv/nodo"), text);
    }

    #[test]
    fn a_directory_with_blanks_stays_one_word() {
        assert_eq!(by_directory(Path::new("/a b/l'ente")), r"--directory '/a b/l'\''ente'");
    }
}
