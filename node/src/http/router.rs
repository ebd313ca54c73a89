//! The whole surface on one screen.
//!
//! One table makes the router, the list for the tests and the OpenAPI document, so that none of the
//! three can miss an endpoint. Who may call is decided before, at the door, for all of them.

use super::document::{self, Bearer};
use super::{handlers, stream};
use crate::api::{ApiError, ErrorCode, Service};
use crate::limits;
use axum::Router;
use axum::extract::{FromRef, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, patch, post};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterIn};

macro_rules! routes {
    ($($method:ident $path:literal => $module:ident $(:: $part:ident)+,)+) => {
        /// Every endpoint, and what the document says of them.
        #[derive(OpenApi)]
        #[openapi(
            info(title = "Sincronia", description = "The local API of one organisation's node."),
            paths($($module $(:: $part)+),+),
            modifiers(&Bearer),
            security(("token" = [])),
        )]
        pub struct Routes;

        impl Routes {
            /// Method and path of each.
            #[cfg(test)]
            pub const ALL: &[(&str, &str)] = &[$((stringify!($method), $path)),+];
        }

        /// The router.
        pub fn router<S: Service>(shared: Shared<S>) -> Router {
            let queried = queried(&Routes::openapi());
            let strict = |path: &str, method: &str, routes: MethodRouter<Shared<S>>| {
                let takes_query = queried.contains(&(path.to_owned(), method.to_owned()));
                if takes_query { routes } else { routes.route_layer(from_fn(without_query)) }
            };
            Router::new()
                $(.route($path, strict(
                    $path,
                    stringify!($method),
                    $method(routes!(@handler S $module $($part)+)),
                )))+
                .fallback(unknown)
                .method_not_allowed_fallback(wrong_method)
                .with_state(shared)
        }
    };
    (@handler $service:ident document $part:ident) => { document::$part };
    (@handler $service:ident stream $part:ident) => { stream::$part::<$service> };
    (@handler $service:ident handlers $noun:ident $part:ident) => {
        handlers::$noun::$part::<$service>
    };
}

#[rustfmt::skip]
routes! {
    get    "/api/v1/health" => document::health,
    get    "/api/v1/openapi.json" => document::openapi,
    get    "/api/v1/events" => stream::events,
    get    "/api/v1/status" => handlers::node::status,
    get    "/api/v1/doctor" => handlers::node::doctor,
    post   "/api/v1/verify" => handlers::node::verify,
    post   "/api/v1/network" => handlers::node::network,
    post   "/api/v1/sync" => handlers::node::sync,
    post   "/api/v1/shutdown" => handlers::node::shutdown,
    post   "/api/v1/backup" => handlers::backup::backup,
    post   "/api/v1/backup/recipient" => handlers::backup::put_backup_recipient,
    post   "/api/v1/backup/finish" => handlers::backup::finish_catching_up,
    post   "/api/v1/invitations" => handlers::invitation::invite,
    get    "/api/v1/invitations" => handlers::invitation::invitations,
    delete "/api/v1/invitations/{id}" => handlers::invitation::revoke_invitation,
    post   "/api/v1/introductions" => handlers::introduction::introduce,
    get    "/api/v1/introductions" => handlers::introduction::introductions,
    post   "/api/v1/introductions/{organisation}/accept" => handlers::introduction::accept,
    post   "/api/v1/introductions/{organisation}/refuse" => handlers::introduction::refuse,
    post   "/api/v1/join" => handlers::invitation::join,
    post   "/api/v1/join/bundle" => handlers::bundle::join_by_bundle,
    post   "/api/v1/bundles" => handlers::bundle::export_bundle,
    post   "/api/v1/bundles/withdraw" => handlers::bundle::withdraw_bundle,
    post   "/api/v1/bundles/import" => handlers::bundle::import_bundle,
    get    "/api/v1/partners" => handlers::partner::partners,
    get    "/api/v1/partners/{organisation}" => handlers::partner::partner,
    post   "/api/v1/partners/{organisation}/verify" => handlers::partner::verify_partner,
    post   "/api/v1/partners/{organisation}/block" => handlers::partner::block_partner,
    post   "/api/v1/partners/{organisation}/unblock" => handlers::partner::unblock_partner,
    get    "/api/v1/nodes" => handlers::machine::nodes,
    get    "/api/v1/nodes/{node}/report" => handlers::machine::node_report,
    get    "/api/v1/identity" => handlers::machine::identity,
    post   "/api/v1/identity" => handlers::machine::extend_identity,
    get    "/api/v1/spaces" => handlers::space::spaces,
    post   "/api/v1/spaces" => handlers::space::create_space,
    get    "/api/v1/spaces/{space}" => handlers::space::space,
    post   "/api/v1/spaces/{space}/members" => handlers::space::add_member,
    delete "/api/v1/spaces/{space}/members/{organisation}" => handlers::space::remove_member,
    post   "/api/v1/spaces/{space}/rotate" => handlers::space::rotate,
    post   "/api/v1/spaces/{space}/offer" => handlers::succession::offer_space,
    post   "/api/v1/spaces/{space}/take" => handlers::succession::take_space,
    post   "/api/v1/spaces/{space}/follow" => handlers::succession::follow_successions,
    get    "/api/v1/successions" => handlers::succession::successions,
    get    "/api/v1/spaces/{space}/raw" => handlers::space::raw,
    post   "/api/v1/spaces/{space}/examine" => handlers::space::examine,
    get    "/api/v1/quarantine" => handlers::space::quarantine,
    post   "/api/v1/quarantine/{entry}/dismiss" => handlers::space::dismiss_late,
    get    "/api/v1/conventions" => handlers::convention::conventions,
    get    "/api/v1/conventions/{id}" => handlers::convention::convention,
    post   "/api/v1/conventions" => handlers::convention::create_convention,
    patch  "/api/v1/conventions/{id}" => handlers::convention::edit_convention,
    get    "/api/v1/contacts" => handlers::convention::contacts,
    get    "/api/v1/contacts/{id}" => handlers::convention::contact,
    post   "/api/v1/contacts" => handlers::convention::create_contact,
    patch  "/api/v1/contacts/{id}" => handlers::convention::edit_contact,
    get    "/api/v1/records" => handlers::record::records,
    get    "/api/v1/spaces/{space}/records/{record}" => handlers::record::record,
    post   "/api/v1/spaces/{space}/records" => handlers::record::create_record,
    patch  "/api/v1/spaces/{space}/records/{record}" => handlers::record::edit_record,
    get    "/api/v1/spaces/{space}/records/{record}/history" => handlers::record::history,
    get    "/api/v1/conflicts" => handlers::record::conflicts,
    post   "/api/v1/spaces/{space}/records/{record}/resolve" => handlers::record::resolve,
    post   "/api/v1/spaces/{space}/records/{record}/erase" => handlers::erasure::erase_record,
    get    "/api/v1/erasures" => handlers::erasure::erasures,
    post   "/api/v1/records/batch" => handlers::record::batch,
    get    "/api/v1/search" => handlers::record::search,
}

/// What handlers share.
pub struct Shared<S> {
    /// The engine.
    pub service: Arc<S>,
    /// Places for those who follow events.
    pub listeners: Arc<Semaphore>,
    /// Places for those who take backups.
    pub backups: Arc<Semaphore>,
    /// Becomes true when the server stops.
    pub closing: watch::Receiver<bool>,
}

impl<S> Shared<S> {
    /// Over `service`, until `closing` says otherwise.
    pub fn new(service: Arc<S>, closing: watch::Receiver<bool>) -> Self {
        let listeners = Arc::new(Semaphore::new(limits::EVENT_LISTENERS_MAX));
        let backups = Arc::new(Semaphore::new(limits::BACKUPS_MAX));
        Self { service, listeners, backups, closing }
    }
}

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            listeners: self.listeners.clone(),
            backups: self.backups.clone(),
            closing: self.closing.clone(),
        }
    }
}

impl<S> FromRef<Shared<S>> for Arc<S> {
    fn from_ref(shared: &Shared<S>) -> Self {
        shared.service.clone()
    }
}

/// Path and method of the endpoints whose answer a query narrows, as the document describes them.
fn queried(document: &utoipa::openapi::OpenApi) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            ("delete", &item.delete),
            ("get", &item.get),
            ("patch", &item.patch),
            ("post", &item.post),
        ];
        for (method, operation) in methods {
            let parameters = operation.iter().flat_map(|one| one.parameters.iter().flatten());
            if parameters.into_iter().any(is_query) {
                found.insert((path.clone(), method.to_owned()));
            }
        }
    }
    found
}

fn is_query(parameter: &RefOr<Parameter>) -> bool {
    match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    }
}

/// Whoever narrows a list that cannot be narrowed is told so, instead of being sent all of it.
async fn without_query(request: Request, next: Next) -> Response {
    if request.uri().query().is_none_or(str::is_empty) {
        return next.run(request).await;
    }
    let remedy = "leave out what stands after the question mark";
    let message = "this address takes no query";
    ApiError::new(ErrorCode::Invalid, message, remedy).into_response()
}

async fn unknown() -> ApiError {
    let remedy = "the addresses there are stand in /api/v1/openapi.json";
    ApiError::new(ErrorCode::NotFound, "there is no such address", remedy)
}

async fn wrong_method() -> ApiError {
    let remedy = "the methods of each address stand in /api/v1/openapi.json";
    ApiError::new(ErrorCode::Method, "this address does not know that method", remedy)
}

#[cfg(test)]
mod tests {
    use super::Routes;
    use std::collections::BTreeSet;
    use utoipa::OpenApi;

    #[test]
    fn the_document_and_the_router_know_the_same_endpoints() {
        let document = serde_json::to_value(Routes::openapi()).unwrap();
        let described: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| (method.clone(), path.clone()))
            })
            .collect();
        let routed: BTreeSet<(String, String)> =
            Routes::ALL.iter().map(|(method, path)| ((*method).into(), (*path).into())).collect();
        assert_eq!(described, routed);
        assert_eq!(routed.len(), Routes::ALL.len(), "an endpoint is routed twice");
    }

    #[test]
    fn the_document_describes_everything_it_names() {
        let text = Routes::openapi().to_json().unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name} is named and not described");
        }
        let operations: Vec<_> = text.split("\"operationId\":\"").skip(1).collect();
        let names: BTreeSet<_> =
            operations.iter().filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names.len(), Routes::ALL.len(), "two endpoints have one name");
    }
}
