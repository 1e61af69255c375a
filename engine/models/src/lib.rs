//! Speech models: fetched by pinned hash, unpacked and converted in Rust.
