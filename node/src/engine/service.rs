//! The engine as the local API sees it: every call is a job for the engine's thread.

use super::Handle;
use super::members::parse;
use super::records::Act;
use crate::api::{
    ApiError, ApiEvent, BackupStream, BatchRequest, BatchResult, BundleFile, BundleView,
    CatchingUpView, Check, ContactsQuery, ConventionRequest, ConventionView, ConventionsQuery,
    EditRequest, ErasureView, ErrorCode, ExamineReport, ExamineRequest, ExportBundleRequest,
    ExposureView, HistoryView, IdentityRequest, IdentityView, IntroduceRequest, IntroductionView,
    InvitationView, InviteRequest, JoinByBundleRequest, JoinRequest, MemberRequest, NetworkRequest,
    NewInvitation, NewRecordRequest, NodeView, OfferRequest, PartnerView, QuarantineView,
    RawEntries, RawQuery, RecipientRequest, RecordView, RecordsQuery, ResolveRequest,
    RevocationView, SearchHit, SearchQuery, Service, SpaceView, Status, SuccessionView,
    TakeRequest, VerifyReport, VerifyRequest, VerifyStoreRequest, WithdrawBundleRequest,
};
use crate::network::NetworkError;
use sincronia_protocol::record::Kind;
use sincronia_protocol::replica::WriteTarget;
use tokio::sync::broadcast;

type Answer<T> = Result<T, ApiError>;

impl Service for Handle {
    async fn status(&self) -> Answer<Status> {
        self.run(super::core::Core::status).await
    }

    async fn doctor(&self) -> Answer<Vec<Check>> {
        self.run(super::core::Core::doctor).await
    }

    async fn verify(&self, request: VerifyStoreRequest) -> Answer<VerifyReport> {
        self.run(move |core| core.verify(request.deep)).await
    }

    async fn network(&self, request: NetworkRequest) -> Answer<()> {
        let online = request.online;
        self.run(move |core| core.may_switch(online)).await?;
        let listens = if online {
            self.network().resume().await
        } else {
            self.network().pause().await;
            Ok(())
        };
        self.run(move |core| {
            core.set_online(online);
            Ok(())
        })
        .await?;
        listens.map_err(|error| unreachable_for_partners(&error))
    }

    async fn sync(&self) -> Answer<()> {
        self.run(super::core::Core::synchronise).await
    }

    async fn shutdown(&self) -> Answer<()> {
        self.stop();
        Ok(())
    }

    async fn backup(&self) -> Answer<BackupStream> {
        let source = self.run(super::core::Core::backup_source).await?;
        Ok(source.stream())
    }

    async fn put_backup_recipient(&self, request: RecipientRequest) -> Answer<()> {
        self.run(move |core| core.put_backup_recipient(&request)).await
    }

    async fn finish_catching_up(&self) -> Answer<CatchingUpView> {
        self.run(super::core::Core::finish_catching_up).await
    }

    async fn invite(&self, request: InviteRequest) -> Answer<NewInvitation> {
        self.run(|core| core.invite(request)).await
    }

    async fn invitations(&self) -> Answer<Vec<InvitationView>> {
        self.run(super::core::Core::invitations).await
    }

    async fn revoke_invitation(&self, id: String) -> Answer<InvitationView> {
        self.run(move |core| core.revoke_invitation(&id)).await
    }

    async fn introduce(&self, request: IntroduceRequest) -> Answer<()> {
        self.run(move |core| core.introduce(&request)).await
    }

    async fn introductions(&self) -> Answer<Vec<IntroductionView>> {
        self.run(|core| Ok(core.introductions())).await
    }

    async fn accept_introduction(&self, organisation: String) -> Answer<PartnerView> {
        self.run(move |core| core.accept_introduction(&parse(&organisation)?)).await
    }

    async fn refuse_introduction(&self, organisation: String) -> Answer<()> {
        self.run(move |core| core.refuse_introduction(&parse(&organisation)?)).await
    }

    async fn join(&self, request: JoinRequest) -> Answer<PartnerView> {
        Self::join(self, request).await
    }

    async fn export_bundle(&self, request: ExportBundleRequest) -> Answer<BundleFile> {
        self.run(move |core| core.export_bundle(&request)).await
    }

    async fn withdraw_bundle(&self, request: WithdrawBundleRequest) -> Answer<()> {
        self.run(move |core| core.withdraw_bundle(&request)).await
    }

    async fn import_bundle(&self, bytes: Vec<u8>) -> Answer<Vec<BundleView>> {
        self.run(move |core| core.import_bundle(&bytes)).await
    }

    async fn join_by_bundle(&self, request: JoinByBundleRequest) -> Answer<BundleFile> {
        self.run(move |core| core.join_by_bundle(&request)).await
    }

    async fn partners(&self) -> Answer<Vec<PartnerView>> {
        self.run(super::core::Core::partners).await
    }

    async fn partner(&self, organisation: String) -> Answer<PartnerView> {
        self.run(move |core| core.partner_view(&parse(&organisation)?)).await
    }

    async fn verify_partner(
        &self,
        organisation: String,
        request: VerifyRequest,
    ) -> Answer<PartnerView> {
        self.run(move |core| core.verify_partner(&parse(&organisation)?, &request)).await
    }

    async fn block_partner(&self, organisation: String) -> Answer<PartnerView> {
        self.run(move |core| core.block_partner(&parse(&organisation)?, true)).await
    }

    async fn unblock_partner(&self, organisation: String) -> Answer<PartnerView> {
        self.run(move |core| core.block_partner(&parse(&organisation)?, false)).await
    }

    async fn nodes(&self) -> Answer<Vec<NodeView>> {
        self.run(super::core::Core::nodes).await
    }

    async fn node_report(&self, node: String) -> Answer<ExposureView> {
        self.run(move |core| core.node_report(&parse(&node)?)).await
    }

    async fn identity(&self) -> Answer<IdentityView> {
        self.run(super::core::Core::identity).await
    }

    async fn extend_identity(&self, request: IdentityRequest) -> Answer<Vec<NodeView>> {
        self.run(move |core| core.extend_identity(&request)).await
    }

    async fn spaces(&self) -> Answer<Vec<SpaceView>> {
        self.run(super::core::Core::spaces).await
    }

    async fn create_space(&self) -> Answer<SpaceView> {
        self.run(super::core::Core::create_space).await
    }

    async fn space(&self, space: String) -> Answer<SpaceView> {
        self.run(move |core| core.space_view(&parse(&space)?)).await
    }

    async fn add_member(&self, space: String, request: MemberRequest) -> Answer<SpaceView> {
        self.run(move |core| core.add_member(&parse(&space)?, &request)).await
    }

    async fn remove_member(&self, space: String, organisation: String) -> Answer<RevocationView> {
        self.run(move |core| core.remove_member(&parse(&space)?, &parse(&organisation)?)).await
    }

    async fn rotate(&self, space: String) -> Answer<SpaceView> {
        self.run(move |core| core.rotate(&parse(&space)?)).await
    }

    async fn successions(&self) -> Answer<Vec<SuccessionView>> {
        self.run(|core| core.successions()).await
    }

    async fn erase_record(&self, space: String, record: String) -> Answer<ErasureView> {
        self.run(move |core| core.erase_record(&parse(&space)?, &parse(&record)?)).await
    }

    async fn erasures(&self) -> Answer<Vec<ErasureView>> {
        self.run(super::core::Core::erasures).await
    }

    async fn offer_space(&self, space: String, request: OfferRequest) -> Answer<SpaceView> {
        self.run(move |core| core.offer_space(&parse(&space)?, &request)).await
    }

    async fn follow_successions(&self, space: String, request: TakeRequest) -> Answer<SpaceView> {
        self.run(move |core| core.follow_successions(&parse(&space)?, &request)).await
    }

    async fn take_space(&self, space: String, request: TakeRequest) -> Answer<SpaceView> {
        self.run(move |core| core.take_space(&parse(&space)?, &request)).await
    }

    async fn raw(&self, space: String, query: RawQuery) -> Answer<RawEntries> {
        self.run(move |core| core.raw_entries(&parse(&space)?, &query)).await
    }

    async fn examine(&self, space: String, request: ExamineRequest) -> Answer<ExamineReport> {
        self.run(move |core| core.examine(&parse(&space)?, &request)).await
    }

    async fn dismiss_late(&self, entry: String) -> Answer<QuarantineView> {
        self.run(move |core| core.dismiss_late(&entry)).await
    }

    async fn quarantine(&self) -> Answer<Vec<QuarantineView>> {
        self.run(super::core::Core::quarantine).await
    }

    async fn conventions(&self, query: ConventionsQuery) -> Answer<Vec<RecordView>> {
        self.run(move |core| core.conventions(&query)).await
    }

    async fn convention(&self, id: String) -> Answer<ConventionView> {
        self.run(move |core| core.convention(&id)).await
    }

    async fn create_convention(&self, request: ConventionRequest) -> Answer<ConventionView> {
        self.run(|core| core.create_convention(request)).await
    }

    async fn edit_convention(&self, id: String, request: EditRequest) -> Answer<ConventionView> {
        self.run(move |core| core.edit_convention(&id, request)).await
    }

    async fn contacts(&self, query: ContactsQuery) -> Answer<Vec<RecordView>> {
        self.run(move |core| core.contacts(&query)).await
    }

    async fn contact(&self, id: String) -> Answer<RecordView> {
        self.run(move |core| {
            let (space, record) = core.find(Kind::Contact, &id)?;
            core.record(&space, &record)
        })
        .await
    }

    async fn create_contact(&self, request: EditRequest) -> Answer<RecordView> {
        self.run(|core| {
            let directory = core.directory()?.ok_or_else(|| ApiError::not_found("directory"))?;
            let act = Act { operator: request.operator, comment: request.comment };
            core.write(directory, WriteTarget::New(Kind::Contact), request.fields, act)
        })
        .await
    }

    async fn edit_contact(&self, id: String, request: EditRequest) -> Answer<RecordView> {
        self.run(move |core| {
            let (space, record) = core.find(Kind::Contact, &id)?;
            core.edit_record(&space, &record, request)
        })
        .await
    }

    async fn records(&self, query: RecordsQuery) -> Answer<Vec<RecordView>> {
        self.run(move |core| core.records(&query)).await
    }

    async fn record(&self, space: String, record: String) -> Answer<RecordView> {
        self.run(move |core| core.record(&parse(&space)?, &parse(&record)?)).await
    }

    async fn create_record(&self, space: String, request: NewRecordRequest) -> Answer<RecordView> {
        self.run(move |core| core.create_record(&parse(&space)?, request)).await
    }

    async fn edit_record(
        &self,
        space: String,
        record: String,
        request: EditRequest,
    ) -> Answer<RecordView> {
        self.run(move |core| core.edit_record(&parse(&space)?, &parse(&record)?, request)).await
    }

    async fn history(&self, space: String, record: String) -> Answer<Vec<HistoryView>> {
        self.run(move |core| core.history(&parse(&space)?, &parse(&record)?)).await
    }

    async fn resolve(
        &self,
        space: String,
        record: String,
        request: ResolveRequest,
    ) -> Answer<RecordView> {
        self.run(move |core| core.resolve(&parse(&space)?, &parse(&record)?, request)).await
    }

    async fn conflicts(&self) -> Answer<Vec<RecordView>> {
        self.run(|core| core.conflicts()).await
    }

    async fn batch(&self, request: BatchRequest) -> Answer<BatchResult> {
        self.run(|core| core.batch(request)).await
    }

    async fn search(&self, query: SearchQuery) -> Answer<Vec<SearchHit>> {
        self.run(move |core| core.search(&query)).await
    }

    fn events(&self) -> broadcast::Receiver<ApiEvent> {
        Self::events(self)
    }
}

fn unreachable_for_partners(error: &NetworkError) -> ApiError {
    ApiError::new(
        ErrorCode::Partner,
        format!("the node is online and reaches its partners, but they do not reach it: {error}"),
        "stop what uses the address, then go offline and online again",
    )
}
