//! Promises of identity logs.

use super::{Identity, IdentityEntry, IdentityError, IdentityOperation, NodeAdmission, Primary};
use crate::codec;
use crate::crypto::{NodeKey, RootKey, SealingSecret, Secret, Signature};
use crate::ids::OrganisationId;
use crate::limits;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};

#[derive(Clone)]
struct Town {
    entropy: Secret<32>,
    identity: Identity,
}

impl Town {
    fn new(byte: u8) -> Self {
        let entropy = Secret::from_bytes([byte; 32]);
        let genesis = Identity::found(&root(&entropy, 0), &root(&entropy, 1).public());
        Self { identity: Identity::begin(&genesis).unwrap(), entropy }
    }

    fn say(&mut self, operation: IdentityOperation) -> Result<IdentityEntry, IdentityError> {
        let key = root(&self.entropy, self.identity.generation());
        let entry = self.identity.draft(operation).sign(&key);
        self.identity.apply(&entry).map(|()| entry)
    }

    fn admit(&self, byte: u8) -> IdentityOperation {
        let sealing = SealingSecret::from_seed(&Secret::from_bytes([byte; 32]));
        let admission = NodeAdmission::sign(
            &self.identity.organisation(),
            &node(byte),
            sealing.public().clone(),
        );
        IdentityOperation::AddNode { admission }
    }

    /// Uses the words at a machine that has heard of nothing since `self`.
    fn elsewhere(&self, operations: Vec<IdentityOperation>) -> (Self, Vec<IdentityEntry>) {
        let mut town = self.clone();
        let say = |operation| town.say(operation).unwrap();
        let said = operations.into_iter().map(say).collect();
        (town, said)
    }

    fn rotate(&mut self) -> IdentityEntry {
        let generation = self.identity.generation();
        let [old, new, next] = [0, 1, 2].map(|ahead| root(&self.entropy, generation + ahead));
        let rotation = self.identity.draft_rotation(&new, &next.public()).sign(&old);
        self.identity.apply(&rotation).unwrap();
        rotation
    }
}

/// A town with machines 5 and 6, the first of them primary, and its log.
fn town() -> (Town, Vec<IdentityEntry>) {
    let town = Town::new(1);
    let genesis = Identity::found(&root(&town.entropy, 0), &root(&town.entropy, 1).public());
    let primary = IdentityOperation::SetPrimary { node: node(5).id() };
    let (town, said) = town.elsewhere(vec![town.admit(5), primary, town.admit(6)]);
    (town, [vec![genesis], said].concat())
}

/// What those who heard `first` before `second` know, who had the same before.
fn heard(before: &Identity, first: &[IdentityEntry], second: &[IdentityEntry]) -> Identity {
    let mut identity = before.clone();
    for said in [first, second] {
        let known = identity.clone();
        identity.apply_all(said).unwrap();
        identity.settle(Some(&known));
    }
    identity
}

fn root(entropy: &Secret<32>, generation: u64) -> RootKey {
    RootKey::derive(entropy, generation)
}

fn node(byte: u8) -> NodeKey {
    NodeKey::from_seed(&Secret::from_bytes([byte; 32]))
}

#[test]
fn the_id_survives_a_rotation_of_the_root_key() {
    let mut town = Town::new(1);
    let id = town.identity.organisation();
    let rotation = town
        .identity
        .draft_rotation(&root(&town.entropy, 1), &root(&town.entropy, 2).public())
        .sign(&root(&town.entropy, 0));
    town.identity.apply(&rotation).unwrap();
    town.say(town.admit(5)).unwrap();
    assert_eq!((town.identity.organisation(), town.identity.generation()), (id, 1));
}

#[test]
fn a_thief_of_the_root_key_cannot_rotate_it_to_his_own() {
    let mut town = Town::new(1);
    let thief = Secret::from_bytes([66; 32]);
    let rotation = town
        .identity
        .draft_rotation(&root(&thief, 0), &root(&thief, 1).public())
        .sign(&root(&town.entropy, 0));
    assert_eq!(town.identity.apply(&rotation), Err(IdentityError::Operation));
}

#[test]
fn the_old_root_key_is_worthless_after_rotation() {
    let mut town = Town::new(1);
    let rotation = town
        .identity
        .draft_rotation(&root(&town.entropy, 1), &root(&town.entropy, 2).public())
        .sign(&root(&town.entropy, 0));
    town.identity.apply(&rotation).unwrap();
    let late = town.identity.draft(town.admit(5)).sign(&root(&town.entropy, 0));
    assert_eq!(town.identity.apply(&late), Err(IdentityError::Signature));
}

#[test]
fn nobody_enlists_the_node_of_another() {
    let mut town = Town::new(1);
    let IdentityOperation::AddNode { admission } = Town::new(2).admit(5) else {
        panic!("an admission");
    };
    let stolen = town.say(IdentityOperation::AddNode { admission });
    assert_eq!(stolen, Err(IdentityError::Signature));
}

#[test]
fn a_revoked_node_never_returns_and_is_never_primary() {
    let mut town = Town::new(1);
    town.say(town.admit(5)).unwrap();
    let five = node(5).id();
    town.say(IdentityOperation::RevokeNode { node: five }).unwrap();
    assert!(town.identity.has_certified(&five) && !town.identity.is_active(&five));
    assert_eq!(town.say(town.admit(5)), Err(IdentityError::Operation));
    let primary = town.say(IdentityOperation::SetPrimary { node: five });
    assert_eq!(primary, Err(IdentityError::Operation));
}

#[test]
fn every_field_of_an_entry_is_authenticated() {
    let mut town = Town::new(1);
    let before = town.identity.clone();
    let entry = town.say(town.admit(5)).unwrap();
    let bytes = codec::encode(&entry);
    for position in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[position] ^= 1;
        let refused = match codec::decode::<IdentityEntry>(&tampered) {
            Err(_) => true,
            Ok(entry) => before.clone().apply(&entry).is_err(),
        };
        assert!(refused, "byte {position}");
    }
    let mut forged = entry;
    forged.signature = Signature::from_bytes([0; 64]);
    assert_eq!(before.clone().apply(&forged), Err(IdentityError::Signature));
}

#[test]
fn the_words_used_at_two_machines_at_once_say_what_both_said() {
    let (town, _) = town();
    let revoke = |byte| IdentityOperation::RevokeNode { node: node(byte).id() };
    let (_, one) = town.elsewhere(vec![town.admit(7)]);
    let (_, other) = town.elsewhere(vec![revoke(5), town.admit(8)]);
    let known = heard(&town.identity, &one, &other);
    assert_eq!(known, heard(&town.identity, &other, &one), "whatever came first");
    let active = [5, 6, 7, 8].map(|byte| known.is_active(&node(byte).id()));
    assert_eq!(active, [false, true, true, true]);
    assert!(known.is_divided());
    // What is said next is understood by everybody who knows both.
    let (mut next, mut reader) = (Town { identity: known.clone(), ..town }, known);
    let entry = next.say(revoke(6)).unwrap();
    reader.apply(&entry).unwrap();
    assert!(!reader.is_active(&node(6).id()));
}

#[test]
fn two_primaries_named_at_one_place_both_write_and_all_agree_on_who_goes_on() {
    let (town, _) = town();
    let name = |byte| IdentityOperation::SetPrimary { node: node(byte).id() };
    let (_, one) = town.elsewhere(vec![name(5)]);
    let (_, other) = town.elsewhere(vec![name(6)]);
    let known = heard(&town.identity, &one, &other);
    let term = one[0].statement.sequence;
    for byte in [5, 6] {
        assert!(known.is_primary_of_term(term, &node(byte).id()), "{byte}");
    }
    let Some(Primary { node: primary, .. }) = known.primary() else { panic!("a primary") };
    assert_eq!(heard(&town.identity, &other, &one).primary().unwrap().node, primary);
}

#[test]
fn a_rotation_sets_aside_what_nobody_united() {
    let (town, _) = town();
    let revoke = IdentityOperation::RevokeNode { node: node(5).id() };
    let (_, one) = town.elsewhere(vec![town.admit(7)]);
    let (_, other) = town.elsewhere(vec![revoke]);
    let mut known = Town { identity: heard(&town.identity, &one, &other), ..town };
    let rotation = known.rotate();
    assert!(known.identity.has_branches() && !known.identity.is_divided());
    // Machine 7 or the removal of machine 5 was said on the branch that the rotation follows.
    let went_on = rotation.statement.previous == one[0].statement.hash();
    let active = [5, 7].map(|byte| known.identity.is_active(&node(byte).id()));
    assert_eq!(active, [went_on, went_on]);
    let aside: Vec<_> = known.identity.revoked_aside().copied().collect();
    assert_eq!(aside.contains(&node(5).id()), went_on, "and that is not forgotten");
    assert!(known.identity.has_certified(&node(7).id()), "it is no stranger");
}

#[test]
fn what_was_united_outlasts_a_rotation_and_nothing_is_added_to_it() {
    let (town, log) = town();
    let revoke = IdentityOperation::RevokeNode { node: node(5).id() };
    let name = IdentityOperation::SetPrimary { node: node(6).id() };
    let (_, one) = town.elsewhere(vec![town.admit(7)]);
    let (away, other) = town.elsewhere(vec![revoke, name]);
    let mut known = Town { identity: heard(&town.identity, &one, &other), ..town.clone() };
    let heads = known.identity.divided().collect();
    let united = known.say(IdentityOperation::Unite { heads }).unwrap();
    assert!(!known.identity.is_divided());
    let rotation = known.rotate();
    let states = |identity: &Identity| {
        let active = [5, 6, 7, 8].map(|byte| identity.is_active(&node(byte).id()));
        (active, identity.primary().unwrap().node == node(6).id())
    };
    assert_eq!(states(&known.identity), ([false, true, true, false], true));
    // Who has the root key of before goes on with either branch.
    let late = away.elsewhere(vec![away.admit(8)]).1;
    let whole = [log.clone(), one, other, vec![united, rotation]].concat();
    let told_late = heard(&known.identity, &late, &[]);
    assert_eq!(told_late, known.identity);
    let early = [log, whole[whole.len() - 4..whole.len() - 2].to_vec(), late].concat();
    let told_early = heard(&Identity::read(&early).unwrap(), &whole, &[]);
    assert_eq!(states(&told_early), states(&known.identity));
    assert!(told_early.heads().eq(known.identity.heads()));
}

/// Whoever named another primary, or a successor, apart from a change of the root key was told so
/// nowhere: all was in order, and nothing of it counted.
#[test]
fn what_was_said_apart_from_a_rotation_is_not_forgotten() {
    let (town, _) = town();
    let mut rotated = town.clone();
    let rotation = [rotated.rotate()];
    let successor = OrganisationId::from_bytes([9; 32]);
    let apart = [
        IdentityOperation::SucceededBy { organisation: successor },
        IdentityOperation::SetPrimary { node: node(6).id() },
    ];
    let (_, apart) = town.elsewhere(apart.to_vec());
    let mut known = Town { identity: heard(&town.identity, &apart, &rotation), ..rotated };
    assert_ne!(known.identity.primary().unwrap().node, node(6).id());
    assert_eq!(known.identity.primary_aside(), Some(node(6).id()));
    assert!(known.identity.successions_aside().into_iter().eq([successor]));
    // A person says it again.
    known.say(IdentityOperation::SucceededBy { organisation: successor }).unwrap();
    known.say(IdentityOperation::SetPrimary { node: node(6).id() }).unwrap();
    assert_eq!(known.identity.primary_aside(), None);
    assert!(known.identity.successions_aside().is_empty());
}

#[test]
fn a_former_root_key_adds_nothing_wherever_it_is_heard_first() {
    let (town, _) = town();
    let mut rotated = town.clone();
    let rotation = [rotated.rotate()];
    let thief = [town.admit(66), IdentityOperation::SetPrimary { node: node(66).id() }];
    let (_, stolen) = town.elsewhere(thief.to_vec());
    let late = heard(&town.identity, &rotation, &stolen);
    assert_eq!(late, rotated.identity, "it is as if nothing had been said");
    let early = heard(&town.identity, &stolen, &rotation);
    for known in [&late, &early] {
        assert!(!known.is_active(&node(66).id()));
        assert_eq!(known.primary().unwrap().node, node(5).id());
        assert!(known.heads().eq(rotated.identity.heads()), "and all agree");
    }
    let term = stolen[1].statement.sequence;
    assert!(!early.is_primary_of_term(term, &node(66).id()));
    assert!(early.was_primary_of_term(term, &node(66).id()), "what is here can be read");
}

#[test]
fn a_stolen_root_key_begins_no_other_log_of_the_organisation() {
    let (town, log) = town();
    let thief = root(&Secret::from_bytes([66; 32]), 1).public();
    let other = Identity::found(&root(&town.entropy, 0), &thief);
    assert_ne!(other.statement.organisation, town.identity.organisation());
    let mut renamed = other;
    renamed.statement.organisation = town.identity.organisation();
    let renamed = renamed.statement.sign(&root(&town.entropy, 0));
    assert_eq!(Identity::begin(&renamed), Err(IdentityError::Chain));
    assert_eq!(Identity::read(&log).unwrap().apply(&renamed), Err(IdentityError::Chain));
}

/// Takes entries as a replica does.
fn told(known: &Identity, said: &[IdentityEntry]) -> Identity {
    let mut identity = known.clone();
    identity.take_all(said, Some(known)).unwrap().unwrap();
    identity
}

/// So many branches, of one to three entries; the longer ones are said last.
fn branches(town: &Town, count: u8) -> Vec<Vec<IdentityEntry>> {
    let words = |byte: u8| (0..=byte * 3 / count).map(move |nth| town.admit(10 + byte + 80 * nth));
    (0..count).map(|byte| town.elsewhere(words(byte).collect()).1).collect()
}

/// Of more branches than count each replica kept those that it had heard first.
#[test]
fn of_too_many_branches_all_choose_the_same() {
    for count in [9, 12, 70] {
        let (town, _) = town();
        let said = branches(&town, count);
        let mut first = town.identity.clone();
        for one in &said {
            first = told(&first, one);
        }
        let mut last = town.identity.clone();
        for one in said.iter().rev() {
            last = told(&last, one);
        }
        assert_eq!(first.heads().count(), 1 + limits::IDENTITY_BRANCHES_MAX);
        assert!(first.heads().eq(last.heads()), "of {count}");
    }
}

/// Thieves of two root keys filled all places, and a replica took no more of the log.
#[test]
fn a_rotation_finds_room_whatever_was_signed_with_the_keys_before() {
    let (town, _) = town();
    let mut known = town.identity.clone();
    let mut owner = town;
    for _ in 0..4 {
        for one in branches(&owner, 40) {
            known = told(&known, &one);
        }
        // The owner has heard of none of them.
        let rotation = [owner.rotate()];
        known = told(&known, &rotation);
        assert!(known.heads().eq(owner.identity.heads()));
    }
    assert_eq!(known.generation(), 4);
}

/// Whoever used the words apart once a year could not do so an eighth time, nor unite it.
#[test]
fn a_log_can_be_divided_and_united_again_and_again() {
    let (town, _) = town();
    let (mut owner, mut reader) = (town.clone(), town.identity.clone());
    for round in 0..12 {
        let (_, one) = owner.elsewhere(vec![owner.admit(10 + 2 * round)]);
        let (_, other) = owner.elsewhere(vec![owner.admit(11 + 2 * round)]);
        owner.identity = told(&told(&owner.identity, &one), &other);
        let heads = owner.identity.divided().collect();
        let union = [owner.say(IdentityOperation::Unite { heads }).unwrap()];
        reader = told(&told(&told(&reader, &other), &one), &union);
        assert!(!reader.is_divided());
        assert!(reader.heads().eq(owner.identity.heads()));
    }
    let rotation = [owner.rotate()];
    reader = told(&reader, &rotation);
    assert_eq!(reader.active_nodes().count(), town.identity.active_nodes().count() + 24);
}

/// What a machine at which the words are used says next, by the number of the machine.
fn next_word(town: &Town, (kind, byte): (u8, u8)) -> IdentityOperation {
    let subject = node(byte % 8).id();
    match kind % 5 {
        0 | 1 => town.admit(byte % 8),
        2 => IdentityOperation::RevokeNode { node: subject },
        3 => IdentityOperation::SetPrimary { node: subject },
        _ => {
            let seed = Secret::from_bytes([kind ^ byte; 32]);
            let sealing = SealingSecret::from_seed(&seed).public().clone();
            IdentityOperation::RotateSealing { node: subject, sealing }
        }
    }
}

proptest! {
    /// Three machines say something on top of what each of them has heard so far, and hear of each
    /// other now and then; in the end all that was said is known to all, who heard it in three
    /// orders.
    #[test]
    fn whoever_knows_the_same_entries_says_the_same(
        steps in vec((0_usize..3, any::<(u8, u8)>(), 0_usize..4), 1..24),
    ) {
        let (start, log) = town();
        let mut machines = [(); 3].map(|()| (start.clone(), log.clone()));
        for (who, word, told) in steps {
            let (town, entries) = &mut machines[who];
            let entry = town.identity.draft(next_word(town, word)).sign(&root(&town.entropy, 0));
            if town.identity.apply(&entry).is_ok() {
                entries.push(entry);
            }
            let heard = machines[who].1.clone();
            if let Some((town, entries)) = machines.get_mut(told).filter(|_| told != who) {
                let taken = heard.into_iter().filter(|one| !entries.contains(one));
                for entry in taken.collect::<Vec<_>>() {
                    if town.identity.apply(&entry).is_ok() {
                        entries.push(entry);
                    }
                }
            }
        }
        let mut all = [0, 1, 2].map(|which| machines[which].0.identity.clone());
        let mut refused = false;
        for identity in &mut all {
            for (_, entries) in &machines {
                refused |= identity.apply_all(entries).is_err();
            }
        }
        if !refused {
            prop_assert_eq!(&all[0], &all[1]);
            prop_assert_eq!(&all[1], &all[2]);
        }
    }
}

/// Whoever heard of a branch after a union gave it the sealing key that the union had brought.
#[test]
fn a_branch_that_parts_before_a_union_knows_the_sealing_keys_of_its_place() {
    let (town, _) = town();
    let key = |byte| {
        let secret = SealingSecret::from_seed(&Secret::from_bytes([byte; 32]));
        let (node, sealing) = (node(6).id(), secret.public().clone());
        IdentityOperation::RotateSealing { node, sealing }
    };
    let (one, said) = town.elsewhere(vec![town.admit(7), town.admit(8)]);
    let (_, other) = town.elsewhere(vec![key(71)]);
    let rotation = [one.clone().rotate()];
    let known = heard(&town.identity, &said, &other);
    let mut united = Town { identity: known.clone(), ..town.clone() };
    let heads = united.identity.divided().collect();
    let union = [united.say(IdentityOperation::Unite { heads }).unwrap()];
    let after = [united.say(key(72)).unwrap()];
    let late = heard(&heard(&known, &union, &after), &rotation, &[]);
    let early = heard(&known, &rotation, &[]);
    let sealing = |identity: &Identity| {
        let mut nodes = identity.nodes().filter(|(one, _)| **one == node(6).id());
        nodes.next().unwrap().1.sealing.clone()
    };
    assert!(late.heads().eq(early.heads()));
    assert_eq!(sealing(&late), sealing(&early));
    assert_eq!(sealing(&late), sealing(&town.identity));
}

/// A union that named many places of one branch had a copy of it kept for each of them.
#[test]
fn what_is_known_is_the_same_for_whoever_reads_it_again() {
    let (town, log) = town();
    let (_, other) = town.elsewhere((20..27).map(|byte| town.admit(byte)).collect());
    let (mut one, _) = town.elsewhere((30..38).map(|byte| town.admit(byte)).collect());
    let mut said = log.clone();
    said.extend(town.elsewhere((30..38).map(|byte| town.admit(byte)).collect()).1);
    said.push(one.rotate());
    said.extend(other.clone());
    one.identity.apply_all(&other).unwrap();
    let heads = other.iter().take(5).map(|entry| entry.statement.hash()).collect();
    said.push(one.say(IdentityOperation::Unite { heads }).unwrap());
    let known = heard(&heard(&town.identity, &other, &[]), &said, &[]);
    said.sort_by_key(|entry| entry.statement.sequence);
    assert_eq!(known, Identity::read(&said).unwrap());
}

/// Whoever stole the root key filled the branch that new entries go on with, and the owner could
/// not change the key any more, nor remove what the thief had certified.
#[test]
fn a_thief_of_the_root_key_leaves_room_to_change_it_and_to_remove_his_machines() {
    let (mut town, _) = town();
    town.say(town.admit(66)).unwrap();
    let thief = IdentityOperation::SetPrimary { node: node(66).id() };
    for generation in 1..=3 {
        while town.say(thief.clone()).is_ok() {}
        let mut spent = town.clone();
        town.rotate();
        assert_eq!(town.identity.generation(), generation);
        assert_eq!(spent.say(thief.clone()), Err(IdentityError::RootSpent));
        // Nor does he hold it up with unions, of which none finds a place.
        let heads = vec![spent.identity.position().head];
        let union = spent.say(IdentityOperation::Unite { heads });
        assert_eq!(union, Err(IdentityError::RootSpent));
        assert!(!spent.identity.has_room_to_unite(), "nobody tries before a change of the key");
    }
    town.say(IdentityOperation::SetPrimary { node: node(5).id() }).unwrap();
    town.say(IdentityOperation::RevokeNode { node: node(66).id() }).unwrap();
    assert!(town.identity.primary().is_some_and(|primary| primary.node == node(5).id()));
}

/// Once a log is full its root key says nothing more; until then each finds a place for the next.
#[test]
fn a_root_key_can_be_changed_until_the_log_is_full() {
    let (mut town, said) = town();
    for _ in said.len()..limits::IDENTITY_ENTRIES_MAX {
        town.rotate();
    }
    let [old, new, next] = [0, 1, 2].map(|by| root(&town.entropy, town.identity.generation() + by));
    let rotation = town.identity.draft_rotation(&new, &next.public()).sign(&old);
    assert_eq!(town.identity.apply(&rotation), Err(IdentityError::TooLong));
}

/// An honest machine had not heard of the branches that somebody with the root key made longer
/// than what was signed there: it did not count, until the key was changed.
#[test]
fn a_rotation_gives_an_honest_branch_its_place_back_among_longer_ones_of_a_thief() {
    let (town, _) = town();
    let (honest, said) = town.elsewhere(vec![town.admit(9)]);
    let longer = |byte| town.elsewhere(vec![town.admit(byte), town.admit(byte + 100)]).1;
    let mut known = town.identity.clone();
    for byte in (20..).take(1 + limits::IDENTITY_BRANCHES_MAX) {
        known = told(&known, &longer(byte));
    }
    known = told(&known, &said);
    assert!(!known.is_active(&node(9).id()), "the longest branches count");
    // Where the key is changed at a machine that heard of none of them, all of them are over.
    let mut apart = honest;
    let rotation = [apart.rotate()];
    let healed = told(&known, &rotation);
    assert!(healed.is_active(&node(9).id()) && !healed.is_active(&node(20).id()));
    assert!(healed.heads().eq(apart.identity.heads()));
    // Where it is changed at one that heard of all, what was honest is said again.
    let mut heard = Town { identity: known, entropy: town.entropy.clone() };
    heard.rotate();
    heard.say(heard.admit(9)).unwrap();
    assert!(heard.identity.is_active(&node(9).id()));
    assert!(told(&heard.identity, &longer(60)).heads().eq(heard.identity.heads()));
}
