//! Lists in an order that the caller chooses, page by page.
//!
//! A page begins after the row whose `seq` ended the page before it. That row's values in each sort column are looked
//! up and bound, so that rows which come and go between two pages neither repeat nor hide others.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::StoreError;
use crate::row::{Row, Value};
use crate::statement::Statement;
use crate::tx::Tx;

/// A list that can be sorted. Of its statement, `$1` is the organization, `$2` the `seq` of the row before the page, `$3`
/// the limit, `$4` whether this is the first page; `parameters` says how many there are before the sort values.
pub(crate) struct SortedList {
    pub(crate) name: &'static str,
    /// The statement up to its conditions, which end without the page's.
    pub(crate) select: &'static str,
    pub(crate) parameters: usize,
    /// The column that holds the `seq`.
    pub(crate) seq: &'static str,
    /// What the list can be sorted by.
    pub(crate) columns: &'static [SortColumn],
    /// Finds the sort values of one row: the last parameter is its `seq`, those before it are the scope of the list, with
    /// the organization first.
    pub(crate) values: Statement,
}

/// Something that a list can be sorted by.
pub(crate) struct SortColumn {
    /// Its name in the row of sort values.
    name: &'static str,
    /// The column or expression in the list.
    sql: &'static str,
    is_text: bool,
}

impl SortColumn {
    /// A column of texts.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self {
            name,
            sql: name,
            is_text: true,
        }
    }

    /// A column of integers.
    pub(crate) const fn integer(name: &'static str) -> Self {
        Self {
            name,
            sql: name,
            is_text: false,
        }
    }

    /// The same, which is an expression in the list.
    pub(crate) const fn of(self, sql: &'static str) -> Self {
        Self { sql, ..self }
    }

    fn value(&self, row: &Row<'_>) -> Result<Value, StoreError> {
        if self.is_text {
            row.text(self.name).map(Value::from)
        } else {
            row.integer(self.name).map(Value::from)
        }
    }

    /// Returns what is bound where there is no row: something of the right type.
    fn nothing(&self) -> Value {
        if self.is_text {
            Value::from("")
        } else {
            Value::from(0)
        }
    }
}

impl Tx {
    /// Returns up to `limit` rows of a list that come after the one at the place `after` in the order asked for; 0 is the
    /// start. Returns nothing if there is no row at that place. `filters` are the list's parameters after the first four.
    pub(crate) async fn page<T>(
        &mut self,
        list: &SortedList,
        (scope, filters): (Vec<Value>, Vec<Value>),
        order: &[(usize, bool)],
        (after, limit): (i64, i64),
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<Vec<T>>, StoreError> {
        let columns = || order.iter().map(|(column, _)| &list.columns[*column]);
        let mut args = scope.iter().take(1).cloned().collect::<Vec<_>>();
        args.extend([after.into(), limit.into(), (after == 0).into()]);
        args.extend(filters);
        if after == 0 {
            args.extend(columns().map(SortColumn::nothing));
        } else {
            let mut place = scope;
            place.push(after.into());
            let values = |row: &Row<'_>| columns().map(|column| column.value(row)).collect();
            let found: Option<Vec<Value>> = self.optional(&list.values, place, values).await?;
            let Some(values) = found else {
                return Ok(None);
            };
            args.extend(values);
        }
        self.all(&list.statement(order), args, decode).await.map(Some)
    }
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
                    self.columns[*column].sql,
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

/// Returns an order by the positions of columns, without repetitions: of a column that comes twice only the first counts,
/// as the second can break no tie.
pub(crate) fn order<K: Copy>(keys: &[(K, bool)], column: impl Fn(K) -> usize) -> Vec<(usize, bool)> {
    let mut order: Vec<(usize, bool)> = Vec::new();
    for (key, is_descending) in keys {
        let column = column(*key);
        if order.iter().all(|(known, _)| *known != column) {
            order.push((column, *is_descending));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: SortedList = SortedList {
        name: "test",
        select: "SELECT x FROM t WHERE organization_id = $1",
        parameters: 4,
        seq: "seq",
        columns: &[SortColumn::integer("a"), SortColumn::text("b")],
        values: Statement {
            name: "test values",
            sql: "SELECT a, b FROM t WHERE organization_id = $1 AND seq = $2",
        },
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
            order(&[('a', true), ('b', false), ('a', false)], |key| key as usize),
            [('a' as usize, true), ('b' as usize, false)]
        );
    }
}
