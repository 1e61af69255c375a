//! Store contract on one node, one disk.
