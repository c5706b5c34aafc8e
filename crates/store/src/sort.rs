//! Lists in an order that the caller chooses, page by page.
//!
//! A page begins after the row whose `seq` ended the page before it. That row's values in each sort column are looked
//! up and bound, so that rows which come and go between two pages neither repeat nor hide others.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::statement::Statement;

/// A list that can be sorted. Of its statement, `$1` is the organization, `$2` the `seq` of the row before the page, `$3`
/// the limit, `$4` whether this is the first page; `parameters` says how many there are before the sort values.
pub(crate) struct SortedList {
    pub(crate) name: &'static str,
    /// The statement up to its conditions, which end without the page's.
    pub(crate) select: &'static str,
    pub(crate) parameters: usize,
    /// The column that holds the `seq`.
    pub(crate) seq: &'static str,
    /// Every column or expression that the list can be sorted by.
    pub(crate) columns: &'static [&'static str],
}

impl SortedList {
    /// Returns the statement of an order: columns by their positions, each ascending or (`true`) descending.
    pub(crate) fn statement(&self, order: &[(usize, bool)]) -> Statement {
        /// Texts live as long as the program, because statements are compared and cached by them; there are only as
        /// many as there are orders.
        static TEXTS: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);
        let sql = self.sql(order);
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = *texts
            .entry(sql)
            .or_insert_with_key(|sql| Box::leak(sql.clone().into_boxed_str()));
        Statement { name: self.name, sql }
    }

    fn sql(&self, order: &[(usize, bool)]) -> String {
        let columns = order
            .iter()
            .enumerate()
            .map(|(position, (column, is_descending))| {
                (
                    self.columns[*column],
                    format!("${}", self.parameters + position + 1),
                    *is_descending,
                )
            });
        let mut after = Vec::new();
        let mut equal = String::new();
        let mut sorted = Vec::new();
        for (column, value, is_descending) in columns.chain([(self.seq, "$2".to_owned(), false)]) {
            let (comparison, direction) = if is_descending { ("<", " DESC") } else { (">", "") };
            after.push(format!("({equal}{column} {comparison} {value})"));
            equal = format!("{equal}{column} = {value} AND ");
            sorted.push(format!("{column}{direction}"));
        }
        format!(
            "{} AND (CAST($4 AS BOOLEAN) OR {}) ORDER BY {} LIMIT $3",
            self.select,
            after.join(" OR "),
            sorted.join(", ")
        )
    }

    /// Returns the statements of all orders by up to two columns, for the test that prepares them.
    pub(crate) fn samples(&self) -> Vec<Statement> {
        let keys: Vec<(usize, bool)> = (0..self.columns.len())
            .flat_map(|c| [(c, false), (c, true)])
            .collect();
        let mut samples = vec![self.statement(&[])];
        for first in &keys {
            samples.push(self.statement(&[*first]));
            for second in keys.iter().filter(|second| second.0 != first.0) {
                samples.push(self.statement(&[*first, *second]));
            }
        }
        samples
    }
}

/// Returns an order without repetitions: of a column that comes twice only the first counts, as the second can break
/// no tie.
pub(crate) fn distinct<K: Copy + PartialEq>(keys: &[(K, bool)]) -> Vec<(K, bool)> {
    let mut kept: Vec<(K, bool)> = Vec::new();
    for (key, is_descending) in keys {
        if kept.iter().all(|(known, _)| known != key) {
            kept.push((*key, *is_descending));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: SortedList = SortedList {
        name: "test",
        select: "SELECT x FROM t WHERE organization_id = $1",
        parameters: 4,
        seq: "seq",
        columns: &["a", "b"],
    };

    #[test]
    fn a_page_continues_after_all_sort_values_of_the_row_before_it() {
        let sql = LIST.statement(&[(0, true), (1, false)]).sql;
        assert!(
            sql.contains("(a < $5) OR (a = $5 AND b > $6) OR (a = $5 AND b = $6 AND seq > $2)"),
            "{sql}"
        );
        assert!(sql.ends_with("ORDER BY a DESC, b, seq LIMIT $3"), "{sql}");
    }

    #[test]
    fn every_order_of_two_columns_is_a_sample() {
        assert_eq!(LIST.samples().len(), 1 + 4 + 8);
        assert_eq!(
            distinct(&[('a', true), ('b', false), ('a', false)]),
            [('a', true), ('b', false)]
        );
    }
}
