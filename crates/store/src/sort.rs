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
/// Each order, each choice of filters and each part of a page has its own statement, so that an index answers it: see
/// `README.md` about conditions.
pub(crate) struct SortedList {
    pub(crate) name: &'static str,
    /// The statement up to its conditions, of which those on the scope are there: `$1` is the organization.
    pub(crate) select: &'static str,
    /// How many parameters the scope has.
    pub(crate) scope: usize,
    /// Conditions that are left out where nothing is asked for; `?` stands for the value.
    pub(crate) filters: &'static [&'static str],
    /// The column that holds the `seq`.
    pub(crate) seq: &'static str,
    /// What the list can be sorted by.
    pub(crate) columns: &'static [SortColumn],
    /// How a place in it is found again.
    pub(crate) places: Places,
}

/// Which rows of a list a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of them.
    Whole,
    /// Those after a place that share so many of its first sort values, and no more.
    After(usize),
}

/// Something that a list can be sorted by.
pub(crate) struct SortColumn {
    /// Its name in the row of sort values.
    name: &'static str,
    /// The column or expression in the list.
    sql: &'static str,
    is_text: bool,
    /// Whether its texts may be longer than what an index holds, so that only their beginnings are indexed.
    is_long: bool,
}

/// How many characters of a long text are indexed.
const INDEXED: usize = 200;

impl SortColumn {
    /// A column of texts.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self {
            name,
            sql: name,
            is_text: true,
            is_long: false,
        }
    }

    /// A column of texts of any length.
    pub(crate) const fn long_text(name: &'static str) -> Self {
        Self {
            is_long: true,
            ..Self::text(name)
        }
    }

    /// A column of integers.
    pub(crate) const fn integer(name: &'static str) -> Self {
        Self {
            name,
            sql: name,
            is_text: false,
            is_long: false,
        }
    }

    /// The same, which is an expression in the list.
    pub(crate) const fn of(self, sql: &'static str) -> Self {
        Self { sql, ..self }
    }

    /// Returns the terms of an `ORDER BY`.
    fn order(&self, direction: Direction) -> String {
        let (column, suffix) = (self.sql, suffix(direction));
        if self.is_long {
            format!("substr({column}, 1, {INDEXED}){suffix}, {column}{suffix}")
        } else {
            format!("{column}{suffix}")
        }
    }

    /// Returns the condition that it is equal to a parameter.
    fn is(&self, parameter: &str) -> String {
        let column = self.sql;
        if self.is_long {
            let beginning = format!("substr(CAST({parameter} AS TEXT), 1, {INDEXED})");
            format!("substr({column}, 1, {INDEXED}) = {beginning} AND {column} = {parameter}")
        } else {
            format!("{column} = {parameter}")
        }
    }

    /// Returns the condition that it comes after a parameter.
    fn is_after(&self, parameter: &str, direction: Direction) -> String {
        let (column, comparison) = (self.sql, comparison(direction));
        if self.is_long {
            let beginning = format!("substr(CAST({parameter} AS TEXT), 1, {INDEXED})");
            format!(
                "substr({column}, 1, {INDEXED}) {comparison}= {beginning} AND {column} {comparison} {parameter}"
            )
        } else {
            format!("{column} {comparison} {parameter}")
        }
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
}

fn comparison(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => ">",
        Direction::Descending => "<",
    }
}

fn suffix(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    }
}

/// The parameters of a list, beside the page's.
pub(crate) struct ListArgs {
    /// What it is a list of, with the organization first.
    pub(crate) scope: Vec<Value>,
    /// The values of its filters, or null where nothing is asked for.
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
        let (seq, values) = match page.after.into() {
            Place::Row(0) => (0, None),
            Place::Row(seq) => (
                seq,
                Some(self.values_of_row(list, scope.clone(), &columns, seq).await?),
            ),
            Place::Position(Position { values, seq }) => (seq, Some(bound(&columns, &values))),
        };
        let is_asked: Vec<bool> = filters.iter().map(|value| !value.is_null()).collect();
        let mut args = scope;
        args.extend(filters.into_iter().filter(|value| !value.is_null()));
        let Some(values) = values else {
            args.push(page.limit.into());
            let statement = list.statement(order, &is_asked, Part::Whole);
            return self.some(&statement, args, decode).await.map(Some);
        };
        let Some(values) = values else {
            return Ok(None);
        };
        // What shares most with the place comes first.
        let mut rows = Rows::for_room(self.room);
        for shared in (0..=order.len()).rev() {
            let missing = page
                .limit
                .saturating_sub(i64::try_from(rows.len()).unwrap_or(i64::MAX));
            if missing <= 0 || rows.is_cut() {
                break;
            }
            let mut args = args.clone();
            args.push(missing.into());
            args.extend(values.iter().take(shared + 1).cloned());
            if shared == order.len() {
                args.push(seq.into());
            }
            let statement = list.statement(order, &is_asked, Part::After(shared));
            let room = self.room.saturating_sub(rows.bytes());
            for (row, bytes) in self.rows(&statement, args, &decode, room).await? {
                rows.push(row, bytes);
            }
        }
        Ok(Some(rows))
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
    /// Returns the statement of an order, columns by their positions, with those filters that are asked for.
    fn statement(&self, order: &[Sort<usize>], is_asked: &[bool], part: Part) -> Statement {
        /// Texts live as long as the program, because statements are compared and cached by them; there are only as
        /// many as there are orders.
        static TEXTS: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);
        let sql = self.sql(order, is_asked, part);
        let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = *texts
            .entry(sql)
            .or_insert_with_key(|sql| Box::leak(sql.clone().into_boxed_str()));
        Statement { name: self.name, sql }
    }

    fn sql(&self, order: &[Sort<usize>], is_asked: &[bool], part: Part) -> String {
        let mut parameters = (self.scope + 1..).map(|number| format!("${number}"));
        let mut next = || parameters.next().unwrap_or_default();
        let mut sql = self.select.to_owned();
        for (filter, _) in self
            .filters
            .iter()
            .zip(is_asked)
            .filter(|(_, is_asked)| **is_asked)
        {
            sql = format!("{sql} AND {}", filter.replace('?', &next()));
        }
        let limit = next();
        let shared = match part {
            Part::Whole => 0,
            Part::After(shared) => shared,
        };
        for sort in order.iter().take(shared) {
            sql = format!("{sql} AND {}", self.columns[sort.key].is(&next()));
        }
        if part != Part::Whole {
            let after = match order.get(shared) {
                Some(sort) => self.columns[sort.key].is_after(&next(), sort.direction),
                None => format!("{} > {}", self.seq, next()),
            };
            sql = format!("{sql} AND {after}");
        }
        let rest = order.iter().skip(shared);
        let mut sorted: Vec<String> = rest
            .map(|sort| self.columns[sort.key].order(sort.direction))
            .collect();
        sorted.push(self.seq.to_owned());
        format!("{sql} ORDER BY {} LIMIT {limit}", sorted.join(", "))
    }

    /// Returns the statements of all orders by up to two columns, without filters and with each of them, for the tests
    /// of all statements.
    pub(crate) fn samples(&self) -> Vec<Statement> {
        let keys: Vec<Sort<usize>> = (0..self.columns.len())
            .flat_map(|c| [Direction::Ascending.of(c), Direction::Descending.of(c)])
            .collect();
        let mut orders = vec![Vec::new()];
        for first in &keys {
            orders.push(vec![*first]);
            for second in keys.iter().filter(|second| second.key != first.key) {
                orders.push(vec![*first, *second]);
            }
        }
        let mut samples = Vec::new();
        for order in &orders {
            let parts = (0..=order.len()).map(Part::After);
            for part in std::iter::once(Part::Whole).chain(parts) {
                samples.push(self.statement(order, &[], part));
                for asked in 0..self.filters.len() {
                    let is_asked: Vec<bool> = (0..self.filters.len()).map(|filter| filter == asked).collect();
                    samples.push(self.statement(order, &is_asked, part));
                }
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
        scope: 1,
        filters: &["c = ?"],
        seq: "seq",
        columns: &[SortColumn::integer("a"), SortColumn::text("b")],
        places: Places::Fixed(Statement {
            name: "test values",
            sql: "SELECT a, b FROM t WHERE organization_id = $1 AND seq = $2",
        }),
    };

    #[test]
    fn a_page_continues_after_all_sort_values_of_the_row_before_it() {
        let order = [Descending.of(0), Ascending.of(1)];
        let sql = |part| {
            LIST.statement(&order, &[true], part)
                .sql
                .rsplit_once("$1 AND ")
                .unwrap()
                .1
        };
        assert_eq!(sql(Part::Whole), "c = $2 ORDER BY a DESC, b, seq LIMIT $3");
        assert_eq!(
            sql(Part::After(0)),
            "c = $2 AND a < $4 ORDER BY a DESC, b, seq LIMIT $3"
        );
        assert_eq!(
            sql(Part::After(1)),
            "c = $2 AND a = $4 AND b > $5 ORDER BY b, seq LIMIT $3"
        );
        assert_eq!(
            sql(Part::After(2)),
            "c = $2 AND a = $4 AND b = $5 AND seq > $6 ORDER BY seq LIMIT $3"
        );
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
        assert_eq!(LIST.samples().len(), 2 * (2 + 4 * 3 + 8 * 4));
        assert_eq!(
            order(
                &[Descending.of('a'), Ascending.of('b'), Ascending.of('a')],
                |key| key as usize
            ),
            [Descending.of('a' as usize), Ascending.of('b' as usize)]
        );
    }
}
