//! `runpm`, the same command under a name that no package manager has.

fn main() -> std::process::ExitCode {
    runpm::cli::main()
}
