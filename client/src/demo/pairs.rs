//! Who is a partner of whom in a demonstration network.

use super::data::Data;
use std::collections::BTreeSet;

/// The body that every other one works with, if the network has it.
const HUB: &str = "comunita";

/// Pairs of partners, each in the order of the data file: the first one invites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    pairs: BTreeSet<(usize, usize)>,
    keys: Vec<String>,
}

impl Pairs {
    /// As the data say: parties of one convention, people of one practice or meeting, a body and
    /// what it became or is made of, and everybody with the community.
    #[must_use]
    pub fn of(data: &Data) -> Self {
        let keys: Vec<_> = data.organisations.iter().map(|body| body.key.clone()).collect();
        let mut pairs = Self { pairs: BTreeSet::new(), keys };
        for convention in &data.conventions {
            pairs.circle(convention.parties.iter().map(|party| party.org.as_str()));
        }
        for practice in &data.good_practices {
            let proposer = [&practice.proposed_by];
            pairs.circle(practice.adopted_by.iter().chain(proposer).map(String::as_str));
        }
        for meeting in &data.meetings {
            pairs.circle(meeting.organisers.iter().map(String::as_str));
        }
        for body in &data.organisations {
            let into = body.succession.iter().map(|succession| &succession.into);
            for other in body.members.iter().chain(into).map(String::as_str).chain([HUB]) {
                pairs.circle([body.key.as_str(), other].into_iter());
            }
        }
        pairs
    }

    /// Every pair, as keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().filter_map(|(one, other)| {
            Some((self.keys.get(*one)?.as_str(), self.keys.get(*other)?.as_str()))
        })
    }

    /// The partners of one body, in the order of the file.
    #[must_use]
    pub fn partners(&self, key: &str) -> Vec<&str> {
        let partner = |(one, other)| match key {
            key if key == one => Some(other),
            key if key == other => Some(one),
            _ => None,
        };
        self.iter().filter_map(partner).collect()
    }

    fn circle<'a>(&mut self, members: impl Iterator<Item = &'a str>) {
        let position = |key: &str| self.keys.iter().position(|known| known == key);
        let members: BTreeSet<usize> = members.filter_map(position).collect();
        for one in &members {
            for other in members.range(one + 1..) {
                self.pairs.insert((*one, *other));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_community_is_everybodys_partner_and_newcomers_know_nobody_else() {
        let data = Data::lunigiana().unwrap();
        let pairs = Pairs::of(&data);
        assert_eq!(pairs.partners("comunita").len(), data.organisations.len() - 1);
        for newcomer in ["parma", "spezia", "torino"] {
            assert_eq!(pairs.partners(newcomer), ["comunita"]);
        }
        assert!(pairs.partners("cssa").contains(&"uepe"));
        assert!(pairs.partners("conferenza-sindaci").contains(&"licciana"));
        assert!(!pairs.partners("sert").contains(&"mulazzo"));
    }
}
