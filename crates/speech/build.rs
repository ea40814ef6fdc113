//! Links libsonic: espeak-ng, inside piper-rs, uses it but leaves its symbols for the final crate.

fn main() {
    println!("cargo:rustc-link-lib=dylib=sonic");
    println!("cargo:rerun-if-changed=build.rs");
}
