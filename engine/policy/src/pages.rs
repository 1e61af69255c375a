//! The public pages of a profile, written from what it says: the privacy notice, the list of processors, and what is read
//! out. Whoever edits the profile edits them; nothing on them is written by hand.

mod item;
mod privacy;
mod processors;
mod spoken;

pub use item::{Item, Section};
pub use privacy::{Paragraph, PrivacyNotice};
pub use processors::processor_page;
pub use spoken::{SpokenPart, spoken_parts};
