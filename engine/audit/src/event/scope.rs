//! [`Scope`]: how much of a person's consent a withdrawal takes back.

use sayso_types::{Cell, Part, ProcessorId, Purpose};

/// What a withdrawal is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every purpose.
    Everything,
    /// One purpose.
    Purpose(Purpose),
    /// Less than a purpose, or less than each of them: it [is partial](Part::is_partial).
    Part(Part),
}

impl Scope {
    /// Whether all of `purpose` is in it.
    #[must_use]
    pub fn covers(self, purpose: Purpose) -> bool {
        match self {
            Self::Everything => true,
            Self::Purpose(one) => one == purpose,
            Self::Part(_) => false,
        }
    }

    /// Whether data of `cell` that goes to `processor` is in it.
    #[must_use]
    pub fn covers_what_goes(self, cell: &Cell, processor: ProcessorId) -> bool {
        match self {
            Self::Part(part) => part.covers(cell, processor),
            Self::Everything | Self::Purpose(_) => self.covers(cell.purpose),
        }
    }
}
