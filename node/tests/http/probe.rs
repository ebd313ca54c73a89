//! A node that only notes what it is asked, and answers with samples.

use super::samples;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sincronia_node::api::{
    Answer, ApiEvent, BackupStream, BatchRequest, BatchResult, BundleFile, BundleView,
    CatchingUpView, Check, ContactsQuery, ConventionRequest, ConventionView, ConventionsQuery,
    EditRequest, ErasureView, ExamineReport, ExamineRequest, ExportBundleRequest, ExposureView,
    HistoryView, IdentityRequest, IdentityView, IntroduceRequest, IntroductionView, InvitationView,
    InviteRequest, JoinByBundleRequest, JoinRequest, MemberRequest, NetworkRequest, NewInvitation,
    NewRecordRequest, NodeView, OfferRequest, PartnerView, QuarantineView, RawEntries, RawQuery,
    RecipientRequest, RecordView, RecordsQuery, ResolveRequest, RevocationView, SearchHit,
    SearchQuery, Service, SpaceView, Status, SuccessionView, TakeRequest, VerifyReport,
    VerifyRequest, VerifyStoreRequest, WithdrawBundleRequest,
};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, broadcast};

/// What was asked, and what to answer.
pub struct Probe {
    /// Method and arguments of each call.
    calls: Mutex<Vec<(&'static str, Value)>>,
    /// Where events come from.
    pub events: broadcast::Sender<ApiEvent>,
    /// Whether `doctor` panics.
    pub fails: bool,
    /// What `doctor` finds.
    pub check: Value,
    /// What `sync` waits for.
    pub gate: Notify,
    /// What `shutdown` tells.
    pub stop: Notify,
    /// What every call tells.
    pub called: Notify,
    /// Whether a backup has no end.
    pub endless: bool,
    /// What a backup without an end tells when nobody takes it any more.
    pub left: Arc<Notify>,
}

impl Probe {
    /// A probe that holds at most `events` for a slow listener.
    pub fn new(events: usize) -> Self {
        Self {
            calls: Mutex::default(),
            events: broadcast::Sender::new(events),
            fails: false,
            check: samples::check(),
            gate: Notify::new(),
            stop: Notify::new(),
            called: Notify::new(),
            endless: false,
            left: Arc::default(),
        }
    }

    /// Takes what was asked since the last time.
    pub fn take(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn note(&self, method: &'static str, arguments: &[Value]) {
        self.calls.lock().unwrap().push((method, Value::from(arguments)));
        self.called.notify_one();
    }
}

fn sample<T: DeserializeOwned>(fields: Value) -> T {
    serde_json::from_value(fields).unwrap()
}

impl Service for Probe {
    async fn status(&self) -> Answer<Status> {
        self.note("status", &[]);
        Ok(sample(samples::status()))
    }

    async fn doctor(&self) -> Answer<Vec<Check>> {
        self.note("doctor", &[]);
        assert!(!self.fails, "as the test wants");
        Ok(vec![sample(self.check.clone())])
    }

    async fn verify(&self, request: VerifyStoreRequest) -> Answer<VerifyReport> {
        self.note("verify", &[json!(request)]);
        Ok(sample(samples::verify_report()))
    }

    async fn network(&self, request: NetworkRequest) -> Answer<()> {
        self.note("network", &[json!(request)]);
        Ok(())
    }

    async fn sync(&self) -> Answer<()> {
        self.note("sync", &[]);
        self.gate.notified().await;
        self.note("synced", &[]);
        Ok(())
    }

    async fn shutdown(&self) -> Answer<()> {
        self.note("shutdown", &[]);
        self.stop.notify_one();
        Ok(())
    }

    async fn invite(&self, request: InviteRequest) -> Answer<NewInvitation> {
        self.note("invite", &[json!(request)]);
        Ok(sample(samples::new_invitation()))
    }

    async fn invitations(&self) -> Answer<Vec<InvitationView>> {
        self.note("invitations", &[]);
        Ok(vec![sample(samples::invitation())])
    }

    async fn revoke_invitation(&self, id: String) -> Answer<InvitationView> {
        self.note("revoke_invitation", &[json!(id)]);
        Ok(sample(samples::invitation()))
    }

    async fn introduce(&self, request: IntroduceRequest) -> Answer<()> {
        self.note("introduce", &[json!(request)]);
        Ok(())
    }

    async fn introductions(&self) -> Answer<Vec<IntroductionView>> {
        self.note("introductions", &[]);
        Ok(vec![sample(samples::introduction())])
    }

    async fn accept_introduction(&self, organisation: String) -> Answer<PartnerView> {
        self.note("accept_introduction", &[json!(organisation)]);
        Ok(sample(samples::partner()))
    }

    async fn refuse_introduction(&self, organisation: String) -> Answer<()> {
        self.note("refuse_introduction", &[json!(organisation)]);
        Ok(())
    }

    async fn join(&self, request: JoinRequest) -> Answer<PartnerView> {
        self.note("join", &[json!(request)]);
        Ok(sample(samples::partner()))
    }

    async fn backup(&self) -> Answer<BackupStream> {
        self.note("backup", &[]);
        let (sender, parts) = tokio::sync::mpsc::channel(2);
        if self.endless {
            let left = self.left.clone();
            tokio::spawn(async move {
                while sender.send(Ok(vec![7; 1024 * 1024])).await.is_ok() {}
                left.notify_one();
            });
            return Ok(BackupStream(parts));
        }
        sender.send(Ok(b"first ".to_vec())).await.unwrap();
        sender.send(Ok(b"second".to_vec())).await.unwrap();
        Ok(BackupStream(parts))
    }

    async fn put_backup_recipient(&self, request: RecipientRequest) -> Answer<()> {
        self.note("put_backup_recipient", &[json!(request)]);
        Ok(())
    }

    async fn finish_catching_up(&self) -> Answer<CatchingUpView> {
        self.note("finish_catching_up", &[]);
        Ok(CatchingUpView { since: Some(7), awaited: vec!["ASL".into()], blind: false })
    }

    async fn export_bundle(&self, request: ExportBundleRequest) -> Answer<BundleFile> {
        self.note("export_bundle", &[json!(request)]);
        Ok(BundleFile { number: 3, is_complete: true, bytes: b"parts".to_vec() })
    }

    async fn withdraw_bundle(&self, request: WithdrawBundleRequest) -> Answer<()> {
        self.note("withdraw_bundle", &[json!(request)]);
        Ok(())
    }

    async fn import_bundle(&self, bytes: Vec<u8>) -> Answer<Vec<BundleView>> {
        self.note("import_bundle", &[json!({ "bytes": bytes.len() })]);
        Ok(vec![sample(json!({"state": "waiting", "parts": 3, "missing": [2]}))])
    }

    async fn join_by_bundle(&self, request: JoinByBundleRequest) -> Answer<BundleFile> {
        self.note("join_by_bundle", &[json!(request)]);
        Ok(BundleFile { number: 0, is_complete: true, bytes: b"request".to_vec() })
    }

    async fn partners(&self) -> Answer<Vec<PartnerView>> {
        self.note("partners", &[]);
        Ok(vec![sample(samples::partner())])
    }

    async fn partner(&self, organisation: String) -> Answer<PartnerView> {
        self.note("partner", &[json!(organisation)]);
        Ok(sample(samples::partner()))
    }

    async fn verify_partner(
        &self,
        organisation: String,
        request: VerifyRequest,
    ) -> Answer<PartnerView> {
        self.note("verify_partner", &[json!(organisation), json!(request)]);
        Ok(sample(samples::partner()))
    }

    async fn block_partner(&self, organisation: String) -> Answer<PartnerView> {
        self.note("block_partner", &[json!(organisation)]);
        Ok(sample(samples::partner()))
    }

    async fn unblock_partner(&self, organisation: String) -> Answer<PartnerView> {
        self.note("unblock_partner", &[json!(organisation)]);
        Ok(sample(samples::partner()))
    }

    async fn nodes(&self) -> Answer<Vec<NodeView>> {
        self.note("nodes", &[]);
        Ok(vec![sample(samples::node())])
    }

    async fn node_report(&self, node: String) -> Answer<ExposureView> {
        self.note("node_report", &[json!(node)]);
        Ok(sample(samples::exposure()))
    }

    async fn identity(&self) -> Answer<IdentityView> {
        self.note("identity", &[]);
        Ok(sample(samples::identity()))
    }

    async fn extend_identity(&self, request: IdentityRequest) -> Answer<Vec<NodeView>> {
        self.note("extend_identity", &[json!(request)]);
        Ok(vec![sample(samples::node())])
    }

    async fn spaces(&self) -> Answer<Vec<SpaceView>> {
        self.note("spaces", &[]);
        Ok(vec![sample(samples::space())])
    }

    async fn create_space(&self) -> Answer<SpaceView> {
        self.note("create_space", &[]);
        Ok(sample(samples::space()))
    }

    async fn space(&self, space: String) -> Answer<SpaceView> {
        self.note("space", &[json!(space)]);
        Ok(sample(samples::space()))
    }

    async fn add_member(&self, space: String, request: MemberRequest) -> Answer<SpaceView> {
        self.note("add_member", &[json!(space), json!(request)]);
        Ok(sample(samples::space()))
    }

    async fn remove_member(&self, space: String, organisation: String) -> Answer<RevocationView> {
        self.note("remove_member", &[json!(space), json!(organisation)]);
        Ok(sample(samples::revocation()))
    }

    async fn rotate(&self, space: String) -> Answer<SpaceView> {
        self.note("rotate", &[json!(space)]);
        Ok(sample(samples::space()))
    }

    async fn successions(&self) -> Answer<Vec<SuccessionView>> {
        self.note("successions", &[]);
        Ok(vec![sample(samples::succession())])
    }

    async fn erase_record(&self, space: String, record: String) -> Answer<ErasureView> {
        self.note("erase_record", &[json!(space), json!(record)]);
        Ok(sample(samples::erasure()))
    }

    async fn erasures(&self) -> Answer<Vec<ErasureView>> {
        self.note("erasures", &[]);
        Ok(vec![sample(samples::erasure())])
    }

    async fn offer_space(&self, space: String, request: OfferRequest) -> Answer<SpaceView> {
        self.note("offer_space", &[json!(space), json!(request)]);
        Ok(sample(samples::space()))
    }

    async fn follow_successions(&self, space: String, request: TakeRequest) -> Answer<SpaceView> {
        self.note("follow_successions", &[json!(space), json!(request)]);
        Ok(sample(samples::space()))
    }

    async fn take_space(&self, space: String, request: TakeRequest) -> Answer<SpaceView> {
        self.note("take_space", &[json!(space), json!(request)]);
        Ok(sample(samples::space()))
    }

    async fn raw(&self, space: String, query: RawQuery) -> Answer<RawEntries> {
        self.note("raw", &[json!(space), json!(query)]);
        Ok(sample(samples::raw_entries()))
    }

    async fn examine(&self, space: String, request: ExamineRequest) -> Answer<ExamineReport> {
        self.note("examine", &[json!(space), json!(request)]);
        Ok(sample(samples::examine_report()))
    }

    async fn dismiss_late(&self, entry: String) -> Answer<QuarantineView> {
        self.note("dismiss_late", &[json!(entry)]);
        Ok(sample(samples::quarantine()))
    }

    async fn quarantine(&self) -> Answer<Vec<QuarantineView>> {
        self.note("quarantine", &[]);
        Ok(vec![sample(samples::quarantine())])
    }

    async fn conventions(&self, query: ConventionsQuery) -> Answer<Vec<RecordView>> {
        self.note("conventions", &[json!(query)]);
        Ok(vec![sample(samples::record())])
    }

    async fn convention(&self, id: String) -> Answer<ConventionView> {
        self.note("convention", &[json!(id)]);
        Ok(sample(samples::convention()))
    }

    async fn create_convention(&self, request: ConventionRequest) -> Answer<ConventionView> {
        self.note("create_convention", &[json!(request)]);
        Ok(sample(samples::convention()))
    }

    async fn edit_convention(&self, id: String, request: EditRequest) -> Answer<ConventionView> {
        self.note("edit_convention", &[json!(id), json!(request)]);
        Ok(sample(samples::convention()))
    }

    async fn contacts(&self, query: ContactsQuery) -> Answer<Vec<RecordView>> {
        self.note("contacts", &[json!(query)]);
        Ok(vec![sample(samples::record())])
    }

    async fn contact(&self, id: String) -> Answer<RecordView> {
        self.note("contact", &[json!(id)]);
        Ok(sample(samples::record()))
    }

    async fn create_contact(&self, request: EditRequest) -> Answer<RecordView> {
        self.note("create_contact", &[json!(request)]);
        Ok(sample(samples::record()))
    }

    async fn edit_contact(&self, id: String, request: EditRequest) -> Answer<RecordView> {
        self.note("edit_contact", &[json!(id), json!(request)]);
        Ok(sample(samples::record()))
    }

    async fn records(&self, query: RecordsQuery) -> Answer<Vec<RecordView>> {
        self.note("records", &[json!(query)]);
        Ok(vec![sample(samples::record())])
    }

    async fn record(&self, space: String, record: String) -> Answer<RecordView> {
        self.note("record", &[json!(space), json!(record)]);
        Ok(sample(samples::record()))
    }

    async fn create_record(&self, space: String, request: NewRecordRequest) -> Answer<RecordView> {
        self.note("create_record", &[json!(space), json!(request)]);
        Ok(sample(samples::record()))
    }

    async fn edit_record(
        &self,
        space: String,
        record: String,
        request: EditRequest,
    ) -> Answer<RecordView> {
        self.note("edit_record", &[json!(space), json!(record), json!(request)]);
        Ok(sample(samples::record()))
    }

    async fn history(&self, space: String, record: String) -> Answer<Vec<HistoryView>> {
        self.note("history", &[json!(space), json!(record)]);
        Ok(vec![sample(samples::history())])
    }

    async fn conflicts(&self) -> Answer<Vec<RecordView>> {
        self.note("conflicts", &[]);
        Ok(vec![sample(samples::record())])
    }

    async fn resolve(
        &self,
        space: String,
        record: String,
        request: ResolveRequest,
    ) -> Answer<RecordView> {
        self.note("resolve", &[json!(space), json!(record), json!(request)]);
        Ok(sample(samples::record()))
    }

    async fn batch(&self, request: BatchRequest) -> Answer<BatchResult> {
        self.note("batch", &[json!(request)]);
        Ok(sample(samples::batch_result()))
    }

    async fn search(&self, query: SearchQuery) -> Answer<Vec<SearchHit>> {
        self.note("search", &[json!(query)]);
        Ok(vec![sample(samples::search_hit())])
    }

    fn events(&self) -> broadcast::Receiver<ApiEvent> {
        self.events.subscribe()
    }
}
