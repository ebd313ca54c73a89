//! An invitation and the messages of a joining.

use super::cast::{NOW, Organisation, random};
use super::golden::Golden;
use sincronia_protocol::crypto::Secret;
use sincronia_protocol::invitation::Invitation;
use sincronia_protocol::joining::{
    Introduction, Invited, InvitedStep, Inviting, InvitingStep, JoinMessage, Refusal,
};

/// In the order of their numbers.
const REFUSALS: [(&str, Refusal); 8] = [
    ("refused: unknown", Refusal::Unknown),
    ("refused: expired", Refusal::Expired),
    ("refused: used", Refusal::Used),
    ("refused: revoked", Refusal::Revoked),
    ("refused: too many", Refusal::TooMany),
    ("refused: version", Refusal::Version),
    ("refused: identity", Refusal::Identity),
    ("refused: too long", Refusal::TooLong),
];

struct Meeting {
    invitation: Invitation,
    inviting: Organisation,
    invited: Organisation,
}

impl Meeting {
    fn new() -> Self {
        let (inviting, invited) = (Organisation::found(1, 1), Organisation::found(2, 1));
        let invitation = Invitation {
            organisation: inviting.id(),
            node: inviting.seats[0].id(),
            addresses: vec![address(1)],
            expires_at: NOW,
            secret: Secret::from_bytes([5; 16]),
        };
        Self { invitation, inviting, invited }
    }

    fn sides(&self) -> (Invited, JoinMessage, Inviting) {
        let nodes = (self.invited.seats[0].id(), self.inviting.seats[0].id());
        let invitation = self.invitation.clone();
        let own = introduction(&self.invited, "Cooperativa");
        let (invited, open) = Invited::begin(invitation, nodes.0, nodes.1, own, &mut random(0x51));
        let own = introduction(&self.inviting, "Comune");
        let inviting = Inviting::new(nodes.1, nodes.0, own, &mut random(0x52));
        (invited, open, inviting)
    }
}

fn address(number: u8) -> String {
    format!("/ip4/192.0.2.{number}/tcp/4001")
}

fn introduction(organisation: &Organisation, name: &str) -> Introduction {
    Introduction {
        name: name.to_owned(),
        addresses: vec![address(organisation.number)],
        identity: organisation.entries.clone(),
    }
}

fn sent(step: InvitingStep) -> JoinMessage {
    match step {
        InvitingStep::Send(message) | InvitingStep::Joined { welcome: message, .. } => message,
        InvitingStep::Refuse(refusal) => JoinMessage::Refused(refusal),
    }
}

#[test]
fn an_invitation_leads_to_a_partner() {
    let meeting = Meeting::new();
    let mut golden = Golden::new(
        "A joining. Inviting organisation of entropy 01, invited 02, first node each; secret 16 x \
         05; nonces are the ChaCha20 key streams of 32 x 51 (invited) and 32 x 52 (inviting).",
    );
    let key = meeting.invitation.key();
    golden.text("invitation", &meeting.invitation.to_text());
    golden.hex("invitation id", key.id);
    golden.hex("proof key", key.proof.expose());
    let (mut invited, open, mut inviting) = meeting.sides();
    let challenge = sent(inviting.handle(open.clone(), |_| Ok(key.proof.clone())));
    let InvitedStep::Send(proof) = invited.handle(challenge.clone()) else { panic!("a proof") };
    let welcome = sent(inviting.handle(proof.clone(), |_| Ok(key.proof.clone())));
    let messages =
        [("open", open), ("challenge", challenge), ("proof", proof), ("welcome", welcome)];
    for (name, message) in messages {
        golden.hex(name, message.encode());
    }
    for (name, refusal) in REFUSALS {
        golden.hex(name, JoinMessage::Refused(refusal).encode());
    }
    let recorded = golden.settle("joining.json");
    reads_back(&meeting, &recorded);
}

fn reads_back(meeting: &Meeting, recorded: &Golden) {
    let read = |name: &str| JoinMessage::decode(&recorded.bytes(name)).unwrap();
    let invitation = Invitation::from_text(recorded.words("invitation")).unwrap();
    let key = invitation.key();
    assert_eq!(key.id, recorded.array("invitation id"));
    assert_eq!(key.proof.expose(), &recorded.array("proof key"));
    let (mut invited, _, mut inviting) = meeting.sides();
    let challenge = sent(inviting.handle(read("open"), |_| Ok(key.proof.clone())));
    assert_eq!(challenge.encode(), recorded.bytes("challenge"));
    let step = inviting.handle(read("proof"), |id| {
        assert_eq!(*id, key.id);
        Ok(key.proof.clone())
    });
    let InvitingStep::Joined { acquaintance, .. } = step else { panic!("not joined") };
    assert_eq!(acquaintance.organisation, meeting.invited.id());
    invited.handle(read("challenge"));
    let InvitedStep::Joined(acquaintance) = invited.handle(read("welcome")) else {
        panic!("not joined")
    };
    assert_eq!(acquaintance.organisation, meeting.inviting.id());
    for (code, (name, refusal)) in REFUSALS.into_iter().enumerate() {
        // [4, [refusal]]: the numbers are those of the protocol.
        assert_eq!(recorded.bytes(name), [0x82, 4, 0x81, u8::try_from(code).unwrap()], "{name}");
        assert!(matches!(invited.handle(read(name)), InvitedStep::Refused(one) if one == refusal));
    }
}
