//! `rpm`, the command; everything is in the library.

fn main() -> std::process::ExitCode {
    runpm::cli::main()
}
