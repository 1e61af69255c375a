//! Markdown, or what is announced, as a page in HTML.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use sayso_consent::notices::{Notice, NoticeKind};
use sayso_policy::Tongue;
use sayso_types::WallTime;

use crate::path::Page;

/// How the pages look: for telephones and desks, by day and by night.
pub(crate) const STYLE: &str = "\
:root { color-scheme: light dark; font: 100%/1.6 system-ui, sans-serif }
body { max-width: 46rem; margin: 0 auto; padding: 1rem }
nav { display: flex; flex-wrap: wrap; gap: 1rem; border-bottom: 1px solid; padding-bottom: .5rem }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid; padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
";

/// A page with the links to the others.
pub(crate) fn page<'a>(page: Page, tongue: Tongue, content: impl Iterator<Item = Event<'a>>) -> String {
    let mut body = String::new();
    html::push_html(&mut body, content);
    let link = |page: Page, tongue: Tongue, text: &str| format!("<a href=\"{}\">{text}</a>", page.path(tongue));
    let mut links: Vec<_> = Page::ALL.into_iter().map(|other| link(other, tongue, other.title(tongue))).collect();
    let other = match tongue {
        Tongue::English => link(page, Tongue::Chinese, "中文"),
        Tongue::Chinese => link(page, Tongue::English, "English"),
    };
    links.push(other);
    let (lang, title, links) = (tongue.tag(), page.title(tongue), links.join(""));
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\n\
         <body>\n<nav>{links}</nav>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// What `markdown` says. Markup of HTML in it is shown, never run.
pub(crate) fn markdown(markdown: &str) -> impl Iterator<Item = Event<'_>> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        event => event,
    })
}

/// What `notices` say, in this order; of each what is there to be read. Nothing in them is markup.
pub(crate) fn announcements(notices: &[Notice], tongue: Tongue) -> Vec<Event<'static>> {
    let heading = |level, text: String| {
        let start = Event::Start(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() });
        [start, Event::Text(text.into()), Event::End(TagEnd::Heading(level))]
    };
    let paragraph =
        |text: &str| [Event::Start(Tag::Paragraph), Event::Text(text.to_owned().into()), Event::End(TagEnd::Paragraph)];
    let mut events = Vec::from(heading(HeadingLevel::H1, Page::Announcements.title(tongue).to_owned()));
    if notices.is_empty() {
        events.extend(paragraph(match tongue {
            Tongue::English => "There are none.",
            Tongue::Chinese => "暂无公告。",
        }));
    }
    for notice in notices {
        let (text, kind) = (notice.text(tongue.language()), kind(notice.kind, tongue));
        events.extend(heading(HeadingLevel::H2, format!("{}: {kind}", day(notice.made_at))));
        let written = if text.written.is_empty() { &text.spoken } else { &text.written };
        let paragraphs = written.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
        events.extend(paragraphs.flat_map(paragraph));
    }
    events
}

const fn kind(kind: NoticeKind, tongue: Tongue) -> &'static str {
    match (kind, tongue) {
        (NoticeKind::Revision, Tongue::English) => "the policy is revised",
        (NoticeKind::Revision, Tongue::Chinese) => "政策修订",
        (NoticeKind::ControllerChange, Tongue::English) => "somebody else answers for the data",
        (NoticeKind::ControllerChange, Tongue::Chinese) => "个人信息处理者变更",
        (NoticeKind::Incident, Tongue::English) => "an incident",
        (NoticeKind::Incident, Tongue::Chinese) => "安全事件",
        (NoticeKind::Shutdown, Tongue::English) => "the service ends",
        (NoticeKind::Shutdown, Tongue::Chinese) => "服务终止",
        (NoticeKind::Disclosure, Tongue::English) => "data was given to an authority",
        (NoticeKind::Disclosure, Tongue::Chinese) => "依法向机关提供了数据",
        (NoticeKind::TenantEnd, Tongue::English) => "a provider is served no more",
        (NoticeKind::TenantEnd, Tongue::Chinese) => "不再为某服务商提供服务",
        (NoticeKind::Introduction, Tongue::English) => "a service with a policy of its own",
        (NoticeKind::Introduction, Tongue::Chinese) => "适用其自身政策的服务",
    }
}

/// The day of a moment, in UTC.
fn day(at: WallTime) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(String::new, |at| at.strftime("%F").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_and_never_run() {
        let said = "# A\n\n<script>alert(1)</script> and <b>x</b> &amp; y\n\n| a | b |\n|---|---|\n| &lt;i> | 2 |\n";
        let text = page(Page::Privacy, Tongue::English, markdown(said));
        assert!(!text.contains("<script") && !text.contains("<b>") && !text.contains("<i>"), "{text}");
        assert!(
            text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && text.contains("<td>&lt;i&gt;</td>"),
            "{text}"
        );
        assert!(text.contains("<html lang=\"en\">") && text.contains("<a href=\"/zh/privacy\">中文</a>"), "{text}");
    }
}
