//! Sincronia.
fn main() {}
