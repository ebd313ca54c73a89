//! Who stands today where an organisation stood, as far as what was signed says it.

use super::Organisations;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::output::value::Names;
use std::collections::{BTreeMap, BTreeSet};

/// Who stands today where an organisation stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody took its place, or those that did lead back.
    Itself,
    /// One body.
    Other(String),
    /// A body on the way, the organisation itself or one after it, named several: a person says
    /// which one is meant.
    Divided(String),
    /// Each takes the other's place: nobody knows which goes on.
    Circle,
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The organisation, or everybody.
    pub organisation: Option<String>,
    /// Of a divided body: only where it stood before, since what its successors have besides was
    /// never its own.
    pub formerly: Option<String>,
}

impl Organisations {
    /// Who stands today where an organisation stood.
    #[must_use]
    pub fn standing(&self, id: &str) -> Standing {
        let (mut seen, mut here) = (BTreeSet::new(), id);
        while let Some(next) = self.successors.get(here).and_then(BTreeSet::first) {
            if self.is_divided(here) {
                return Standing::Divided(here.to_owned());
            }
            if !seen.insert(here) {
                return Standing::Circle;
            }
            here = next;
        }
        if here == id { Standing::Itself } else { Standing::Other(here.to_owned()) }
    }

    /// Whether one took the other's place, directly or by way of others.
    #[must_use]
    pub fn leads_to(&self, predecessor: &str, successor: &str) -> bool {
        self.after(predecessor).contains_key(successor)
    }

    /// Whether a body named several that take its place, also if not all have accepted yet.
    fn is_divided(&self, id: &str) -> bool {
        let several = |all: Option<&BTreeSet<String>>| all.is_some_and(|all| all.len() > 1);
        several(self.successors.get(id)) || several(self.declared.get(id))
    }

    /// Those that took its place, directly or by way of others, and whether a body was divided on
    /// the way; itself if they lead back.
    fn after(&self, id: &str) -> BTreeMap<&str, bool> {
        let mut found = BTreeMap::new();
        let mut open: Vec<_> = self.successors.get_key_value(id).into_iter().collect();
        while let Some((here, next)) = open.pop() {
            let was_divided = found.get(here.as_str()).copied().unwrap_or(false);
            let is_divided = was_divided || self.is_divided(here);
            for one in next {
                if found.insert(one.as_str(), is_divided).is_none() {
                    open.extend(self.successors.get_key_value(one));
                }
            }
        }
        found
    }

    /// The bodies of today, as they are told: of one that was divided also those that it named and
    /// that have not accepted. None in a circle.
    fn told(&self, context: &Context, id: &str) -> Vec<String> {
        let after = self.after(id);
        if after.contains_key(id) {
            return Vec::new();
        }
        let last = after.keys().filter(|one| !self.successors.contains_key(**one));
        let accepted = last.map(|one| self.name(one));
        let on_the_way = after.keys().copied().chain([id]);
        let on_the_way = on_the_way.filter(|one| self.successors.contains_key(*one));
        let open = on_the_way.flat_map(|one| self.open(context, one));
        accepted.chain(open.map(|(_, name)| name)).collect()
    }

    /// Those that a body named to take its place and that have not accepted, as far as is known
    /// here: identifiers, and names that say so.
    fn open<'a>(
        &'a self,
        context: &'a Context,
        id: &str,
    ) -> impl Iterator<Item = (&'a String, String)> {
        let accepted = self.successors.get(id);
        let declared = self.declared.get(id).into_iter().flatten();
        let open = declared.filter(move |one| !accepted.is_some_and(|all| all.contains(*one)));
        open.map(|one| {
            let named = [("name", self.name(one).into())];
            (one, context.texts.with("not-accepted-here", &named))
        })
    }

    /// Those that a divided body named to take its place: identifiers, and names that say of whom
    /// it is not known here that it accepted.
    #[must_use]
    pub fn named_by(&self, context: &Context, id: &str) -> Vec<(String, String)> {
        let accepted = self.successors.get(id).into_iter().flatten();
        let accepted = accepted.map(|one| (one.clone(), self.name(one)));
        accepted.chain(self.open(context, id).map(|(one, name)| (one.clone(), name))).collect()
    }

    /// The identifier of the organisation that the name `text` means now: of one whose place was
    /// taken, its successor, when the person says so, since it is given what the other was meant to
    /// have. Where several were to take it, also if not all have said so yet, the person says which
    /// one is meant. Whoever writes an identifier means it.
    pub fn find_current(&self, context: &Context, text: &str) -> Result<String, Failure> {
        let found = self.find(context, text)?;
        if found == text {
            return Ok(found);
        }
        match self.standing(&found) {
            Standing::Itself | Standing::Circle => Ok(found),
            Standing::Divided(body) => Err(self.divided(context, &found, &body)),
            Standing::Other(successor) => {
                // A table may name it in each row.
                if self.confirmed.borrow_mut().insert(found.clone()) {
                    self.tell_current(context, &found);
                    let named = [("name", self.name(&successor).into())];
                    context.confirm(&context.texts.with("confirm-successor", &named))?;
                }
                Ok(successor)
            }
        }
    }

    fn divided(&self, context: &Context, found: &str, body: &str) -> Failure {
        let named = self.named_by(context, body).into_iter();
        let named: Vec<_> = named.map(|(id, name)| format!("{name} ({id})")).collect();
        let arguments = [
            ("detail", format!("{}: {}", self.name(body), named.join(", ")).into()),
            ("id", found.to_owned().into()),
        ];
        Failure::known(context, Exit::NotFound, "divided", &arguments)
    }

    /// What a list is narrowed to, one query each: everybody, or whom a name means, yesterday or
    /// today. Whoever writes an identifier means it alone.
    pub fn wanted(&self, context: &Context, text: Option<String>) -> Result<Vec<Wanted>, Failure> {
        let Some(text) = text else { return Ok(vec![Wanted::default()]) };
        let found = self.find(context, &text)?;
        let after = if found == text { BTreeMap::new() } else { self.after(&found) };
        let mut wanted = vec![Wanted { organisation: Some(found.clone()), formerly: None }];
        if !after.contains_key(found.as_str()) {
            if !after.is_empty() {
                self.tell_current(context, &found);
            }
            wanted.extend(after.into_iter().map(|(one, was_divided)| Wanted {
                organisation: Some(one.to_owned()),
                formerly: was_divided.then(|| found.clone()),
            }));
        }
        Ok(wanted)
    }

    /// Tells whoever looks for an old name what the body is called today.
    pub fn tell_former(&self, context: &Context, text: &str) {
        let wanted = text.trim().to_lowercase();
        for predecessor in self.successors.keys().filter(|_| !wanted.is_empty()) {
            let name = self.names.get(predecessor).map(|name| name.to_lowercase());
            if name.is_some_and(|name| name.contains(&wanted)) {
                self.tell_current(context, predecessor);
            }
        }
    }

    fn tell_current(&self, context: &Context, predecessor: &str) {
        if let Some(told) = self.current(context, predecessor, &self.told(context, predecessor)) {
            context.output.message(&told);
        }
    }

    fn current(&self, context: &Context, predecessor: &str, names: &[String]) -> Option<String> {
        let key = match names.len() {
            0 => return None,
            1 => "now-called",
            _ => "now-divided",
        };
        let arguments = [
            ("predecessor", self.name(predecessor).into()),
            ("successor", names.join("; ").into()),
        ];
        Some(context.texts.with(key, &arguments))
    }

    /// All among which a body was divided, for whoever looks at its sheet: that has room for one.
    #[must_use]
    pub fn divided_among(&self, context: &Context, id: &str) -> Option<String> {
        let named = self.named_by(context, id).into_iter().map(|(_, name)| name);
        let named: Vec<_> = named.collect();
        self.current(context, id, &named).filter(|_| self.is_divided(id))
    }

    /// What each is called where people look somebody up: whoever took another's place, with the
    /// names before. None of those among which a body was divided is that body under another name,
    /// and in a circle nobody is.
    #[must_use]
    pub fn names_with_former(&self) -> Names {
        let (mut both, plain) = (self.names(), self.names());
        let is_whole = |one: &str| !self.is_divided(one) && !self.leads_to(one, one);
        for successor in self.successors.values().flatten().collect::<BTreeSet<_>>() {
            let before = self.successors.iter().filter(|(_, all)| all.contains(successor));
            let before = before.filter(|(one, _)| is_whole(one));
            let before: Vec<_> = before.map(|(one, _)| plain.of(one)).collect();
            if !before.is_empty() {
                let name = plain.of(successor);
                both.learn(successor, &format!("{name} ({} {})", self.formerly, before.join(", ")));
            }
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::super::Organisations;
    use super::Standing;
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (predecessor, successor) in pairs {
            found.entry((*predecessor).to_owned()).or_default().insert((*successor).to_owned());
        }
        found
    }

    fn merged() -> Organisations {
        let owned = |pairs: &[(&str, &str)]| {
            let owned = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
            pairs.iter().map(owned).collect()
        };
        let signed = pairs(&[("ente1old", "ente1mid"), ("ente1mid", "ente1new")]);
        Organisations {
            names: owned(&[("ente1old", "CSSA"), ("ente1mid", "UEPE"), ("ente1new", "ULEPE")]),
            successors: signed.clone(),
            declared: signed,
            confirmed: RefCell::default(),
            formerly: "già".to_owned(),
            own: "ente1own".to_owned(),
        }
    }

    #[test]
    fn each_signs_in_its_own_name_and_is_looked_up_by_the_one_before() {
        let known = merged();
        let (signed, listed) = (known.names(), known.names_with_former());
        assert_eq!([signed.of("ente1old"), signed.of("ente1new")], ["CSSA", "ULEPE"]);
        assert_eq!(listed.of("ente1mid"), "UEPE (già CSSA)");
        assert_eq!(listed.of("ente1new"), "ULEPE (già UEPE)");
        assert_eq!(listed.of("ente1old"), "CSSA");
    }

    #[test]
    fn who_succeeded_a_successor_stands_there_today() {
        let known = merged();
        assert_eq!(known.standing("ente1old"), Standing::Other("ente1new".to_owned()));
        assert_eq!(known.standing("ente1new"), Standing::Itself);
        assert!(known.leads_to("ente1old", "ente1new") && !known.leads_to("ente1new", "ente1old"));
    }

    /// A name went on by itself to the one that had accepted, where the body in between had named
    /// two: only the first body was looked at.
    #[test]
    fn who_named_two_on_the_way_asks_for_a_choice_also_while_one_accepted() {
        let mut known = merged();
        known.declared =
            pairs(&[("ente1old", "ente1mid"), ("ente1mid", "ente1new"), ("ente1mid", "ente1two")]);
        let divided = Standing::Divided("ente1mid".to_owned());
        assert_eq!(known.standing("ente1old"), divided);
        assert_eq!(known.standing("ente1mid"), divided);
        let listed = known.names_with_former();
        assert_eq!(listed.of("ente1mid"), "UEPE (già CSSA)");
        assert_eq!(listed.of("ente1new"), "ULEPE", "it has a part of what the other was");
    }

    #[test]
    fn in_a_circle_each_is_called_what_it_is_called() {
        let mut known = merged();
        let circle = pairs(&[("ente1mid", "ente1new"), ("ente1new", "ente1mid")]);
        known.successors.extend(circle.clone());
        known.declared.extend(circle);
        for id in ["ente1old", "ente1mid", "ente1new"] {
            assert_eq!(known.standing(id), Standing::Circle);
        }
        let listed = known.names_with_former();
        assert_eq!(listed.of("ente1new"), "ULEPE");
    }
}
