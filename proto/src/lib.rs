//! Protocol buffers of the device, admin and audit protocols: generated code, checked in.
