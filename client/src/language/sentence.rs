//! What the node says, in the reader's language.
//!
//! The node and its libraries speak English, to programs and people alike. Sentences that people
//! meet are in both catalogues under `said-…`, in English exactly as the node says them, so the
//! English text is what finds the other. At most one part of a sentence changes: `{ $detail }`.

use super::{Catalogue, Language};

const DETAIL: &str = "{ $detail }";

impl Catalogue {
    /// `sentence` in this language, if the catalogue knows it.
    #[must_use]
    pub fn said(&self, sentence: &str) -> Option<String> {
        if self.language == Language::En {
            return Some(self.addressed(sentence));
        }
        said().find_map(|(key, english)| {
            let detail = detail(english, sentence)?;
            self.find(key, &[("detail", detail.into())])
        })
    }
}

impl Catalogue {
    /// What the node reports of its store or of a partner, piece by piece: `place: what is wrong`,
    /// each piece in this language if the catalogue knows it.
    #[must_use]
    pub fn told(&self, report: &str) -> String {
        let lines = report.split('\n').map(|line| self.told_line(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn told_line(&self, line: &str) -> String {
        if let Some(known) = self.said(line).or_else(|| self.part(line)) {
            return known;
        }
        let separators = [": ", "; ", ", "].into_iter();
        let first = separators.filter_map(|one| Some((line.find(one)?, one))).min();
        match first.and_then(|(_, separator)| Some((separator, line.split_once(separator)?))) {
            Some((separator, (piece, rest))) => {
                format!("{}{separator}{}", self.told_line(piece), self.told_line(rest))
            }
            None => self.addressed(line),
        }
    }

    /// A piece of a report: short, so that it means this only there.
    fn part(&self, piece: &str) -> Option<String> {
        keyed("part-").find_map(|(key, english)| {
            let detail = self.told_line(detail(english, piece)?);
            self.find(key, &[("detail", detail.into())])
        })
    }
}

impl Language {
    /// `text`, in which the node marked names as others' words, with these marks in this language:
    /// a name stands within sentences and tables of any kind.
    #[must_use]
    pub fn called(self, text: &str) -> String {
        let [Some((from, from_end)), Some((to, to_end))] = [Self::En, self].map(mark) else {
            return text.to_owned();
        };
        let line = |line: &str| {
            let mut parts = line.split(from);
            let mut told = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                match part.split_once(from_end) {
                    Some((by, rest)) => told.extend([to, by, to_end, rest]),
                    None => told.extend([from, part]),
                }
            }
            told
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }
}

/// What stands before and after whose word a name is.
fn mark(language: Language) -> Option<(&'static str, &'static str)> {
    let mut lines = language.source().lines();
    lines.find_map(|line| line.strip_prefix("said-called-by = "))?.split_once(DETAIL)
}

/// The sentences of the node: their keys and their English.
fn said() -> impl Iterator<Item = (&'static str, &'static str)> {
    keyed("said-")
}

fn keyed(beginning: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = Language::En.source().lines();
    lines.filter(move |line| line.starts_with(beginning)).filter_map(|line| line.split_once(" = "))
}

/// What stands in `sentence` where `pattern` has its detail; nothing when they do not fit.
fn detail<'a>(pattern: &str, sentence: &'a str) -> Option<&'a str> {
    match pattern.split_once(DETAIL) {
        Some((before, after)) => sentence.strip_prefix(before)?.strip_suffix(after),
        None => (pattern == sentence).then_some(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_sentence_of_the_catalogue_is_one_that_the_node_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        for part in ["src/api", "src/import", "../node/src", "../protocol/src"] {
            sources(&root.join(part), &mut paths);
        }
        paths.extend(["src/api.rs", "src/import.rs"].map(|path| root.join(path)));
        let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
        let texts = texts.collect::<String>().replace("\\\n", "");
        let code = texts.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut missing = Vec::new();
        for (key, english) in said().chain(keyed("part-")) {
            if !english.split(DETAIL).all(|part| code.contains(part.trim())) {
                missing.push(key);
            }
        }
        assert!(said().count() > 40 && missing.is_empty(), "{missing:?}");
    }

    /// What a repair could not take over, and what a verification found, stayed English.
    #[test]
    fn what_is_reported_of_a_store_is_read_in_italian_piece_by_piece() {
        let italian = Catalogue::new(Language::It);
        let told = |report: &str| italian.told(report);
        assert_eq!(
            told("space s, log of node n, from entry 7 on: the last entry is not signed"),
            "fascicolo s, registro del nodo n, dalla voce 7 in poi: l'ultima voce non è firmata"
        );
        assert_eq!(
            told("space spazio1abc, log of node nodo1abc, entries that hold: 3/9"),
            "fascicolo spazio1abc, registro del nodo nodo1abc, voci valide: 3/9"
        );
        assert_eq!(
            told("Comune di Aulla: the line was closed\nASL: 2"),
            "Comune di Aulla: la linea si è chiusa\nASL: 2"
        );
        assert_eq!(
            told("access log of space s: x: 4 can be read; what follows makes no sense"),
            "registro degli accessi del fascicolo s: x: se ne leggono 4; ciò che segue non ha senso"
        );
        assert_eq!(
            told("the node does not run: there is no n/api-address"),
            "il nodo non è in funzione: manca n/api-address"
        );
        assert_eq!(
            told(
                "identity of organisation e: the identity entry has an unknown version; update \
                  this program"
            ),
            "identità dell'ente e: la voce di identità è di una versione sconosciuta; aggiorna \
             questo programma"
        );
        assert_eq!(
            told("space s: the author's log is frozen: it was forked"),
            "fascicolo s: il registro dell'autore è bloccato: ne esistono due versioni"
        );
        assert_eq!(told("something quite new: of nobody"), "something quite new: of nobody");
        let english = Catalogue::new(Language::En);
        let report = "space spazio1abc, log of node nodo1abc, entries that hold: 3/9";
        assert_eq!(english.told(report), report);
    }

    #[test]
    fn what_the_node_says_is_read_in_italian_with_its_detail() {
        let italian = Catalogue::new(Language::It);
        let invitation = italian.said("ask whoever invited you for a new invitation").unwrap();
        assert!(invitation.contains("invito"), "{invitation}");
        let unreachable = "nobody answers at /ip4/192.0.2.1/tcp/4001; check that the node runs and \
                           that the address is reachable";
        let said = italian.said(unreachable).unwrap();
        assert!(said.contains("/ip4/192.0.2.1/tcp/4001") && !said.contains("nobody"), "{said}");
        let ask = "ask Azienda USL for an invitation, then `sincronia join INVITATION` (without a \
                   line with `--bundle FILE`, too); the new key comes then";
        assert!(italian.said(ask).unwrap().starts_with("chiedi un invito a Azienda USL"));
        assert_eq!(italian.said("something quite new"), None);
        let marked = "ask Azienda USL (as Comune di Aulla calls it, ente1abcd…) first\nZeri (as";
        let told = Language::It.called(marked);
        assert!(told.contains("Azienda USL (nome dato da Comune di Aulla, ente1abcd…)"), "{told}");
        assert!(told.ends_with("\nZeri (as"), "{told}");
        assert_eq!(Language::En.called(marked), marked);
        assert_eq!(Catalogue::new(Language::En).said("as it is").as_deref(), Some("as it is"));
    }
}
