//! The `zyz` command.

fn main() -> std::process::ExitCode {
    zyz::cli::main()
}
