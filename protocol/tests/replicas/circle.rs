//! An owner, two members-to-be and an outsider around one space.

use super::organisation::{Node, Organisation};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sincronia_protocol::access::{History, Role};
use sincronia_protocol::identity::IdentityOperation;
use sincronia_protocol::ids::{NodeId, RecordId, SpaceId};
use sincronia_protocol::replica::QuarantineReason;

/// Four organisations that know each other, each with one node, and a space of the first.
pub struct Circle {
    pub organisations: [Organisation; 4],
    pub owner: Node,
    pub member: Node,
    pub colleague: Node,
    pub outsider: Node,
    pub space: SpaceId,
}

impl Circle {
    /// A space with its owner alone.
    pub fn new() -> Self {
        let founded = [1, 2, 3, 4].map(Organisation::with_node);
        let known: Vec<_> = founded.iter().map(|(organisation, _)| organisation).collect();
        let [mut owner, member, colleague, outsider] =
            founded.each_ref().map(|(_, credentials)| Node::start(credentials, &known));
        let space = owner.create_space();
        let organisations = founded.map(|(organisation, _)| organisation);
        Self { organisations, owner, member, colleague, outsider, space }
    }

    /// A space whose member and colleague are contributors from the start, and know it.
    pub fn of_contributors() -> Self {
        let mut circle = Self::new();
        for organisation in [circle.member.organisation(), circle.colleague.organisation()] {
            circle.admit(organisation, Role::Contributor);
        }
        circle.owner.give(&mut circle.member, &circle.space);
        circle.owner.give(&mut circle.colleague, &circle.space);
        circle
    }

    /// A node that the owner's organisation certifies and names primary, by a root key that was
    /// stolen, and what is said there.
    pub fn thief(&self) -> (Node, Organisation) {
        let mut stolen = self.organisations[0].elsewhere();
        let credentials = stolen.add_node(61);
        stolen.say(IdentityOperation::SetPrimary { node: credentials.node_key.id() });
        let known: Vec<_> = self.organisations.iter().collect();
        let mut thief = Node::start(&credentials, &known);
        thief.learn(&stolen);
        (thief, stolen)
    }

    /// The owner grants a role from the start.
    pub fn admit(&mut self, organisation: sincronia_protocol::ids::OrganisationId, role: Role) {
        self.owner.grant(&self.space, organisation, role, History::Start).expect("a primary");
    }

    /// The owner's access log grows by something that concerns nobody here.
    pub fn admit_and_forget(&mut self) {
        let (space, organisation) = (self.space, self.outsider.organisation());
        self.owner.grant(&space, organisation, Role::Carrier, History::Start).expect("a primary");
        self.owner.revoke(&space, organisation).expect("a member");
    }

    /// The owner revokes the member.
    pub fn remove_member(&mut self) {
        let organisation = self.member.organisation();
        self.owner.revoke(&self.space, organisation).expect("a member");
    }

    /// Everybody hands everything to everybody that may have it, until it is quiet.
    pub fn settle(&mut self) {
        let space = self.space;
        for _ in 0..3 {
            self.member.give(&mut self.owner, &space);
            self.colleague.give(&mut self.owner, &space);
            self.owner.give(&mut self.member, &space);
            self.owner.give(&mut self.colleague, &space);
        }
    }

    /// A copy of the member's node as it is now, which draws other random numbers from here on.
    pub fn twin_of_member(&self) -> Node {
        let known: Vec<&Organisation> = self.organisations.iter().collect();
        let mut twin = Node::start(&self.member.credentials, &known);
        twin.disk = self.member.disk.clone();
        twin.random = ChaCha20Rng::from_seed([9; 32]);
        twin.restart();
        twin
    }

    /// The owner's list of what does not count: author, position and reason.
    pub fn quarantine(&self) -> Vec<(NodeId, u64, QuarantineReason)> {
        let listed = self.owner.replica.quarantine(&self.owner.disk).expect("a sound disk");
        listed.into_iter().map(|one| (one.author, one.sequence, one.reason)).collect()
    }

    /// Whether owner and colleague show the same, and the title of a record there.
    pub fn agreed_title(&self, record: &RecordId) -> Option<String> {
        let title = self.owner.title(&self.space, record);
        assert_eq!(title, self.colleague.title(&self.space, record), "owner and colleague differ");
        title
    }
}
