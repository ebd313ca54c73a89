//! Joining under attack: relayed, replayed, altered, and by somebody else than was invited.

use super::organisation::{Node, Organisation};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::ids::NodeId;
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::joining::{
    Introduction, Invited, InvitedStep, Inviting, InvitingStep, JoinMessage, Refusal,
};
use sincronia_protocol::replica::{Partner, Trust};
use sincronia_protocol::time::Timestamp;

const NOW: Timestamp = Timestamp::from_milliseconds(1_000);

/// Somebody who takes part in the exchange.
struct Party {
    organisation: Organisation,
    node: NodeId,
}

impl Party {
    fn new(seed: u8) -> Self {
        let (organisation, credentials) = Organisation::with_node(seed);
        Self { node: Node::start(&credentials, &[&organisation]).id(), organisation }
    }

    fn introduction(&self) -> Introduction {
        Introduction {
            name: "Comune di prova".to_owned(),
            addresses: vec!["/ip4/127.0.0.1/tcp/4001".to_owned()],
            identity: self.organisation.entries.clone(),
        }
    }
}

fn random(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn invitation(host: &Party) -> Invitation {
    Invitation {
        organisation: host.organisation.id(),
        node: host.node,
        addresses: Vec::new(),
        expires_at: Timestamp::from_milliseconds(1),
        secret: Secret::from_bytes([5; 16]),
    }
}

/// The inviting side towards `peer`, and what it answers with an open invitation.
struct Door {
    inviting: Inviting,
    invitation: Invitation,
}

impl Door {
    fn new(host: &Party, peer: NodeId, seed: u8) -> Self {
        let inviting = Inviting::new(host.node, peer, host.introduction(), &mut random(seed));
        Self { inviting, invitation: invitation(host) }
    }

    fn handle(&mut self, message: JoinMessage) -> InvitingStep {
        let key = self.invitation.key();
        self.inviting.handle(message, |id| {
            if *id == key.id { Ok(key.proof.clone()) } else { Err(Refusal::Unknown) }
        })
    }

    /// The challenge to an opening.
    fn challenge(&mut self, open: JoinMessage) -> JoinMessage {
        match self.handle(open) {
            InvitingStep::Send(challenge) => challenge,
            other => panic!("{other:?}"),
        }
    }
}

/// The invited side up to its proof.
fn prove(guest: &Party, host: NodeId, door: &mut Door) -> (Invited, JoinMessage) {
    let (mut invited, open) = Invited::begin(
        door.invitation.clone(),
        guest.node,
        host,
        guest.introduction(),
        &mut random(3),
    );
    match invited.handle(door.challenge(open)) {
        InvitedStep::Send(proof) => (invited, proof),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_honest_exchange_makes_both_acquainted() {
    let (host, guest) = (Party::new(1), Party::new(2));
    let mut door = Door::new(&host, guest.node, 4);
    let (mut invited, proof) = prove(&guest, host.node, &mut door);
    let InvitingStep::Joined { acquaintance, welcome, .. } = door.handle(proof) else {
        panic!("not joined");
    };
    assert_eq!(acquaintance.organisation, guest.organisation.id());
    let InvitedStep::Joined(acquaintance) = invited.handle(welcome) else { panic!("not joined") };
    assert_eq!(acquaintance.organisation, host.organisation.id());
}

#[test]
fn a_proof_relayed_by_somebody_in_the_middle_proves_nothing() {
    let (host, guest, middle) = (Party::new(1), Party::new(2), Party::new(3));
    // The guest talks to the one in the middle, who talks to the host: each sees its own peer.
    let mut door = Door::new(&host, middle.node, 4);
    let (_, proof) = prove(&guest, middle.node, &mut door);
    assert!(matches!(door.handle(proof), InvitingStep::Refuse(Refusal::Unknown)));
    // The same when the guest believes that it talks to the host.
    let mut door = Door::new(&host, middle.node, 4);
    let (_, proof) = prove(&guest, host.node, &mut door);
    assert!(matches!(door.handle(proof), InvitingStep::Refuse(Refusal::Unknown)));
}

#[test]
fn a_proof_overheard_in_one_exchange_does_not_serve_in_another() {
    let (host, guest) = (Party::new(1), Party::new(2));
    let mut first = Door::new(&host, guest.node, 4);
    let (_, proof) = prove(&guest, host.node, &mut first);
    let mut second = Door::new(&host, guest.node, 5);
    let _ = prove(&guest, host.node, &mut second);
    assert!(matches!(second.handle(proof), InvitingStep::Refuse(Refusal::Unknown)));
}

#[test]
fn a_proof_does_not_introduce_somebody_else() {
    let (host, guest, other) = (Party::new(1), Party::new(2), Party::new(3));
    let mut door = Door::new(&host, guest.node, 4);
    let (_, proof) = prove(&guest, host.node, &mut door);
    let JoinMessage::Proof { mac, .. } = proof else { panic!("a proof") };
    let swapped = JoinMessage::Proof { mac, introduction: other.introduction() };
    assert!(matches!(door.handle(swapped), InvitingStep::Refuse(Refusal::Unknown)));
}

#[test]
fn an_identity_that_does_not_certify_the_node_is_refused_although_the_secret_is_right() {
    let (host, guest, other) = (Party::new(1), Party::new(2), Party::new(3));
    let mut door = Door::new(&host, guest.node, 4);
    let liar = Party { organisation: other.organisation, node: guest.node };
    let (_, proof) = prove(&liar, host.node, &mut door);
    assert!(matches!(door.handle(proof), InvitingStep::Refuse(Refusal::Identity)));
}

#[test]
fn a_host_that_is_not_who_invited_is_not_joined() {
    let (host, guest, other) = (Party::new(1), Party::new(2), Party::new(3));
    // Another organisation that knows the secret answers in the host's place.
    let mut door = Door::new(&other, guest.node, 4);
    door.invitation = invitation(&host);
    let (mut invited, proof) = prove(&guest, other.node, &mut door);
    let InvitingStep::Joined { welcome, .. } = door.handle(proof) else { panic!("not joined") };
    assert!(matches!(invited.handle(welcome), InvitedStep::Misbehaved));
}

#[test]
fn threat_06_a_proof_is_tried_once() {
    let (host, guest) = (Party::new(1), Party::new(2));
    let mut door = Door::new(&host, guest.node, 4);
    let (_, proof) = prove(&guest, host.node, &mut door);
    let JoinMessage::Proof { introduction, .. } = &proof else { panic!("a proof") };
    let attempt = JoinMessage::Proof { mac: [0; 32], introduction: introduction.clone() };
    assert!(matches!(door.handle(attempt), InvitingStep::Refuse(_)));
    assert!(matches!(door.handle(proof), InvitingStep::Refuse(_)), "a second try");
}

#[test]
fn every_byte_of_proof_and_welcome_is_authenticated() {
    let (host, guest) = (Party::new(1), Party::new(2));
    let begin = || {
        let mut door = Door::new(&host, guest.node, 4);
        let (invited, proof) = prove(&guest, host.node, &mut door);
        (door, invited, proof)
    };
    let (_, _, proof) = begin();
    for tampered in bit_flips(&proof) {
        let (mut door, _, _) = begin();
        assert!(matches!(door.handle(tampered), InvitingStep::Refuse(_)));
    }
    let (mut door, _, proof) = begin();
    let InvitingStep::Joined { welcome, .. } = door.handle(proof) else { panic!("not joined") };
    for tampered in bit_flips(&welcome) {
        let (_, mut invited, _) = begin();
        let step = invited.handle(tampered);
        assert!(!matches!(step, InvitedStep::Joined(_) | InvitedStep::Send(_)), "{step:?}");
    }
}

/// The message with one bit changed in each byte in turn, where that still is a message.
fn bit_flips(message: &JoinMessage) -> Vec<JoinMessage> {
    let bytes = message.encode();
    let flips: Vec<_> = (0..bytes.len())
        .filter_map(|place| {
            let mut tampered = bytes.clone();
            tampered[place] ^= 1 << (place % 8);
            JoinMessage::decode(&tampered).ok()
        })
        .collect();
    assert!(flips.len() > 1_000, "most of a message is keys and signatures");
    flips
}

#[test]
fn a_name_that_commands_a_terminal_is_not_introduced() {
    let guest = Party::new(2);
    let mut introduction = guest.introduction();
    assert!(introduction.certified(&guest.node).is_some());
    introduction.name = "\u{1b}[2JComune di Aulla".into();
    assert!(introduction.certified(&guest.node).is_none());
    introduction.name = "Comune di \u{202e}alluA".into();
    assert!(introduction.certified(&guest.node).is_none());
}

/// What a host answers to somebody with this invitation, as its node does.
fn knock(host: &mut Node, guest: &Party, invitation: &Invitation) -> Result<JoinMessage, Refusal> {
    let own = host.act(|replica, disk, _| replica.introduction(disk, String::new(), Vec::new()));
    let mut inviting = Inviting::new(host.id(), guest.node, own.unwrap(), &mut host.random);
    let said = guest.introduction();
    let (mut invited, mut message) =
        Invited::begin(invitation.clone(), guest.node, host.id(), said, &mut random(3));
    loop {
        let (replica, disk) = (&host.replica, &host.disk);
        match inviting.handle(message, |id| replica.invitation_proof(disk, id, NOW)) {
            InvitingStep::Send(answer) => match invited.handle(answer) {
                InvitedStep::Send(next) => message = next,
                other => panic!("{other:?}"),
            },
            InvitingStep::Refuse(refusal) => return Err(refusal),
            InvitingStep::Joined { invitation: id, acquaintance, welcome } => {
                replica.welcomes(disk, &id, &acquaintance.organisation, NOW)?;
                host.act(|replica, disk, random| {
                    replica.welcome(disk, &id, &acquaintance, NOW, random)
                })
                .unwrap();
                return Ok(welcome);
            }
        }
    }
}

/// The line broke after the host had taken its guest in and before it said so: the invitation was
/// spent, the guest had no partner, and was told that somebody else had used it.
#[test]
fn threat_06_a_welcome_that_was_lost_is_given_again_to_its_guest_alone() {
    let (founded, credentials) = Organisation::with_node(1);
    let mut host = Node::start(&credentials, &[&founded]);
    let (guest, thief) = (Party::new(2), Party::new(3));
    let made = host.act(|replica, _, random| {
        replica.invite(Vec::new(), 3_600_000, None, Vec::new(), NOW, random)
    });
    let (invitation, _) = made.unwrap();
    assert!(knock(&mut host, &guest, &invitation).is_ok());
    assert!(knock(&mut host, &guest, &invitation).is_ok(), "the same again");
    assert_eq!(knock(&mut host, &thief, &invitation), Err(Refusal::Used));
    assert!(host.replica.partner(&thief.organisation.id()).is_none());

    let id = guest.organisation.id();
    let known = host.replica.partner(&id).cloned().unwrap();
    let removed = Partner { trust: Trust::Blocked, ..known };
    host.act(|replica, _, _| replica.put_partner(id, removed)).unwrap();
    assert_eq!(knock(&mut host, &guest, &invitation), Err(Refusal::Used), "after it was removed");
}
