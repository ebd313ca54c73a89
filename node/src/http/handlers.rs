//! The endpoints, one file for each noun.

pub mod backup;
pub mod bundle;
pub mod convention;
pub mod erasure;
pub mod introduction;
pub mod invitation;
pub mod machine;
pub mod node;
pub mod partner;
pub mod record;
pub mod space;
pub mod succession;
