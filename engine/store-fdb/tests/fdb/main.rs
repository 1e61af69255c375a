//! What is run on a real cluster: the one of `FDB_CLUSTER_FILE`. `make test-fdb` does it.

mod conformance;
mod part;
mod together;
mod upkeep;
mod wrong;
