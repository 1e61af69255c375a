//! Persistence contract: ordered keyspace, mini-transactions, typed keys, conformance suite.
