//! Sincronia.
