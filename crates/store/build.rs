//! Builds the crate anew when a migration was added: migrations are embedded in the program.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
