//! The public pages of a running node, for everybody to read: its privacy notice, who receives data, and what is announced.
//!
//! ```text
//! GET /en/privacy   /en/processors   /en/announcements     the same under /zh
//! ```
//!
//! Each is written from what is in force when it is asked for: a processor that is switched off is so on the page, too, and
//! nothing goes to one that is new before the page names it. They set no cookie, run no script and load nothing from
//! elsewhere. Who asks is not known and not kept.

mod html;
mod pages;
mod path;

pub use pages::Pages;
pub use path::{Found, Page};
