//! The stack size is set here and not in RUSTFLAGS: `rpk transform build` sets those, which hides `.cargo/config.toml`'s.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        // Of the 2 MiB that Redpanda gives a transform the default stack would take one.
        println!("cargo:rustc-link-arg-bins=-zstack-size=131072");
    }
}
