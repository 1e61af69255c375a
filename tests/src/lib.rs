//! Harness, end-to-end, simulation and layering tests.
