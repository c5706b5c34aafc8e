//! Lists in an order that the caller chooses, page by page.
//!
//! A page begins after the place where the one before it ended, so that rows which come and go between two pages neither
//! repeat nor hide others. Where the sort values of a row never change, the place is its `seq`, by which they are looked
//! up. Where they can, the place is the sort values themselves, as they were when the page ended.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use forge_domain::{Direction, Sort};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, Value};
use crate::rows::Rows;
use crate::statement::Statement;
use crate::tx::Tx;

/// A value that rows are sorted by.
///
/// Texts are compared by code point, as the database does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// A number, a flag or a time.
    Integer(i64),
    /// A text.
    Text(String),
}

/// The sort values of a row in some order, and what breaks its ties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// A value for each key of the order.
    pub values: Vec<SortValue>,
    /// The row's `seq`.
    pub seq: i64,
}

/// Where a page of a list begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// After the row of this `seq`; 0 is the start of the list.
    Row(i64),
    /// After this position, whatever is there by now.
    Position(Position),
}

impl From<i64> for Place {
    fn from(seq: i64) -> Self {
        Self::Row(seq)
    }
}

/// How the place of a row in a sorted list is found again.
pub(crate) enum Places {
    /// By its sort values of now, because they never change. The statement finds them: its last parameter is the row's
    /// `seq`, those before it are the scope of the list, with the organization first.
    Fixed(Statement),
    /// Only by its position of then, because rows move. Without sort keys, the statement tells whether there is such a
    /// row; its parameters are the same.
    Moving(Statement),
}

/// A list that can be sorted.
///
/// Of its statement, `$1` is the organization, `$2` the `seq` of the row before the page, `$3` the limit, `$4` whether
/// this is the first page; `parameters` says how many there are before the sort values.
pub(crate) struct SortedList {
    pub(crate) name: &'static str,
    /// The statement up to its conditions, which end without the page's.
    pub(crate) select: &'static str,
    pub(crate) parameters: usize,
    /// The column that holds the `seq`.
    pub(crate) seq: &'static str,
    /// What the list can be sorted by.
    pub(crate) columns: &'static [SortColumn],
    /// How a place in it is found again.
    pub(crate) places: Places,
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

    /// Returns a value of this column as it is bound, or `None` if it is of another type.
    fn bound(&self, value: &SortValue) -> Option<Value> {
        match value {
            SortValue::Text(text) if self.is_text => Some(Value::from(text)),
            SortValue::Integer(integer) if !self.is_text => Some(Value::from(*integer)),
            _ => None,
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

/// The parameters of a list, beside the page's.
pub(crate) struct ListArgs {
    /// What finds a place in it, with the organization first.
    pub(crate) scope: Vec<Value>,
    /// Those of its statement after the first four.
    pub(crate) filters: Vec<Value>,
}

impl Tx {
    /// Returns up to `limit` rows of a list that come after a place in the order asked for, as far as there is room.
    ///
    /// Returns `None` if there is no such place.
    pub(crate) async fn page<T>(
        &mut self,
        list: &SortedList,
        args: ListArgs,
        order: &[Sort<usize>],
        page: PageRequest<impl Into<Place>>,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<Rows<T>>, StoreError> {
        let columns: Vec<&SortColumn> = order.iter().map(|sort| &list.columns[sort.key]).collect();
        let ListArgs { scope, filters } = args;
        let mut args = scope.iter().take(1).cloned().collect::<Vec<_>>();
        let (seq, values) = match page.after.into() {
            Place::Row(0) => (0, Some(columns.iter().map(|column| column.nothing()).collect())),
            Place::Row(seq) => (seq, self.values_of_row(list, scope, &columns, seq).await?),
            Place::Position(Position { values, seq }) => (seq, bound(&columns, &values)),
        };
        let Some(values) = values else {
            return Ok(None);
        };
        args.extend([seq.into(), page.limit.into(), (seq == 0).into()]);
        args.extend(filters);
        args.extend(values);
        self.some(&list.statement(order), args, decode).await.map(Some)
    }

    /// Returns the sort values of a row, or `None` if there is no such row, or if it could have moved.
    async fn values_of_row(
        &mut self,
        list: &SortedList,
        mut place: Vec<Value>,
        columns: &[&SortColumn],
        seq: i64,
    ) -> Result<Option<Vec<Value>>, StoreError> {
        let statement = match &list.places {
            Places::Fixed(statement) => statement,
            Places::Moving(statement) if columns.is_empty() => statement,
            Places::Moving(_) => return Ok(None),
        };
        place.push(seq.into());
        let values = |row: &Row<'_>| columns.iter().map(|column| column.value(row)).collect();
        self.optional(statement, place, values).await
    }
}

/// Returns values as they are bound, or `None` if they are not the columns'.
fn bound(columns: &[&SortColumn], values: &[SortValue]) -> Option<Vec<Value>> {
    if columns.len() != values.len() {
        return None;
    }
    let pairs = columns.iter().zip(values);
    pairs.map(|(column, value)| column.bound(value)).collect()
}

impl SortedList {
    /// Returns the statement of an order: columns by their positions.
    pub(crate) fn statement(&self, order: &[Sort<usize>]) -> Statement {
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

    fn sql(&self, order: &[Sort<usize>]) -> String {
        let columns = order.iter().enumerate().map(|(position, sort)| {
            (
                self.columns[sort.key].sql,
                format!("${}", self.parameters + position + 1),
                sort.direction,
            )
        });
        let mut after = Vec::new();
        let mut equal = String::new();
        let mut sorted = Vec::new();
        for (column, value, direction) in columns.chain([(self.seq, "$2".to_owned(), Direction::Ascending)]) {
            let (comparison, suffix) = match direction {
                Direction::Ascending => (">", ""),
                Direction::Descending => ("<", " DESC"),
            };
            after.push(format!("({equal}{column} {comparison} {value})"));
            equal = format!("{equal}{column} = {value} AND ");
            sorted.push(format!("{column}{suffix}"));
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
        let keys: Vec<Sort<usize>> = (0..self.columns.len())
            .flat_map(|c| [Direction::Ascending.of(c), Direction::Descending.of(c)])
            .collect();
        let mut samples = vec![self.statement(&[])];
        for first in &keys {
            samples.push(self.statement(&[*first]));
            for second in keys.iter().filter(|second| second.key != first.key) {
                samples.push(self.statement(&[*first, *second]));
            }
        }
        samples
    }
}

/// Returns an order by the positions of columns, without repetitions: of a column that comes twice only the first
/// counts, as the second can break no tie.
pub(crate) fn order<K: Copy>(keys: &[Sort<K>], column: impl Fn(K) -> usize) -> Vec<Sort<usize>> {
    let mut order: Vec<Sort<usize>> = Vec::new();
    for sort in keys {
        let sort = sort.map(&column);
        if order.iter().all(|known| known.key != sort.key) {
            order.push(sort);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use forge_domain::Direction::{Ascending, Descending};

    use super::*;

    const LIST: SortedList = SortedList {
        name: "test",
        select: "SELECT x FROM t WHERE organization_id = $1",
        parameters: 4,
        seq: "seq",
        columns: &[SortColumn::integer("a"), SortColumn::text("b")],
        places: Places::Fixed(Statement {
            name: "test values",
            sql: "SELECT a, b FROM t WHERE organization_id = $1 AND seq = $2",
        }),
    };

    #[test]
    fn a_page_continues_after_all_sort_values_of_the_row_before_it() {
        let sql = LIST.statement(&[Descending.of(0), Ascending.of(1)]).sql;
        assert!(
            sql.contains("(a < $5) OR (a = $5 AND b > $6) OR (a = $5 AND b = $6 AND seq > $2)"),
            "{sql}"
        );
        assert!(sql.ends_with("ORDER BY a DESC, b, seq LIMIT $3"), "{sql}");
    }

    #[test]
    fn a_position_is_of_the_types_of_its_columns() {
        let columns: Vec<&SortColumn> = LIST.columns.iter().collect();
        let (number, text) = (SortValue::Integer(1), SortValue::Text("x".to_owned()));
        assert!(bound(&columns, &[number.clone(), text.clone()]).is_some());
        for wrong in [
            vec![text.clone(), number.clone()],
            vec![number],
            vec![text.clone(), text],
        ] {
            assert!(bound(&columns, &wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn every_order_of_two_columns_is_a_sample() {
        assert_eq!(LIST.samples().len(), 1 + 4 + 8);
        assert_eq!(
            order(
                &[Descending.of('a'), Ascending.of('b'), Ascending.of('a')],
                |key| key as usize
            ),
            [Descending.of('a' as usize), Ascending.of('b' as usize)]
        );
    }
}
