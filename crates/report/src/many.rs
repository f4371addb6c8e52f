//! Counts for people.

/// `1 file`, `2 files`; and `1 hash`, `2 hashes`.
#[must_use]
pub fn many(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ if thing.ends_with('h') || thing.ends_with('x') => format!("{count} {thing}es"),
        _ => format!("{count} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::many;

    #[test]
    fn one_has_no_plural() {
        assert_eq!([0, 1, 2].map(|count| many(count, "file")), ["0 files", "1 file", "2 files"]);
        assert_eq!([1, 2].map(|count| many(count, "hash")), ["1 hash", "2 hashes"]);
        assert_eq!([1, 2].map(|count| many(count, "index")), ["1 index", "2 indexes"]);
    }
}
