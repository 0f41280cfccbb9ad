//! Arguments in, exit code out.

fn main() {
    std::process::exit(kvlint::cli::run(std::env::args_os()).into());
}
