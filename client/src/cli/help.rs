//! The command line with its explanations, in the language of the person.
//!
//! The texts are in the catalogue, not beside the arguments: `help-<path>` for a command and
//! `arg-<name>` for an argument, or `arg-<path>-<name>` where it means something else. A test walks
//! the whole tree.

use super::arguments::Arguments;
use crate::language::Catalogue;
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command, CommandFactory};

/// Options of every command that the parser adds.
const COMMON: [&str; 2] = ["help", "version"];

/// The whole command line.
#[must_use]
pub fn command(texts: &Catalogue) -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    let command = Arguments::command().disable_version_flag(true).arg(version);
    explained(texts, command, "sincronia")
        .after_help(texts.text("help-exit-codes"))
        .subcommand_required(true)
        .arg_required_else_help(true)
}

fn explained(texts: &Catalogue, command: Command, path: &str) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let mut place = 0;
    let command = command
        .about(texts.text(&format!("help-{path}")))
        .help_template(texts.text("help-template"))
        .subcommand_help_heading(texts.text("help-commands"))
        .subcommand_value_name(texts.text("place-command"))
        .disable_help_flag(true)
        .arg(help)
        .mut_args(|argument| {
            let is_common =
                argument.is_global_set() || COMMON.contains(&argument.get_id().as_str());
            let heading = match (argument.is_positional(), is_common) {
                (true, _) => "help-arguments",
                (false, true) => "help-common",
                (false, false) => "help-options",
            };
            let mut argument = argument.help_heading(texts.text(heading));
            if argument.is_positional() {
                // Under a heading the parser would list them by name.
                place += 1;
                argument = argument.display_order(place);
            }
            let id = argument.get_id().as_str().to_owned();
            let text = match texts.find(&format!("arg-{path}-{id}"), &[]) {
                Some(text) => Some(text),
                None => texts.find(&format!("arg-{id}"), &[]),
            };
            noted(texts, argument, &text.unwrap_or_default())
        })
        .disable_help_subcommand(true);
    command.mut_subcommands(|inner| {
        let path = match path {
            "sincronia" => inner.get_name().to_owned(),
            path => format!("{path}-{}", inner.get_name()),
        };
        explained(texts, inner, &path)
    })
}

/// The explanation with what can be given and what holds otherwise, which the parser itself would
/// say in English.
fn noted(texts: &Catalogue, argument: Arg, text: &str) -> Arg {
    let takes = argument.get_action().takes_values();
    let values = argument.get_possible_values();
    let values: Vec<_> = values.iter().filter(|_| takes).map(PossibleValue::get_name).collect();
    let default = argument.get_default_values().iter().map(|one| one.to_string_lossy());
    let default: Vec<_> = default.filter(|_| takes).collect();
    let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
    let notes = [
        ("help-possible", values.join(", ")),
        ("help-default", default.join(", ")),
        ("help-variable", variable.unwrap_or_default()),
    ];
    let notes = notes.into_iter().filter(|(_, value)| !value.is_empty());
    let notes =
        notes.map(|(key, value)| format!(" [{}]", texts.with(key, &[("value", value.into())])));
    let text = format!("{text}{}", notes.collect::<String>());
    let argument = argument.help(text);
    if !takes {
        return argument;
    }
    let argument = placed(texts, argument);
    argument.hide_possible_values(true).hide_default_value(true).hide_env(true)
}

/// The argument with what stands for its value in this language, word by word.
fn placed(texts: &Catalogue, argument: Arg) -> Arg {
    let own = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let name = own.unwrap_or_else(|| argument.get_id().as_str().to_uppercase());
    let mut told = String::new();
    for part in name.split_inclusive(|one: char| !one.is_ascii_alphabetic()) {
        let word = part.trim_end_matches(|one: char| !one.is_ascii_alphabetic());
        let known = texts.find(&format!("place-{}", word.to_lowercase()), &[]);
        told.push_str(known.as_deref().unwrap_or(word));
        told.push_str(part.strip_prefix(word).unwrap_or_default());
    }
    argument.value_name(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use std::collections::BTreeSet;

    fn unexplained(command: &Command, missing: &mut BTreeSet<String>) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        if about.is_empty() || about.starts_with("help-") {
            missing.insert(about);
        }
        for argument in command.get_arguments() {
            if argument.get_help().is_none_or(|help| help.to_string().is_empty()) {
                missing.insert(format!("arg-{}", argument.get_id()));
            }
        }
        command.get_subcommands().for_each(|inner| unexplained(inner, missing));
    }

    #[test]
    fn the_help_itself_is_in_italian() {
        let mut command = command(&Catalogue::new(Language::It));
        let help = command.render_long_help().to_string();
        let inner = command.find_subcommand_mut("join").unwrap().render_long_help().to_string();
        let share = command.find_subcommand_mut("convention").unwrap();
        let share = share.find_subcommand_mut("share").unwrap().render_long_help().to_string();
        assert!(share.contains("valori: reader, contributor, carrier"), "{share}");
        assert!(share.contains("se non indicato: start"), "{share}");
        assert!(share.contains("Opzioni di ogni comando"), "{share}");
        let conflict = command.find_subcommand_mut("conflict").unwrap();
        let resolve = conflict.find_subcommand_mut("resolve").unwrap();
        let resolve = resolve.render_long_help().to_string();
        assert!(resolve.find("  <SCHEDA>") < resolve.find("  <CAMPO>"), "{resolve}");
        for text in [help, inner, share] {
            let left =
                ["Usage", "Commands", "Options", "Arguments", "Print", "possible", "default"];
            for english in left {
                assert!(!text.contains(english), "{english}: {text}");
            }
            assert!(text.contains("Uso: ") && text.contains("aiuto"), "{text}");
        }
    }

    #[test]
    fn every_command_and_argument_is_explained_in_both_languages() {
        for language in Language::ALL {
            let mut missing = BTreeSet::new();
            let command = command(&Catalogue::new(language));
            command.clone().debug_assert();
            unexplained(&command, &mut missing);
            assert_eq!(missing, BTreeSet::new(), "{language:?}");
        }
    }

    /// The words of a command, as a shell takes them.
    fn words(command: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for one in command.chars() {
            match one {
                '"' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                one => words.last_mut().unwrap().push(one),
            }
        }
        words
    }

    /// The commands that a text suggests, with a value where it has an argument.
    fn suggested(line: &str) -> Vec<String> {
        let marks = [("`sincronia ", '`'), ("“sincronia ", '”')];
        let found = marks.iter().flat_map(|(begin, end)| {
            let parts = line.split(begin).skip(1);
            parts.filter_map(|part| Some(part.split_once(*end)?.0.to_owned()))
        });
        let valued = found.map(|command| {
            let mut parts = command.split("{ $");
            let mut whole = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                whole.push_str(if part.starts_with("directory") { "--directory x" } else { "x" });
                whole.push_str(part.split_once(" }").map_or("", |(_, rest)| rest));
            }
            whole
        });
        valued.collect()
    }

    /// Suggestions without what the command needs sent people to its help.
    #[test]
    fn every_suggested_command_can_be_given_as_it_stands() {
        let mut refused = Vec::new();
        for language in Language::ALL {
            let command = command(&Catalogue::new(language));
            let lines = language.source().lines();
            for text in lines.filter(|line| !line.starts_with(['#'])).flat_map(suggested) {
                let given = std::iter::once("sincronia".to_owned()).chain(words(&text));
                if let Err(error) = command.clone().try_get_matches_from(given) {
                    refused.push(format!("{text}: {:?}", error.kind()));
                }
            }
        }
        assert!(refused.is_empty(), "{refused:#?}");
    }
}
