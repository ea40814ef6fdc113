//! Compiles the provider systems' protocol. In Rust, so that no protoc has to be installed.

use std::path::PathBuf;
use std::{env, error, fs};

use prost::Message;

fn main() -> Result<(), Box<dyn error::Error>> {
    let folder = "../../proto";
    println!("cargo:rerun-if-changed={folder}");
    let files = protox::compile(["radline/v1/provider.proto"], [folder])?;
    // For reflection: clients can ask the server what it speaks.
    let descriptor = PathBuf::from(env::var("OUT_DIR")?).join("radline.v1.bin");
    fs::write(descriptor, files.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
