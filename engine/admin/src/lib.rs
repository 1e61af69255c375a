//! gRPC services for integrators.
