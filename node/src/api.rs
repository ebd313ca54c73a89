//! What programs say to a node and hear from it: the types of the local HTTP API.
//!
//! Identifiers are bech32m text, times are milliseconds since 1970, field values are JSON. The
//! types are shared by server and client, and described for others at `/api/v1/openapi.json`.

mod backup;
mod bundle;
pub mod distinct;
mod erasure;
mod error;
mod event;
pub mod hexadecimal;
mod introduction;
mod invitation;
mod machine;
mod partner;
mod query;
mod record;
mod service;
mod space;
mod status;
mod succession;

pub use backup::{BackupStream, CatchingUpView, RecipientRequest};
pub use bundle::{
    BroughtView, BundleFile, BundleView, ExportBundleRequest, JoinByBundleRequest, PartnerBundles,
    ReadBundle, WithdrawBundleRequest,
};
pub use erasure::{ErasureSeat, ErasureView, OutOfReach};
pub use error::{ApiError, ErrorCode, FieldProblem};
pub use event::ApiEvent;
pub use introduction::{IntroduceRequest, IntroductionView};
pub use invitation::{GrantRequest, InvitationView, InviteRequest, JoinRequest, NewInvitation};
pub use machine::{ExposedSpaceView, ExposureView, IdentityRequest, IdentityView, NodeView};
pub use partner::{CarrierView, PartnerState, PartnerView, SyncView, VerifyRequest};
pub use query::{ContactsQuery, ConventionsQuery, RawQuery, RecordsQuery, SearchQuery};
pub use record::{
    BatchRequest, BatchResult, BatchRow, ConflictView, ConventionRequest, ConventionView,
    EditRequest, HistoryView, NewRecordRequest, OriginView, QuarantineView, RecordView,
    ResolveRequest, SearchHit, ValueView,
};
pub use service::{Answer, Service};
pub use space::{
    ExamineReport, ExamineRequest, MemberRequest, MemberView, OfferRequest, RawEntries,
    RevocationView, SetAsideView, SpaceView,
};
pub use status::{
    AwaitedBundleView, AwaitedKeysView, Check, Counts, DecisionsView, Health, MissingView,
    NetworkRequest, Status, VerifyReport, VerifyStoreRequest,
};
pub use succession::{PassedView, SuccessionView, TakeRequest};
