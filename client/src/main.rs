//! The `sincronia` command. Everything is in the library.

fn main() -> std::process::ExitCode {
    sincronia_client::cli::main()
}
