//! Whether what was queued for a partner may still be sent.
//!
//! A task waits until the window has room. A partner that acknowledges nothing and is removed
//! meanwhile would otherwise be sent what was written after its removal.

use super::answer::store;
use crate::ids::{OrganisationId, SpaceId};
use crate::replica::{ItemRef, Replica};
use crate::storage::Storage;
use crate::sync::effect::CloseReason;
use crate::sync::exchange::Task;

/// The task as far as the partner may have it now: whole for a member, what its farewell names for
/// a former one; nothing otherwise.
pub(super) fn still_shown(
    task: Task,
    partner: &OrganisationId,
    replica: &mut Replica,
    disk: &dyn Storage,
) -> Result<Option<Task>, CloseReason> {
    let Some(space) = space_of(&task) else { return Ok(Some(task)) };
    if replica.may_show(partner, &ItemRef::Space(space)) {
        return Ok(Some(task));
    }
    let Some(heads) = replica.heads_for(disk, partner, &space).map_err(store)? else {
        return Ok(None);
    };
    Ok(match task {
        Task::Access { space, from, to } if from < heads.access.length => {
            Some(Task::Access { space, from, to: to.min(heads.access.length) })
        }
        Task::Branch { end, .. } if heads.ends.contains(&end) => Some(task),
        Task::Author { author, .. } if heads.authors.iter().any(|(one, _)| *one == author) => {
            Some(task)
        }
        _ => None,
    })
}

/// The space whose entries a task sends. Keys and keyrings are judged where they are read.
const fn space_of(task: &Task) -> Option<SpaceId> {
    match task {
        Task::Access { space, .. }
        | Task::Branch { space, .. }
        | Task::Receipts { space, .. }
        | Task::Author { space, .. }
        | Task::Bodies { space, .. }
        | Task::Proof { space, .. } => Some(*space),
        _ => None,
    }
}
