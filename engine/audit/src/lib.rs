//! What we did, provably: leaves, Merkle log, checkpoints, proofs, offline verification.
