//! What a profile says, in the forms that others read: the record of processing, ODRL, DPV, the consent receipt.

pub mod dpv;
mod jsonld;
pub mod kantara;
pub mod odrl;
pub mod ropa;
