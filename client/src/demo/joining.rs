//! Partners by real invitations: one side invites, the other joins.

use super::DemoError;
use super::network::{Network, Node};
use crate::api::Client;
use sincronia_node::api::{InviteRequest, JoinRequest, MemberRequest};

impl Network<'_> {
    /// Lets these organisations join all their partners that run.
    pub(super) fn join(&self, newcomers: &[String]) -> Result<(), DemoError> {
        let new = |key: &str| newcomers.iter().any(|one| one == key);
        let mut pairs = Vec::new();
        for (one, other) in self.pairs.iter().filter(|(one, other)| new(one) || new(other)) {
            if let (Some(one), Some(other)) = (self.nodes.get(one), self.nodes.get(other)) {
                pairs.push((one, other));
            }
        }
        self.each("demo-joining", &pairs, |(inviter, joiner)| {
            if self.has_no_line(&inviter.key, &joiner.key) {
                return self.join_by_files(inviter, joiner);
            }
            invite(inviter, joiner)
        })?;
        let sharing: Vec<_> =
            pairs.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]).collect();
        self.each("demo-sharing", &sharing, |(owner, reader)| share_directory(owner, reader))?;
        Ok(())
    }
}

pub(super) fn invite(inviter: &Node, joiner: &Node) -> Result<(), DemoError> {
    let request = InviteRequest { note: Some(joiner.name.clone()), ..InviteRequest::default() };
    let invitation = inviter.ask("invite", |client| client.invite(&request))?;
    let request = JoinRequest { invitation: invitation.text, addresses: Vec::new() };
    let what = format!("join {}", inviter.key);
    let partner = joiner.ask(&what, |client| client.join(&request))?;
    if partner.organisation == inviter.organisation {
        return Ok(());
    }
    Err(DemoError::Missing(format!("{} joined another than {}", joiner.key, inviter.key)))
}

/// A partner reads the directory, unless joining has already seen to that.
fn share_directory(owner: &Node, reader: &Node) -> Result<(), DemoError> {
    let spaces = owner.ask("list its spaces", Client::spaces)?;
    let Some(space) = spaces.into_iter().find(|space| space.directory) else {
        return Err(DemoError::Missing(format!("{} has no directory of its own", owner.key)));
    };
    if space.members.iter().any(|member| member.organisation == reader.organisation) {
        return Ok(());
    }
    let request = MemberRequest {
        organisation: reader.organisation.clone(),
        role: "reader".to_owned(),
        history: Some("start".to_owned()),
    };
    let what = format!("share its directory with {}", reader.key);
    owner.ask(&what, |client| client.add_member(&space.id, &request))?;
    Ok(())
}
