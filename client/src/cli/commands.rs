//! One file per command.

mod backup;
mod bundle;
mod completions;
mod config;
mod conflict;
mod contact;
mod convention;
mod cover;
mod demo;
mod erasure;
mod events;
mod history;
mod import;
mod init;
mod introduction;
mod invite;
mod join;
mod machine;
mod network;
mod partner;
mod record;
mod repair;
mod run;
mod search;
mod seats;
mod space;
mod standing;
mod status;
mod succession;
mod verify;

use super::arguments::{Authoring, Command};
use super::context::Context;
use super::failure::{Exit, Failure};

/// What a command answers: how it ends, or why it failed.
pub(super) type Outcome = Result<Exit, Failure>;

pub(super) fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Run(arguments) => run::run(context, arguments),
        Command::Demo(arguments) => demo::run(context, &arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Doctor => status::doctor(context),
        Command::Invite(arguments) => invite::run(context, arguments),
        Command::Join(arguments) => join::run(context, arguments),
        Command::Partner(action) => partner::run(context, action),
        Command::Backup(action) => backup::run(context, action),
        Command::Introduction(action) => introduction::run(context, action),
        Command::Bundle(action) => bundle::run(context, action),
        Command::Node(action) => machine::run(context, action),
        Command::Space(action) => space::run(context, &action),
        Command::Convention(action) => convention::run(context, action),
        Command::Succession(action) => succession::run(context, action),
        Command::Contact(action) => contact::run(context, action),
        Command::Cover(action) => cover::run(context, action),
        Command::Seats(action) => seats::run(context, action),
        Command::Record(action) => record::run(context, action),
        Command::History(arguments) => history::run(context, &arguments),
        Command::Erase(target) => erasure::erase(context, &target),
        Command::Erasures => erasure::list(context),
        Command::Conflict(action) => conflict::run(context, action),
        Command::Import(arguments) => import::run(context, &arguments),
        Command::Search(arguments) => search::run(context, arguments),
        Command::Repair(arguments) => repair::run(context, &arguments),
        Command::Verify(arguments) => verify::run(context, &arguments),
        Command::Events(arguments) => events::run(context, &arguments),
        Command::Sync => network::sync(context),
        Command::Offline => network::switch(context, false),
        Command::Online => network::switch(context, true),
        Command::Config(action) => config::run(context, &action),
        Command::Completions(arguments) => Ok(completions::run(context, &arguments)),
    }
}

/// Who acts: as given, or the name under which the person is signed in to the system.
fn operator(authoring: &Authoring) -> Option<String> {
    let signed_in = || {
        let names = ["USER", "LOGNAME", "USERNAME"].into_iter();
        names.filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty())
    };
    authoring.operator.clone().or_else(signed_in)
}
