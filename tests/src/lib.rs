//! The harness of end-to-end tests.
