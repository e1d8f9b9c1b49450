//! The `lockstep` command.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    lockstep::cli::main()
}
