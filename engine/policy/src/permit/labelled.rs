//! [`Labelled`]: data that opens only with a permit.

use core::fmt;

use sayso_types::{Category, Label};
use zeroize::Zeroizing;

use super::weigh::{Weigh, weight};

/// Data with its label. It has no accessor, no `Deref` and a `Debug` that shows the label only.
#[derive(Clone)]
pub struct Labelled<T> {
    label: Label,
    pub(super) data: T,
    pub(super) along: Vec<Along>,
}

/// Something that went into other data and is there under a right of its own.
#[derive(Clone)]
pub(super) struct Along {
    pub(super) label: Label,
    /// What its permit counts of it.
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl<T> Labelled<T> {
    /// Labels `data`. From here on it opens only with a permit.
    pub const fn new(label: Label, data: T) -> Self {
        Self { label, data, along: Vec::new() }
    }

    /// Takes `other` into it, where `put` puts it. From here on it opens only with a permit for what it was
    /// [with](super::Permit::with) one for the other: that counts the other, and its own counts the whole.
    pub fn take_along<U: Weigh>(&mut self, other: Labelled<U>, put: impl FnOnce(&mut T, U)) {
        // as long as it will be from the beginning: what grows leaves behind copies that nobody wipes
        let len = usize::try_from(weight(&other.data)).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(len));
        other.data.weigh(&mut |part| bytes.extend_from_slice(part));
        self.along.push(Along { label: other.label, bytes });
        self.along.extend(other.along);
        put(&mut self.data, other.data);
    }

    /// What it is.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// Data derived from this without looking at anything but this: keeps subject, turn, purpose and version.
    pub fn derive<U>(self, category: Category, f: impl FnOnce(T) -> U) -> Labelled<U> {
        Labelled { label: self.label.derive(category), data: f(self.data), along: self.along }
    }
}

impl<T> fmt::Debug for Labelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Labelled({:?})", self.label)
    }
}
