//! Why an access log takes no entry.

/// Why an entry does not extend an access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The entry is of a format this program does not know.
    #[error("the access entry has an unknown version; update this program")]
    Version,
    /// The entry belongs to another log or place.
    #[error("the access entry does not follow the log it is offered for")]
    Chain,
    /// The owner's identity log does not yet reach the term that the entry names.
    #[error("the owner's identity log is not complete enough to judge the entry")]
    IdentityBehind,
    /// The signer is not the owner's primary of that term.
    #[error("the signer may not write this access log")]
    Signer,
    /// The signature does not hold.
    #[error("the signature of the access entry does not hold")]
    Signature,
    /// The operation makes no sense at its place.
    #[error("the access operation is not possible at its place")]
    Operation,
    /// Something is longer than its limit.
    #[error("the access log is longer than its limit")]
    TooLong,
}
