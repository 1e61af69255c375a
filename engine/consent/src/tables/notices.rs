//! Notices to people.

use sayso_store::{Schema, key};
use sayso_types::{NoticeId, SubjectId};

key! {
    /// A notice to people.
    pub(crate) struct NoticeKey in "notice" {
        /// Which.
        pub(crate) notice: NoticeId,
    }
}

key! {
    /// A notice that is being spread, and up to whom it has come.
    pub(crate) struct NoticeSpreadKey in "notice_spread" {
        /// Which.
        pub(crate) notice: NoticeId,
    }
}

key! {
    /// People whom a notice names and who are yet to be sent it.
    pub(crate) struct NoticePageKey in "notice_page" {
        /// Which.
        pub(crate) notice: NoticeId,
        /// From 0.
        pub(crate) page: u32,
    }
}

key! {
    /// How a notice stands with a person.
    pub(crate) struct NoticeToKey in "notice_to" {
        /// Who is told.
        pub(crate) subject: SubjectId,
        /// What.
        pub(crate) notice: NoticeId,
    }
}

key! {
    /// To whom a notice was sent.
    pub(crate) struct NoticePersonKey in "notice_person" {
        /// What.
        pub(crate) notice: NoticeId,
        /// To whom.
        pub(crate) subject: SubjectId,
    }
}

key! {
    /// When the time of the channels has passed through which a person has been sent a notice.
    pub(crate) struct NoticeDueKey in "notice_due" {
        /// Milliseconds since the Unix epoch.
        pub(crate) at: u64,
        /// Who is told.
        pub(crate) subject: SubjectId,
        /// What.
        pub(crate) notice: NoticeId,
    }
}

key! {
    /// A notice that a tenant is to give to a person.
    pub(crate) struct NoticeOutKey in "notice_out" {
        /// The integrator.
        pub(crate) tenant: String,
        /// Since when it waits: milliseconds since the Unix epoch.
        pub(crate) since: u64,
        /// Who is told.
        pub(crate) subject: SubjectId,
        /// What.
        pub(crate) notice: NoticeId,
    }
}

key! {
    /// A notice that is on the public page.
    pub(crate) struct AnnouncedKey in "announced" {
        /// Which.
        pub(crate) notice: NoticeId,
    }
}

/// From version 2 on it may tell of a service: a program that does not know that could not read it.
pub(crate) const NOTICE: Schema = Schema::new("notice", 1, 2);
pub(crate) const NOTICE_SPREAD: Schema = Schema::new("notice_spread", 1, 1);
pub(crate) const NOTICE_PAGE: Schema = Schema::new("notice_page", 1, 1);
pub(crate) const NOTICE_TO: Schema = Schema::new("notice_to", 1, 1);
pub(crate) const NOTICE_PERSON: Schema = Schema::new("notice_person", 1, 1);
pub(crate) const NOTICE_DUE: Schema = Schema::new("notice_due", 1, 1);
pub(crate) const NOTICE_OUT: Schema = Schema::new("notice_out", 1, 1);
pub(crate) const ANNOUNCED: Schema = Schema::new("announced", 1, 1);
