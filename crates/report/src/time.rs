//! Times in records: RFC 3339 in UTC, from the seconds that file systems keep.

/// The time `nanoseconds` after `seconds` since 1970, as `2026-11-24T15:11:02.5Z`; the fraction only as long as it must be.
/// Years outside of 0..=9999 have more digits or a sign, as ISO 8601 extends them.
///
/// ```
/// assert_eq!(minutia_report::rfc3339(0, 0), "1970-01-01T00:00:00Z");
/// assert_eq!(minutia_report::rfc3339(1_709_164_800, 250_000_000), "2024-02-29T00:00:00.25Z");
/// ```
pub fn rfc3339(seconds: i64, nanoseconds: u32) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = match nanoseconds {
        0 => String::new(),
        some => format!(".{some:09}").trim_end_matches('0').to_owned(),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Year, month and day of the proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March, so that
/// the leap day is the last of its year.
fn civil(days_since_1970: i64) -> (i64, i64, i64) {
    let days = days_since_1970.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from `date -u -d @SECONDS +%FT%TZ` (GNU coreutils 9).
    #[test]
    fn agrees_with_date() {
        let check = |seconds, expected: &str| assert_eq!(rfc3339(seconds, 0), expected);
        check(-1, "1969-12-31T23:59:59Z");
        check(951_782_399, "2000-02-28T23:59:59Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(951_868_800, "2000-03-01T00:00:00Z");
        check(4_107_542_399, "2100-02-28T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
        check(253_402_300_799, "9999-12-31T23:59:59Z");
        check(-62_135_596_800, "0001-01-01T00:00:00Z");
        check(1_764_000_000, "2025-11-24T16:00:00Z");
    }

    #[test]
    fn every_day_follows_the_day_before() {
        let mut before = civil(-800_000);
        for days in -799_999..800_000 {
            let (year, month, day) = civil(days);
            let leap = (before.0 % 4 == 0 && before.0 % 100 != 0) || before.0 % 400 == 0;
            let last = match before.1 {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match before {
                (y, 12, 31) => (y + 1, 1, 1),
                (y, m, d) if d == last => (y, m + 1, 1),
                (y, m, d) => (y, m, d + 1),
            };
            assert_eq!((year, month, day), expected);
            before = expected;
        }
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        for seconds in [i64::MIN, i64::MAX] {
            assert!(rfc3339(seconds, 999_999_999).ends_with(".999999999Z"));
        }
    }
}
