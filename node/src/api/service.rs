//! What the HTTP server asks of the engine: one method for each endpoint.
//!
//! # Contract
//! A method that changes something answers after the change is durable, never before. Identifiers
//! arrive as the caller typed them; the implementation parses them and says what is wrong. Errors
//! carry what to do next and never a secret or the content of a record.
//!
//! # Deliberately absent
//! HTTP, tokens, sizes of requests: the server sees to them before it calls.

use super::{
    ApiError, ApiEvent, BackupStream, BatchRequest, BatchResult, BundleFile, BundleView,
    CatchingUpView, Check, ContactsQuery, ConventionRequest, ConventionView, ConventionsQuery,
    EditRequest, ErasureView, ExamineReport, ExamineRequest, ExportBundleRequest, ExposureView,
    HistoryView, IdentityRequest, IdentityView, IntroduceRequest, IntroductionView, InvitationView,
    InviteRequest, JoinByBundleRequest, JoinRequest, MemberRequest, NetworkRequest, NewInvitation,
    NewRecordRequest, NodeView, OfferRequest, PartnerView, QuarantineView, RawEntries, RawQuery,
    RecipientRequest, RecordView, RecordsQuery, ResolveRequest, RevocationView, SearchHit,
    SearchQuery, SpaceView, Status, SuccessionView, TakeRequest, VerifyReport, VerifyRequest,
    VerifyStoreRequest, WithdrawBundleRequest,
};
use std::future::Future;
use tokio::sync::broadcast;

/// The answer of one call.
pub type Answer<T> = Result<T, ApiError>;

/// A node as its local API sees it.
pub trait Service: Send + Sync + 'static {
    /// The state of the node.
    fn status(&self) -> impl Future<Output = Answer<Status>> + Send;

    /// What is well and what is not, each with what to do.
    fn doctor(&self) -> impl Future<Output = Answer<Vec<Check>>> + Send;

    /// Checks everything stored: chains, signatures, keys, rows.
    fn verify(
        &self,
        request: VerifyStoreRequest,
    ) -> impl Future<Output = Answer<VerifyReport>> + Send;

    /// Goes offline or online.
    fn network(&self, request: NetworkRequest) -> impl Future<Output = Answer<()>> + Send;

    /// Tries to reach every partner now.
    fn sync(&self) -> impl Future<Output = Answer<()>> + Send;

    /// Stops the node once the answer is on its way.
    fn shutdown(&self) -> impl Future<Output = Answer<()>> + Send;

    /// Makes a backup of what is stored now, while the node goes on.
    fn backup(&self) -> impl Future<Output = Answer<BackupStream>> + Send;

    /// Tells the node to which key its backups are sealed.
    fn put_backup_recipient(
        &self,
        request: RecipientRequest,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// Waits no longer for partners that a restored node has not heard yet; says for whom it did.
    fn finish_catching_up(&self) -> impl Future<Output = Answer<CatchingUpView>> + Send;

    /// Makes an invitation.
    fn invite(&self, request: InviteRequest) -> impl Future<Output = Answer<NewInvitation>> + Send;

    /// Invitations made here.
    fn invitations(&self) -> impl Future<Output = Answer<Vec<InvitationView>>> + Send;

    /// Makes an invitation unusable.
    fn revoke_invitation(&self, id: String) -> impl Future<Output = Answer<InvitationView>> + Send;

    /// Presents two partners to each other.
    fn introduce(&self, request: IntroduceRequest) -> impl Future<Output = Answer<()>> + Send;

    /// Who was presented here.
    fn introductions(&self) -> impl Future<Output = Answer<Vec<IntroductionView>>> + Send;

    /// Makes an organisation that was presented a partner.
    fn accept_introduction(
        &self,
        organisation: String,
    ) -> impl Future<Output = Answer<PartnerView>> + Send;

    /// Refuses an organisation that was presented.
    fn refuse_introduction(&self, organisation: String) -> impl Future<Output = Answer<()>> + Send;

    /// Uses an invitation; answers when both sides have joined.
    fn join(&self, request: JoinRequest) -> impl Future<Output = Answer<PartnerView>> + Send;

    /// Makes the next bundle for a partner.
    fn export_bundle(
        &self,
        request: ExportBundleRequest,
    ) -> impl Future<Output = Answer<BundleFile>> + Send;

    /// Takes back that the last bundle for a partner was made: it was never handed out.
    fn withdraw_bundle(
        &self,
        request: WithdrawBundleRequest,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// Imports a file of one or more parts of bundles: all that is in it, or nothing.
    fn import_bundle(&self, bytes: Vec<u8>)
    -> impl Future<Output = Answer<Vec<BundleView>>> + Send;

    /// Answers an invitation by a file.
    fn join_by_bundle(
        &self,
        request: JoinByBundleRequest,
    ) -> impl Future<Output = Answer<BundleFile>> + Send;

    /// Every partner.
    fn partners(&self) -> impl Future<Output = Answer<Vec<PartnerView>>> + Send;

    /// One partner.
    fn partner(&self, organisation: String) -> impl Future<Output = Answer<PartnerView>> + Send;

    /// Confirms that a person compared the phrase.
    fn verify_partner(
        &self,
        organisation: String,
        request: VerifyRequest,
    ) -> impl Future<Output = Answer<PartnerView>> + Send;

    /// Gives nothing to a partner and takes nothing from it.
    fn block_partner(
        &self,
        organisation: String,
    ) -> impl Future<Output = Answer<PartnerView>> + Send;

    /// Ends a block.
    fn unblock_partner(
        &self,
        organisation: String,
    ) -> impl Future<Output = Answer<PartnerView>> + Send;

    /// Every node of this organisation.
    fn nodes(&self) -> impl Future<Output = Answer<Vec<NodeView>>> + Send;

    /// What a node of this organisation could have read.
    fn node_report(&self, node: String) -> impl Future<Output = Answer<ExposureView>> + Send;

    /// The identity log of this organisation.
    fn identity(&self) -> impl Future<Output = Answer<IdentityView>> + Send;

    /// Adds signed entries to it.
    fn extend_identity(
        &self,
        request: IdentityRequest,
    ) -> impl Future<Output = Answer<Vec<NodeView>>> + Send;

    /// Every space this node stores.
    fn spaces(&self) -> impl Future<Output = Answer<Vec<SpaceView>>> + Send;

    /// Founds a space of this organisation, without members yet.
    fn create_space(&self) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// One space.
    fn space(&self, space: String) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// Makes an organisation a member of a space of ours.
    fn add_member(
        &self,
        space: String,
        request: MemberRequest,
    ) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// Removes a member, with a cut and a new key that it does not get.
    fn remove_member(
        &self,
        space: String,
        organisation: String,
    ) -> impl Future<Output = Answer<RevocationView>> + Send;

    /// Gives a space of ours a new key.
    fn rotate(&self, space: String) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// Organisations that take the place of others.
    fn successions(&self) -> impl Future<Output = Answer<Vec<SuccessionView>>> + Send;

    /// Erases a record for every member of its space.
    fn erase_record(
        &self,
        space: String,
        record: String,
    ) -> impl Future<Output = Answer<ErasureView>> + Send;

    /// Erased records, with who confirmed and who has not yet.
    fn erasures(&self) -> impl Future<Output = Answer<Vec<ErasureView>>> + Send;

    /// Offers a space of ours to another organisation.
    fn offer_space(
        &self,
        space: String,
        request: OfferRequest,
    ) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// Puts successors where their predecessors stood, in the conventions of a space of ours.
    fn follow_successions(
        &self,
        space: String,
        request: TakeRequest,
    ) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// Takes over a space that was offered to this organisation.
    fn take_space(
        &self,
        space: String,
        request: TakeRequest,
    ) -> impl Future<Output = Answer<SpaceView>> + Send;

    /// Entries of a space as they travel.
    fn raw(
        &self,
        space: String,
        query: RawQuery,
    ) -> impl Future<Output = Answer<RawEntries>> + Send;

    /// What this node can do with raw entries that somebody handed to it.
    fn examine(
        &self,
        space: String,
        request: ExamineRequest,
    ) -> impl Future<Output = Answer<ExamineReport>> + Send;

    /// Entries that are kept and do not count.
    fn quarantine(&self) -> impl Future<Output = Answer<Vec<QuarantineView>>> + Send;

    /// Notes that a person decided of an entry that does not count.
    fn dismiss_late(&self, entry: String) -> impl Future<Output = Answer<QuarantineView>> + Send;

    /// Conventions.
    fn conventions(
        &self,
        query: ConventionsQuery,
    ) -> impl Future<Output = Answer<Vec<RecordView>>> + Send;

    /// A convention by space, record, unique beginning of either, or exact title.
    fn convention(&self, id: String) -> impl Future<Output = Answer<ConventionView>> + Send;

    /// Creates a convention in a space of its own and shares it with its parties.
    fn create_convention(
        &self,
        request: ConventionRequest,
    ) -> impl Future<Output = Answer<ConventionView>> + Send;

    /// Changes fields of a convention.
    fn edit_convention(
        &self,
        id: String,
        request: EditRequest,
    ) -> impl Future<Output = Answer<ConventionView>> + Send;

    /// Contacts, ours and those of partners.
    fn contacts(
        &self,
        query: ContactsQuery,
    ) -> impl Future<Output = Answer<Vec<RecordView>>> + Send;

    /// One contact, by record or unique beginning of it.
    fn contact(&self, id: String) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Creates a contact in this organisation's directory.
    fn create_contact(
        &self,
        request: EditRequest,
    ) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Changes fields of a contact.
    fn edit_contact(
        &self,
        id: String,
        request: EditRequest,
    ) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Records of any kind.
    fn records(&self, query: RecordsQuery) -> impl Future<Output = Answer<Vec<RecordView>>> + Send;

    /// One record.
    fn record(
        &self,
        space: String,
        record: String,
    ) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Creates a record.
    fn create_record(
        &self,
        space: String,
        request: NewRecordRequest,
    ) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Changes fields of a record.
    fn edit_record(
        &self,
        space: String,
        record: String,
        request: EditRequest,
    ) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Every change of a record, oldest first.
    fn history(
        &self,
        space: String,
        record: String,
    ) -> impl Future<Output = Answer<Vec<HistoryView>>> + Send;

    /// Ends a conflict.
    fn resolve(
        &self,
        space: String,
        record: String,
        request: ResolveRequest,
    ) -> impl Future<Output = Answer<RecordView>> + Send;

    /// Records in conflict.
    fn conflicts(&self) -> impl Future<Output = Answer<Vec<RecordView>>> + Send;

    /// Writes many records: all, or with `partial` the good ones.
    fn batch(&self, request: BatchRequest) -> impl Future<Output = Answer<BatchResult>> + Send;

    /// Finds records by words.
    fn search(&self, query: SearchQuery) -> impl Future<Output = Answer<Vec<SearchHit>>> + Send;

    /// What happens from now on. A listener that is too slow loses the oldest events and is told.
    fn events(&self) -> broadcast::Receiver<ApiEvent>;
}
