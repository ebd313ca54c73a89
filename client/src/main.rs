//! The `sincronia` command. Everything is in the library.

/// A node makes and drops many small values; this allocator does it in less time and memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sincronia_client::cli::main()
}
