//! Keys that died with the only machine that had them: nobody waits for them, and they hide no key
//! of before.

use super::circle::Circle;
use super::line::Line;
use super::organisation::{Node, Organisation};
use super::restoring::{back_up, maintain, restore, return_to};
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::bundle::export;
use sincronia_protocol::codec;
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::limits;
use sincronia_protocol::replica::{Credentials, ReplicaError};
use sincronia_protocol::storage::{Batch, Table};
use sincronia_protocol::sync::SyncPhase;
use sincronia_protocol::time::Timestamp;

const BEFORE: &str = "prima della copia";

/// A circle of which the owner was restored out of a backup from before it removed the member: the
/// key of the removal is gone with the machine that made it, and a later one took its place.
struct Loss {
    circle: Circle,
    /// Written before the backup.
    record: RecordId,
}

impl Loss {
    fn new() -> Self {
        Self::after(Circle::new(), |_| {})
    }

    /// The same; something else happens between the removal and the death of the machine.
    fn after(mut circle: Circle, meanwhile: impl FnOnce(&mut Circle)) -> Self {
        let (space, member) = (circle.space, circle.member.organisation());
        circle.admit(member, Role::Contributor);
        circle.owner.give(&mut circle.member, &space);
        let record = circle.owner.note(&space, BEFORE);
        circle.owner.give(&mut circle.member, &space);
        let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
        circle.remove_member();
        circle.owner.give(&mut circle.member, &space);
        meanwhile(&mut circle);
        circle.owner = restore(&mut circle.organisations[0], old, &backup);
        return_to(&mut circle.owner, &mut circle.member);
        let summary = circle.owner.replica.summary(&space).unwrap();
        assert_eq!(summary.role(&member), None, "it hears of the removal");
        circle.owner.act(|replica, _, _| replica.finish_catching_up()).unwrap();
        maintain(&mut circle.owner);
        assert_eq!(lacking(&circle.owner), 0, "a later key took the place of the one that is gone");
        Self { circle, record }
    }

    /// The owner admits the member again.
    fn admit_again(&mut self) {
        let member = self.circle.member.organisation();
        self.circle.admit(member, Role::Contributor);
        agree(&mut self.circle.owner, &mut self.circle.member);
        assert_eq!(lacking(&self.circle.member), 0);
    }

    /// Another machine of an organisation, of which everybody has heard.
    fn second(&mut self, organisation: usize, seed: u8) -> Credentials {
        let credentials = self.circle.organisations[organisation].add_node(seed);
        let Circle { organisations, owner, member, colleague, outsider, .. } = &mut self.circle;
        for node in [owner, member, colleague, outsider] {
            node.learn(&organisations[organisation]);
        }
        credentials
    }

    fn start(&self, credentials: &Credentials) -> Node {
        let known: Vec<&Organisation> = self.circle.organisations.iter().collect();
        Node::start(credentials, &known)
    }

    /// The owner pays what it owes a member for its new machine.
    fn pay(&mut self, organisation: usize) {
        let id = self.circle.organisations[organisation].id();
        let owner = &mut self.circle.owner;
        owner.act(|replica, disk, random| replica.maintain(disk, &id, random)).unwrap();
    }

    fn assert_reads(&self, node: &Node) {
        let title = node.title(&self.circle.space, &self.record);
        assert_eq!((title.as_deref(), lacking(node)), (Some(BEFORE), 0));
    }
}

/// They talk, and end with the same.
fn agree(one: &mut Node, other: &mut Node) {
    let mut line = Line::open(one, other);
    line.run_sound();
    assert_eq!((line.phases(), &line.closed), ([SyncPhase::InSync; 2], &Vec::new()));
}

/// In how many spaces a node waits for keys.
fn lacking(node: &Node) -> usize {
    node.replica.lacking_spaces().count()
}

/// What a node asks for.
fn asked(node: &mut Node, space: &SpaceId) -> usize {
    let own = node.organisation();
    let heads = node.replica.heads_for(&node.disk, &own, space).unwrap().unwrap();
    heads.lacking.len()
}

/// Owner and member waited for the key of the removal for ever, and a new machine of the member was
/// never given the keys of before, for which nothing stood but the one that was gone.
#[test]
fn what_died_with_a_machine_is_waited_for_by_nobody_and_hides_no_key_of_before() {
    let mut loss = Loss::new();
    loss.admit_again();
    let second = loss.second(1, 12);
    let mut by_sibling = loss.start(&second);
    agree(&mut by_sibling, &mut loss.circle.member);
    loss.assert_reads(&by_sibling);
    let mut by_owner = loss.start(&second);
    agree(&mut by_owner, &mut loss.circle.owner);
    loss.assert_reads(&by_owner);

    // A key made for the new machine is sealed to it: it asks for nothing by itself.
    loss.pay(1);
    agree(&mut loss.circle.owner, &mut loss.circle.member);
    for giver in [1, 0] {
        let mut with_key = loss.start(&second);
        let Circle { owner, member, .. } = &mut loss.circle;
        agree(&mut with_key, if giver == 0 { owner } else { member });
        loss.assert_reads(&with_key);
    }
    loss.assert_reads(&loss.circle.owner);
    loss.assert_reads(&loss.circle.member);
}

/// The grant to it held nothing of a chain of keys of which the last was gone.
#[test]
fn who_is_admitted_after_a_loss_gets_the_keys_of_before() {
    let mut loss = Loss::new();
    let party = loss.circle.colleague.organisation();
    loss.circle.admit(party, Role::Contributor);
    let Circle { organisations, owner, colleague, space, .. } = &mut loss.circle;
    colleague.learn(&organisations[0]);
    owner.give(colleague, space);
    loss.assert_reads(&loss.circle.colleague);
    return_to(&mut loss.circle.owner, &mut loss.circle.colleague);

    let second = loss.second(2, 13);
    for pays in [false, true] {
        if pays {
            loss.pay(2);
            agree(&mut loss.circle.owner, &mut loss.circle.colleague);
        }
        let mut by_sibling = loss.start(&second);
        agree(&mut by_sibling, &mut loss.circle.colleague);
        loss.assert_reads(&by_sibling);
        let mut by_owner = loss.start(&second);
        agree(&mut by_owner, &mut loss.circle.owner);
        loss.assert_reads(&by_owner);
    }
}

/// A key of a chain that was given up is waited for where another machine is known to have it.
#[test]
fn a_machine_that_hears_of_a_loss_from_a_carrier_waits_for_the_keys_of_before() {
    let mut loss = Loss::new();
    loss.admit_again();
    let (space, carrier) = (loss.circle.space, loss.circle.outsider.organisation());
    loss.circle.admit(carrier, Role::Carrier);
    let second = loss.second(1, 12);
    loss.pay(1);
    agree(&mut loss.circle.owner, &mut loss.circle.outsider);
    let mut second = loss.start(&second);
    second.learn(&loss.circle.organisations[0]);
    Line::open(&mut second, &mut loss.circle.outsider).run_for(6);
    assert_eq!((lacking(&second), second.title(&space, &loss.record)), (1, None));
    agree(&mut second, &mut loss.circle.member);
    loss.assert_reads(&second);
    agree(&mut second, &mut loss.circle.outsider);
}

/// The keyring of another machine of the owner died, too, before the carrier had it.
#[test]
fn a_carrier_and_who_reads_from_now_on_wait_for_nothing_that_died() {
    let mut circle = Circle::new();
    let away = circle.organisations[0].add_node(11).node_key.id();
    circle.owner.learn(&circle.organisations[0]);
    maintain(&mut circle.owner);
    let (space, carrier) = (circle.space, circle.outsider.organisation());
    circle.outsider.learn(&circle.organisations[0]);
    circle.admit(carrier, Role::Carrier);
    circle.owner.give(&mut circle.outsider, &space);
    let mut loss = Loss::after(circle, |circle| {
        let entries = circle.owner.access_log(&space);
        let last = entries.last().and_then(|entry| entry.statement.operation.rotation()).unwrap();
        assert!(last.recipients.iter().any(|one| one.node == away), "sealed to it");
        let (replica, disk) = (&mut circle.outsider.replica, &circle.outsider.disk);
        replica.admit_access(disk, &space, &entries, true).unwrap();
        circle.outsider.commit();
        assert_eq!(lacking(&circle.outsider), 1, "its keyring died on the way");
    });
    return_to(&mut loss.circle.owner, &mut loss.circle.outsider);
    assert_eq!(lacking(&loss.circle.outsider), 0);
    assert_eq!(asked(&mut loss.circle.outsider, &space), 1, "whoever comes with it is asked");
    let reader = loss.circle.colleague.organisation();
    loss.circle.owner.grant(&space, reader, Role::Reader, History::Now).unwrap();
    agree(&mut loss.circle.owner, &mut loss.circle.colleague);
    agree(&mut loss.circle.owner, &mut loss.circle.outsider);
    agree(&mut loss.circle.colleague, &mut loss.circle.outsider);
    let title = loss.circle.colleague.title(&space, &loss.record);
    assert_eq!((lacking(&loss.circle.colleague), title), (0, None), "the past stays closed to it");
    assert_eq!(asked(&mut loss.circle.colleague, &space), 0);
}

/// What was given up is not forgotten: whoever comes with it gives it to those who may have it.
#[test]
fn a_key_that_was_given_up_is_taken_from_a_machine_that_returns() {
    let mut circle = Circle::new();
    let credentials = circle.organisations[0].add_node(11);
    let Circle { organisations, owner, member, space, .. } = &mut circle;
    owner.learn(&organisations[0]);
    member.learn(&organisations[0]);
    maintain(owner);
    let known: Vec<&Organisation> = organisations.iter().collect();
    let mut away = Node::start(&credentials, &known);
    let (space, mut later) = (*space, None);
    let mut loss = Loss::after(circle, |circle| {
        agree(&mut circle.owner, &mut away);
        later = Some(away.note(&space, "dopo la copia"));
    });
    let later = later.unwrap();
    loss.admit_again();
    let title = |node: &Node| node.title(&space, &later);
    assert_eq!(title(&loss.circle.member), None);
    return_to(&mut loss.circle.owner, &mut away);
    let Circle { owner, member, .. } = &mut loss.circle;
    agree(owner, member);
    for node in [&loss.circle.owner, &loss.circle.member, &away] {
        loss.assert_reads(node);
        assert!(title(node).is_some());
    }
    assert_eq!(asked(&mut loss.circle.owner, &space), 0);
    assert_eq!(asked(&mut loss.circle.member, &space), 0);
}

/// Somebody was admitted from now on after the key that died: nothing says that it may be lost, so
/// it is waited for, but what comes before it is read.
#[test]
fn a_lost_key_before_a_party_from_now_on_hides_no_key_of_before() {
    let mut circle = Circle::of_contributors();
    let (space, member) = (circle.space, circle.member.organisation());
    let (colleague, reader) = (circle.colleague.organisation(), circle.outsider.organisation());
    let record = circle.owner.note(&space, BEFORE);
    circle.settle();
    let (old, backup) = (circle.owner.id(), back_up(&circle.owner));
    circle.owner.revoke(&space, colleague).unwrap();
    circle.remove_member();
    circle.owner.grant(&space, reader, Role::Reader, History::Now).unwrap();
    circle.owner.give(&mut circle.outsider, &space);
    let mut loss = Loss {
        circle: Circle { owner: restore(&mut circle.organisations[0], old, &backup), ..circle },
        record,
    };
    return_to(&mut loss.circle.owner, &mut loss.circle.member);
    loss.circle.outsider.learn(&loss.circle.organisations[0]);
    Line::open(&mut loss.circle.outsider, &mut loss.circle.owner).run_for(8);
    let Circle { owner, .. } = &mut loss.circle;
    owner.act(|replica, _, _| replica.finish_catching_up()).unwrap();
    maintain(owner);
    loss.circle.admit(member, Role::Contributor);
    Line::open(&mut loss.circle.owner, &mut loss.circle.member).run_for(8);
    let second = loss.second(1, 12);
    for giver in [0, 1] {
        let mut machine = loss.start(&second);
        let Circle { owner, member, .. } = &mut loss.circle;
        Line::open(&mut machine, if giver == 0 { owner } else { member }).run_for(8);
        assert_eq!(machine.title(&space, &record).as_deref(), Some(BEFORE));
    }
}

/// Nothing was owed, and the owner could admit nobody: the key of now was missing.
#[test]
fn an_owner_alone_that_lost_the_key_admits_others_with_another() {
    for history in [History::Start, History::Now] {
        let mut circle = Circle::new();
        let (space, member) = (circle.space, circle.member.organisation());
        circle.owner.note(&space, BEFORE);
        lose_keys(&mut circle.owner);
        circle.owner.grant(&space, member, Role::Contributor, history).unwrap();
        agree(&mut circle.owner, &mut circle.member);
        assert_eq!((lacking(&circle.owner), lacking(&circle.member)), (0, 0));
        let record = circle.member.note(&space, "dopo la perdita");
        agree(&mut circle.owner, &mut circle.member);
        assert!(circle.owner.title(&space, &record).is_some());
    }
    let mut circle = Circle::new();
    lose_keys(&mut circle.owner);
    let refused = circle.owner.try_note(&circle.space, "senza chiave");
    assert!(matches!(refused, Err(ReplicaError::KeyMissing)), "{refused:?}");
    maintain(&mut circle.owner);
    circle.owner.note(&circle.space, "dopo la perdita");
    assert_eq!(lacking(&circle.owner), 0);
}

/// Two machines of the owner of which neither ever got the keyring that was made for it: the only
/// one that had the keys is gone. Each waited for ever for the key that the other was to have.
#[test]
fn two_machines_do_not_wait_for_a_key_that_both_lack() {
    let mut circle = Circle::new();
    let space = circle.space;
    let [second, third] = [11, 12].map(|seed| circle.organisations[0].add_node(seed));
    circle.owner.learn(&circle.organisations[0]);
    maintain(&mut circle.owner);
    let access = circle.owner.access_log(&space);
    let keyrings = circle.owner.keyrings_for(&space, &circle.organisations[0].id());
    let (lost, node) = (circle.owner.id(), second.node_key.id());
    let organisation = &mut circle.organisations[0];
    let mut machines = [second, third].map(|one| Node::start(&one, &[organisation]));
    for machine in &mut machines {
        machine
            .act(|replica, disk, _| replica.admit_access(disk, &space, &access, true))
            .expect("a sound log");
        assert_eq!(lacking(machine), 1, "its keyring is on no disk but that of who made it");
    }
    organisation.say(IdentityOperation::RevokeNode { node: lost });
    organisation.say(IdentityOperation::SetPrimary { node });
    for machine in &mut machines {
        machine.learn(organisation);
    }
    let [second, third] = &mut machines;
    maintain(second);
    for _ in 0..2 {
        agree(second, third);
        assert_eq!([lacking(second), lacking(third)], [0, 0]);
        second.restart();
        third.restart();
    }
    // One that was on its way all the time: they meet, though nothing else is news.
    for keyring in keyrings {
        let _ = third.act(|replica, disk, _| replica.admit_sealed(disk, &space, [keyring]));
    }
    assert_eq!(asked(third, &space), 0);
    agree(second, third);
    assert_eq!(asked(second, &space), 0, "what one came by, the other was given");
}

/// The owner's new machine and a member's, of which neither ever got the keyring that was made for
/// it: the only one that had the keys is gone.
fn robbed_of_keys() -> (Node, Node, SpaceId) {
    let (second, circle) = robbed_circle();
    (second, circle.member, circle.space)
}

/// The same, with who has nothing to do with it; the owner's new machine stands apart.
fn robbed_circle() -> (Node, Circle) {
    let mut circle = Circle::new();
    let (space, member) = (circle.space, circle.member.organisation());
    let second = circle.organisations[0].add_node(11);
    for node in [&mut circle.owner, &mut circle.member] {
        node.learn(&circle.organisations[0]);
    }
    maintain(&mut circle.owner);
    circle.admit(member, Role::Contributor);
    circle.remove_member();
    let access = circle.owner.access_log(&space);
    let (lost, node) = (circle.owner.id(), second.node_key.id());
    let mut second = Node::start(&second, &circle.organisations.each_ref());
    second
        .act(|replica, disk, _| replica.admit_access(disk, &space, &access, true))
        .expect("a sound log");
    let owner = &mut circle.organisations[0];
    owner.say(IdentityOperation::RevokeNode { node: lost });
    owner.say(IdentityOperation::SetPrimary { node });
    for machine in [&mut second, &mut circle.member] {
        machine.learn(owner);
    }
    maintain(&mut second);
    second.grant(&space, member, Role::Contributor, History::Start).expect("a primary");
    (second, circle)
}

/// Two machines that exchange files alone, as the two above: each heard in every file that the
/// other has no such key, and went on waiting for it.
#[test]
fn two_machines_without_a_line_do_not_wait_for_a_key_that_both_lack() {
    let (mut owner, mut member, space) = robbed_of_keys();
    for _ in 0..2 {
        let there = owner.bundle(member.organisation());
        member.read(&there);
        let back = member.bundle(owner.organisation());
        let brought = owner.read(&back).brought;
        assert_eq!(brought.get(&space), None, "what it lacks changes nothing of the space");
    }
    assert_eq!([lacking(&owner), lacking(&member)], [0, 0]);
    assert_eq!(owner.digests(), member.digests());
    member.restart();
    assert_eq!(lacking(&member), 0);
}

/// An owner gives up keys and certifies machines as it likes, each of which says that it lacks one:
/// then a node noted no more who lacks keys of anybody else's spaces, and waited for them.
#[test]
fn an_owner_that_gives_up_many_keys_makes_nobody_wait_for_those_of_others() {
    let (mut owner, circle) = robbed_circle();
    let Circle { mut member, mut colleague, organisations, .. } = circle;
    colleague.learn(&organisations[0]);
    let crowded = colleague.create_space();
    lose_keys(&mut colleague);
    let own = owner.organisation();
    colleague.grant(&crowded, own, Role::Contributor, History::Start).expect("a primary");
    agree(&mut colleague, &mut owner);
    let heads = owner.replica.heads_for(&owner.disk, &own, &crowded).unwrap().unwrap();
    assert_eq!(heads.lacking.len(), 1);
    owner
        .act(|replica, disk, _| {
            (0..limits::ASKERS_OF_OWNER_MAX).try_for_each(|number| {
                let mut node = [0; 32];
                node[..8].copy_from_slice(&number.to_be_bytes());
                let node = NodeId::from_bytes(node);
                replica.note_asked(disk, &node, &heads)
            })
        })
        .expect("a sound disk");
    for _ in 0..2 {
        let there = owner.bundle(member.organisation());
        member.read(&there);
        let back = member.bundle(owner.organisation());
        owner.read(&back);
    }
    assert_eq!([lacking(&owner), lacking(&member)], [0, 0]);
}

/// Whoever made a file for a partner that lacks a key took the partner's word for its own, and told
/// everybody of that, with every file.
#[test]
fn a_file_that_is_made_tells_nobody_of_anything() {
    let (mut owner, mut member, _) = robbed_of_keys();
    let there = owner.bundle(member.organisation());
    member.read(&there);
    let back = member.bundle(owner.organisation());
    owner.read(&back);
    let request = super::bundles::request(member.organisation());
    let made = owner.act(|replica, disk, random| {
        let made = export(&request, replica, disk, Timestamp::from_milliseconds(1), random);
        made.map(|_| replica.growth_count()).map_err(|_| ReplicaError::NotPermitted)
    });
    assert_eq!(made, Ok(0));
}

/// A disk gives back no key.
fn lose_keys(node: &mut Node) {
    let mut damage = Batch::default();
    let keys: Vec<_> = node.disk.values(Table::Keys).map(|(key, _)| key.to_vec()).collect();
    for key in keys {
        damage.delete(Table::Keys, key);
    }
    node.disk.commit(&damage);
    node.restart();
}

/// A store of before keys were given up says of its spaces that they wait.
#[test]
fn a_store_that_waits_for_what_was_lost_waits_no_more_when_it_is_opened() {
    let mut loss = Loss::new();
    loss.admit_again();
    let space = loss.circle.space;
    let sound = loss.circle.member.replica.summary(&space).unwrap().clone();
    let mut waiting = sound.clone();
    (waiting.lacking, waiting.digest) = (1, [7; 32]);
    let mut older = Batch::default();
    older.put(Table::Spaces, space.as_bytes().to_vec(), codec::encode(&waiting));
    loss.circle.member.disk.commit(&older);
    loss.circle.member.restart();
    assert_eq!(loss.circle.member.replica.summary(&space), Some(&sound));
    loss.circle.member.restart();
    assert_eq!(lacking(&loss.circle.member), 0, "and it is written down");
}
