//! What federations under test write: conventions and practices that nothing is wrong with.

use super::Node;
use serde_json::json;
use sincronia_node::api::{ConventionRequest, ConventionView, NewRecordRequest};

impl Node {
    /// Makes a convention with `party`, which hosts.
    ///
    /// # Panics
    /// When the node refuses it.
    pub fn agree(&self, party: &Self, title: &str) -> ConventionView {
        let request = agreement(title, &[(self, "inviante"), (party, "gestore")]);
        self.client().create_convention(&request).expect("a convention")
    }
}

/// A convention of these organisations, each with its role.
///
/// # Panics
/// Never: the request is one.
#[must_use]
pub fn agreement(title: &str, parties: &[(&Node, &str)]) -> ConventionRequest {
    let party = |(node, role): &(&Node, &str)| json!({"org": node.organisation, "role": role});
    let parties: Vec<_> = parties.iter().map(party).collect();
    serde_json::from_value(json!({
        "fields": {
            "title": title,
            "instrument_kind": "accoglienza",
            "parties": parties,
            "effective_from": "2026-01-01",
            "end_date": "2027-12-31",
        },
        "operator": "segreteria",
    }))
    .expect("a request")
}

/// A good practice.
#[must_use]
pub fn practice(title: &str) -> NewRecordRequest {
    let fields = json!({
        "title": title,
        "area": "accoglienza",
        "problem": "Ogni servizio chiede un modulo diverso.",
        "procedure": "Una scheda sola, uguale per tutti.",
        "maturity": "sperimentata",
    });
    NewRecordRequest {
        kind: "practice".into(),
        fields: fields.as_object().cloned().unwrap_or_default(),
        operator: None,
        comment: None,
    }
}
