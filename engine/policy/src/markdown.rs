//! Tables and texts in Markdown.

/// A table; what is put into its cells cannot break it.
#[derive(Clone, Debug)]
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self(format!("| {} |\n|{}\n", headings.join(" | "), "---|".repeat(N)))
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cells = cells.map(|cell| plain(&cell).replace('|', "\\|"));
        self.0.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    /// The table, without its last line end.
    pub(crate) fn text(self) -> String {
        self.0.trim_end().to_owned()
    }
}

/// `text` on one line and without markup of HTML: what a profile says is shown, never run.
pub(crate) fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_break_a_table() {
        let mut table = Table::new(["a", "b"]);
        table.row(["x | y\nz".to_owned(), "<script>".to_owned()]);
        assert_eq!(table.text(), "| a | b |\n|---|---|\n| x \\| y z | &lt;script> |");
    }
}
