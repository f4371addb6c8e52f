//! The chain: each line carries the BLAKE3 of the line before, and the first that of the run's settings, so that a line
//! that is changed, removed or moved shows, and the head stands for all. Whoever can rewrite the whole file can rebuild
//! the chain: keep the head elsewhere.

use crate::escape;
use crate::record::{Line, Record, RunRecord, Schema};

/// Makes lines, or follows them; see the module.
#[derive(Clone, Debug)]
pub struct Chain {
    head: String,
}

/// A line that does not continue its chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No record.
    #[error("expected a record of the schema {schema}, found: {error}", schema = crate::SCHEMA)]
    Record {
        /// What reading it met.
        #[from]
        error: serde_json::Error,
    },
    /// The line before is not the one that it names.
    #[error(
        "expected a line after the one with the digest {expected}, found one after {found}: a line was changed, removed or moved"
    )]
    Broken {
        /// The digest of the line before.
        expected: String,
        /// The digest that the line names.
        found: String,
    },
}

impl Chain {
    /// The chain of a run, before its first line.
    ///
    /// # Errors
    /// As `serde_json`; a run's settings have none.
    pub fn of(run: &RunRecord) -> serde_json::Result<Chain> {
        Ok(Chain { head: digest(&escape::json(run)?) })
    }

    /// The digest of the last line, hexadecimal.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The next line, and its JSON without a line feed.
    ///
    /// # Errors
    /// As `serde_json`; records have none.
    pub fn add(&mut self, record: Record) -> serde_json::Result<(Line, String)> {
        let line = Line { schema: Schema, record, previous: self.head.clone() };
        let json = escape::json(&line)?;
        self.head = digest(&json);
        Ok((line, json))
    }

    /// Follows a line that was written before, without its line feed.
    ///
    /// # Errors
    /// [`ChainError`] where it is no record or does not follow.
    pub fn follow(&mut self, json: &str) -> Result<Line, ChainError> {
        let line = Line::parse(json)?;
        if line.previous != self.head {
            return Err(ChainError::Broken { expected: self.head.clone(), found: line.previous });
        }
        self.head = digest(json);
        Ok(line)
    }
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ItemRecord;

    fn lines(count: usize) -> (Chain, Vec<String>) {
        let mut chain = Chain { head: digest("settings") };
        let begin = chain.clone();
        let item = |n| ItemRecord { path: format!("{n}.jpg"), outcome: "no-match".to_owned(), ..ItemRecord::default() };
        let lines = (0..count).map(|n| chain.add(Record::Item(Box::new(item(n)))).unwrap().1).collect();
        (begin, lines)
    }

    fn follow(mut chain: Chain, lines: &[String]) -> Result<String, ChainError> {
        for line in lines {
            chain.follow(line)?;
        }
        Ok(chain.head)
    }

    #[test]
    fn what_is_changed_removed_or_moved_breaks_the_chain() {
        let (chain, lines) = lines(5);
        let head = follow(chain.clone(), &lines).unwrap();
        assert_eq!(head, digest(&lines[4]));
        let broken = |lines: &[String]| assert!(follow(chain.clone(), lines).is_err(), "{lines:?}");
        broken(&lines[1..]);
        broken(&[&lines[..2], &lines[3..]].concat());
        broken(&[lines[0].clone(), lines[2].clone(), lines[1].clone()]);
        let mut changed = lines.clone();
        changed[2] = changed[2].replace("2.jpg", "3.jpg");
        broken(&changed);
        // A tail that is cut off does not show in the chain; it shows in its head.
        assert_ne!(follow(chain, &lines[..4]).unwrap(), head);
    }

    #[test]
    fn a_newer_schema_is_refused_by_name() {
        let (mut chain, lines) = lines(1);
        let error = chain.follow(&lines[0].replace("record/0", "record/9")).unwrap_err().to_string();
        assert!(error.contains("minutia/record/0") && error.contains("minutia/record/9"), "{error}");
    }
}
