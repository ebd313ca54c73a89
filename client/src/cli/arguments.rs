//! What can be typed. Nothing here touches the disk or the network; what each argument is for
//! stands in the catalogue (see [`super::help`]).

mod backups;
mod machines;
mod unlocking;

use crate::language::Language;
use clap::{Args, Parser, Subcommand};
use sincronia_protocol::limits::{INVITATION_VALID_MS_MAX, PART_BYTES_MAX, PART_BYTES_MIN};
use std::path::PathBuf;

pub(super) use backups::{Backup, Repair, Restore};
pub(super) use machines::{Handing, Machine, Recovery, Succession};
pub(super) use unlocking::Unlocking;

/// An invitation that ends before it is handed over opens nothing, and one without end stays in
/// drawers: nodes refuse more than this.
const VALID_HOURS_MAX: u64 = INVITATION_VALID_MS_MAX / 3_600_000;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "sincronia", version, max_term_width = 100)]
pub struct Arguments {
    /// Before or after the command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Arguments of every command.
#[derive(Clone, Debug, Default, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
pub struct Global {
    /// The directory of the node.
    #[arg(long, global = true, env = "SINCRONIA_DIRECTORY", value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// A node of the running demonstration.
    #[arg(long, global = true, value_name = "KEY")]
    pub node: Option<String>,
    /// For programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// In which language.
    #[arg(long, global = true, value_enum)]
    pub language: Option<Language>,
    /// Never ask.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Do not ask whether to go on.
    #[arg(long, short, global = true)]
    pub yes: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Init(Init),
    Run(Run),
    Demo(Demo),
    Status(Checking),
    Doctor,
    #[command(args_conflicts_with_subcommands = true)]
    Invite(Invite),
    Join(Join),
    #[command(subcommand)]
    Partner(Partner),
    #[command(subcommand)]
    Introduction(Introduction),
    #[command(subcommand)]
    Bundle(Bundle),
    #[command(subcommand)]
    Node(Machine),
    #[command(subcommand)]
    Backup(Backup),
    #[command(subcommand)]
    Convention(Convention),
    #[command(subcommand)]
    Space(Space),
    #[command(subcommand)]
    Succession(Succession),
    #[command(subcommand)]
    Contact(Contact),
    #[command(subcommand)]
    Cover(Cover),
    #[command(subcommand)]
    Seats(Seats),
    #[command(subcommand)]
    Record(Record),
    History(Target),
    Erase(Target),
    Erasures,
    #[command(subcommand)]
    Conflict(Conflict),
    Import(Import),
    Search(Search),
    Verify(Verify),
    Repair(Repair),
    Events(Events),
    Sync,
    Offline,
    Online,
    #[command(subcommand)]
    Config(Config),
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(super) struct Init {
    #[arg(required_unless_present = "additional")]
    pub name: Option<String>,
    #[arg(long, value_name = "ORGANISATION", conflicts_with_all = ["name", "recovery_file"])]
    pub additional: Option<String>,
    #[arg(long, value_name = "FILE", requires = "additional")]
    pub output: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub words: Option<Language>,
    #[arg(long, value_name = "FILE")]
    pub recovery_file: Option<PathBuf>,
    #[command(flatten)]
    pub unlocking: Unlocking,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub api: Option<String>,
    #[arg(long)]
    pub offline: bool,
    /// For programs that start a node: it ends with its standard input.
    #[arg(long, hide = true)]
    pub with_parent: bool,
    #[command(flatten)]
    pub unlocking: Unlocking,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[arg(long)]
    pub once: bool,
    #[arg(long, value_name = "N")]
    pub organisations: Option<usize>,
    #[arg(long)]
    pub seed: bool,
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub patience: u64,
}

#[derive(Debug, Args)]
pub(super) struct Checking {
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub(super) struct Invite {
    #[command(subcommand)]
    pub action: Option<InviteAction>,
    #[command(flatten)]
    pub new: NewInvite,
}

#[derive(Debug, Args)]
pub(super) struct NewInvite {
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    #[arg(long, value_name = "HOURS",
          value_parser = clap::value_parser!(u64).range(1..=VALID_HOURS_MAX))]
    pub valid_hours: Option<u64>,
    #[arg(long = "convention", value_name = "CONVENTION")]
    pub conventions: Vec<String>,
    #[arg(long, default_value = "contributor", value_parser = ["reader", "contributor", "carrier"])]
    pub role: String,
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum InviteAction {
    List,
    Revoke { invitation: String },
}

#[derive(Debug, Args)]
pub(super) struct Join {
    #[arg(required_unless_present = "invitation_file")]
    pub invitation: Option<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "invitation")]
    pub invitation_file: Option<PathBuf>,
    #[arg(long = "address", value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "addresses")]
    pub bundle: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Bundle {
    Export(ExportBundle),
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[arg(long)]
        check: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct ExportBundle {
    #[arg(long = "for", value_name = "ORGANISATION")]
    pub organisation: String,
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,
    #[arg(long, value_name = "BYTES",
          value_parser = clap::value_parser!(u64)
              .range(PART_BYTES_MIN as u64..=PART_BYTES_MAX as u64))]
    pub size: Option<u64>,
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Partner {
    List,
    Show {
        organisation: String,
    },
    Verify {
        organisation: String,
        #[arg(long, value_name = "WORDS")]
        phrase: Option<String>,
    },
    Block {
        organisation: String,
    },
    Unblock {
        organisation: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Introduction {
    Make { one: String, other: String },
    List,
    Accept { organisation: String },
    Refuse { organisation: String },
}

/// Who acts, and why.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Authoring {
    #[arg(long, env = "SINCRONIA_OPERATOR", value_name = "NAME")]
    pub operator: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// Fields by name or from a file.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Entering {
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub authoring: Authoring,
}

/// The fields of a convention that have a flag of their own.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ConventionFields {
    #[arg(long)]
    pub title: Option<String>,
    #[arg(long)]
    pub subject: Option<String>,
    #[arg(long)]
    pub kind: Option<String>,
    #[arg(long = "party", value_name = "ORGANISATION:ROLE")]
    pub parties: Vec<String>,
    #[arg(long = "placement", value_name = "KIND")]
    pub placements: Vec<String>,
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    #[arg(long, value_name = "N")]
    pub seats_total: Option<String>,
    #[arg(long, value_name = "N")]
    pub seats_reserved: Option<String>,
    #[arg(long, value_name = "MODE")]
    pub renewal: Option<String>,
    #[arg(long, value_name = "DAYS")]
    pub withdrawal_notice: Option<String>,
    #[arg(long, value_name = "MONTHS")]
    pub verification_every: Option<String>,
    #[command(flatten)]
    pub entering: Entering,
}

#[derive(Debug, Subcommand)]
pub(super) enum Convention {
    #[command(alias = "add")]
    New(Box<NewConvention>),
    List {
        #[arg(long, value_name = "ORGANISATION")]
        organisation: Option<String>,
        #[arg(long, value_name = "KIND")]
        placement: Option<String>,
    },
    Show {
        convention: String,
        #[arg(long)]
        check: bool,
    },
    Edit {
        convention: String,
        #[command(flatten)]
        fields: Box<ConventionFields>,
        #[arg(long, value_name = "VERSION")]
        seen: Option<String>,
    },
    Share {
        convention: String,
        organisation: String,
        #[arg(long, value_parser = ["reader", "contributor", "carrier"])]
        role: Option<String>,
        #[arg(long, default_value = "start", value_parser = ["start", "now"])]
        history: String,
    },
    Revoke {
        convention: String,
        organisation: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewConvention {
    #[command(flatten)]
    pub fields: ConventionFields,
    #[arg(long = "objective", value_name = "NAME=VALUE;…")]
    pub objectives: Vec<String>,
    #[arg(long = "cover", value_name = "NAME=VALUE;…")]
    pub covers: Vec<String>,
    #[arg(long = "responsibility", value_name = "NAME=VALUE;…")]
    pub responsibilities: Vec<String>,
    #[arg(long = "seats", value_name = "NAME=VALUE;…")]
    pub seats: Vec<String>,
    #[arg(long)]
    pub private: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Space {
    List {
        #[arg(long)]
        carried: bool,
    },
}

/// The fields of a contact that have a flag of their own.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ContactFields {
    #[arg(long)]
    pub kind: Option<String>,
    #[arg(long)]
    pub name: Option<String>,
    #[arg(long = "function", value_name = "FUNCTION")]
    pub functions: Vec<String>,
    #[arg(long)]
    pub email: Option<String>,
    #[arg(long)]
    pub pec: Option<String>,
    #[arg(long)]
    pub phone: Option<String>,
    #[arg(long, value_name = "DATE")]
    pub verified_on: Option<String>,
    #[command(flatten)]
    pub entering: Entering,
}

#[derive(Debug, Subcommand)]
pub(super) enum Contact {
    #[command(alias = "new")]
    Add(ContactFields),
    List {
        #[arg(long)]
        function: Option<String>,
        #[arg(long, value_name = "ORGANISATION")]
        organisation: Option<String>,
    },
    Show {
        contact: String,
    },
    Edit {
        contact: String,
        #[command(flatten)]
        fields: ContactFields,
        #[arg(long, value_name = "VERSION")]
        seen: Option<String>,
    },
}

/// The fields of a cover that have a flag of their own.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct CoverFields {
    #[arg(long)]
    pub kind: Option<String>,
    #[arg(long, value_name = "ORGANISATION")]
    pub insured: Option<String>,
    #[arg(long)]
    pub insurer: Option<String>,
    #[arg(long)]
    pub policy: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    #[command(flatten)]
    pub entering: Entering,
}

#[derive(Debug, Subcommand)]
pub(super) enum Cover {
    Add {
        convention: String,
        #[command(flatten)]
        fields: CoverFields,
    },
    List {
        convention: Option<String>,
    },
    Edit {
        cover: String,
        #[command(flatten)]
        fields: CoverFields,
        #[arg(long, value_name = "VERSION")]
        seen: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Seats {
    Set {
        convention: String,
        #[arg(long, value_name = "YYYY-MM")]
        month: String,
        #[arg(long)]
        kind: String,
        #[arg(long, value_name = "N")]
        free: String,
        #[arg(long, value_name = "N")]
        used: Option<String>,
        #[command(flatten)]
        authoring: Authoring,
    },
    List {
        convention: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Record {
    New {
        kind: String,
        #[arg(long, value_name = "SPACE")]
        space: Option<String>,
        #[command(flatten)]
        entering: Entering,
    },
    List {
        kind: Option<String>,
        #[arg(long, value_name = "SPACE")]
        space: Option<String>,
    },
    Show(Target),
    /// Entries that do not count.
    Late(Late),
    Fields {
        kind: Option<String>,
    },
    Edit {
        record: String,
        #[command(flatten)]
        entering: Entering,
        #[arg(long, value_name = "VERSION")]
        seen: Option<String>,
    },
}

/// Of what does not count, what is taken up, and of what nobody is to be warned any more.
#[derive(Debug, Args)]
pub(super) struct Late {
    #[arg(long, value_name = "ENTRY", conflicts_with = "dismiss")]
    pub take: Option<String>,
    #[arg(long, value_name = "ENTRY")]
    pub dismiss: Option<String>,
    #[command(flatten)]
    pub authoring: Authoring,
}

#[derive(Debug, Args)]
pub(super) struct Target {
    pub record: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Conflict {
    List(Checking),
    Show(Target),
    Resolve {
        record: String,
        field: String,
        #[arg(long, value_name = "N")]
        take: Option<usize>,
        #[arg(long, value_name = "VALUE", conflicts_with_all = ["take", "empty"])]
        value: Option<String>,
        #[arg(long, conflicts_with = "take")]
        empty: bool,
        #[command(flatten)]
        authoring: Authoring,
    },
}

#[derive(Debug, Args)]
pub(super) struct Import {
    pub file: PathBuf,
    #[arg(long)]
    pub kind: String,
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub partial: bool,
    #[arg(long = "mapping", value_name = "COLUMN=FIELD")]
    pub mappings: Vec<String>,
    #[command(flatten)]
    pub authoring: Authoring,
}

#[derive(Debug, Args)]
pub(super) struct Search {
    #[arg(required = true)]
    pub words: Vec<String>,
    #[arg(long)]
    pub kind: Option<String>,
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[arg(long)]
    pub deep: bool,
    #[command(flatten)]
    pub unlocking: Unlocking,
}

#[derive(Debug, Args)]
pub(super) struct Events {
    #[arg(long)]
    pub follow: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    Show {
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
