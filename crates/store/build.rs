//! Builds the crate anew when a migration was added: migrations are embedded in the program.

fn main() {
    #[expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
    {
        println!("cargo::rerun-if-changed=../../migrations");
    }
}
