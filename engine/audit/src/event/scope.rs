//! [`Scope`]: how much of a person's consent a withdrawal takes back.

use sayso_types::Purpose;

/// What a withdrawal is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every purpose.
    Everything,
    /// One purpose.
    Purpose(Purpose),
}

impl Scope {
    /// Whether `purpose` is in it.
    #[must_use]
    pub fn covers(self, purpose: Purpose) -> bool {
        match self {
            Self::Everything => true,
            Self::Purpose(one) => one == purpose,
        }
    }
}
