//! Tables for people.

use comfy_table::{ContentArrangement, Table, presets};

use super::Style;

/// Returns aligned columns without lines around them, no wider than the terminal.
///
/// A header of blanks is left out.
pub(super) fn aligned<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    width: u16,
    heading: Style,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    let has_header = header.iter().any(|title| !title.is_empty());
    if has_header {
        table.set_header(header.map(str::to_uppercase));
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    let line = |(position, line): (usize, &str)| {
        let line = line.trim_end();
        if has_header && position == 0 {
            heading.paint(line)
        } else {
            line.to_owned()
        }
    };
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(header: [&str; 2], width: u16) -> String {
        let rows = [["release", "why it was done"], ["é", "x"]];
        let rows = rows.into_iter().map(|row| row.map(str::to_owned));
        aligned(header, rows, width, Style::None)
    }

    #[test]
    fn columns_are_aligned_and_long_texts_wrap() {
        assert_eq!(
            table(["set", "why"], 80),
            "SET      WHY\nrelease  why it was done\né        x"
        );
        assert_eq!(table(["", ""], 80), "release  why it was done\né        x");
        assert_eq!(
            table(["set", "why"], 20),
            "SET      WHY\nrelease  why it\n         was done\né        x"
        );
    }
}
