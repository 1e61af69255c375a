//! The consent register: grant, withdraw, permits and their holders, and the journal that records them.
