//! A CSV file as a table: UTF-8 with or without byte-order mark, a header row, known columns.

use super::{Refusal, RowProblem};

/// Largest file, in octets: 16 MiB.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why a file is no table of the expected columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Too large.
    #[error("the file has {bytes} bytes; the most is {MAX_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 {
        /// The line, from 1.
        line: usize,
    },
    /// No header, or no row below it.
    #[error("the file has no row below its header")]
    Empty,
    /// A column that must be there is not.
    #[error("the column {column} is missing from the header")]
    MissingColumn {
        /// Its name.
        column: String,
    },
    /// A column that nobody knows.
    #[error("the column {column} is not known{}", nearest.as_ref().map(|n| format!("; the nearest is {n}")).unwrap_or_default())]
    UnknownColumn {
        /// Its name.
        column: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
    /// The same column twice.
    #[error("the column {column} stands twice in the header")]
    RepeatedColumn {
        /// Its name.
        column: String,
    },
    /// A line that is no CSV, or has another number of fields than the header.
    #[error("line {line}: {problem}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

/// A checked table.
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One row: its line and its fields by column.
pub(crate) struct Row {
    line: u64,
    fields: Vec<(String, String)>,
}

impl Table {
    pub(crate) fn read(
        file: &[u8],
        required: &[&str],
        optional: &[&str],
    ) -> Result<Self, FileProblem> {
        if file.len() > MAX_BYTES {
            return Err(FileProblem::TooLarge { bytes: file.len() });
        }
        let text = std::str::from_utf8(file).map_err(|error| {
            let before = file.get(..error.valid_up_to()).unwrap_or_default();
            FileProblem::NotUtf8 { line: before.split(|b| *b == b'\n').count() }
        })?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header: Vec<String> =
            reader.headers().map_err(malformed)?.iter().map(str::to_owned).collect();
        check_header(&header, required, optional)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(malformed)?;
            let line = record.position().map_or(0, csv::Position::line);
            let fields = header.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
            rows.push(Row { line, fields });
        }
        if rows.is_empty() { Err(FileProblem::Empty) } else { Ok(Self { rows }) }
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl Row {
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The field of a column; empty where the file has no such column.
    pub(crate) fn field(&self, column: &str) -> &str {
        self.fields.iter().find(|(name, _)| name == column).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn problem(&self, column: &str, refusal: Refusal) -> RowProblem {
        RowProblem { line: self.line, column: Some(column.to_owned()), refusal }
    }
}

fn check_header(
    header: &[String],
    required: &[&str],
    optional: &[&str],
) -> Result<(), FileProblem> {
    let known = || required.iter().chain(optional).copied();
    for (index, column) in header.iter().enumerate() {
        if !known().any(|name| name == column) {
            let nearest = known().min_by_key(|name| strsim::damerau_levenshtein(name, column));
            let nearest = nearest
                .filter(|name| strsim::damerau_levenshtein(name, column) <= 3)
                .map(str::to_owned);
            return Err(FileProblem::UnknownColumn { column: column.clone(), nearest });
        }
        if header.iter().take(index).any(|earlier| earlier == column) {
            return Err(FileProblem::RepeatedColumn { column: column.clone() });
        }
    }
    match required.iter().find(|name| !header.iter().any(|column| column == *name)) {
        Some(missing) => Err(FileProblem::MissingColumn { column: (*missing).to_owned() }),
        None => Ok(()),
    }
}

fn malformed(error: csv::Error) -> FileProblem {
    let line = error.position().map_or(1, csv::Position::line);
    let problem = if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
        format!("it has {len} fields, the header has {expected_len}")
    } else {
        error.to_string()
    };
    FileProblem::Malformed { line, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &[u8], expected: Result<usize, FileProblem>) {
        let got = Table::read(file, &["code", "name"], &["kind"]).map(|table| table.rows().len());
        assert_eq!(got, expected);
    }

    #[test]
    fn tables_are_read_with_and_without_byte_order_mark() {
        check(b"code,name\nA,x\n", Ok(1));
        check("\u{FEFF}name,code\r\n支店,A\r\n\"a,b\",B".as_bytes(), Ok(2));
    }

    #[test]
    fn what_is_no_table_is_told_by_line() {
        check(b"", Err(FileProblem::MissingColumn { column: "code".to_owned() }));
        check(b"code,name\n", Err(FileProblem::Empty));
        check(b"code\nA\n", Err(FileProblem::MissingColumn { column: "name".to_owned() }));
        check(
            b"code,nme\nA,x\n",
            Err(FileProblem::UnknownColumn {
                column: "nme".to_owned(),
                nearest: Some("name".to_owned()),
            }),
        );
        check(b"code,name,code\n", Err(FileProblem::RepeatedColumn { column: "code".to_owned() }));
        check(b"code,name\nA,\xFF\n", Err(FileProblem::NotUtf8 { line: 2 }));
        check(
            b"code,name\nA,x\nB\n",
            Err(FileProblem::Malformed {
                line: 3,
                problem: "it has 1 fields, the header has 2".to_owned(),
            }),
        );
    }
}
