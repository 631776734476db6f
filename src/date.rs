//! The date of a run: what a template's `"now" | date` shows. The clock is read once, outside the pure part, and the
//! lock records the date that was shown, so that the next render shows the same.

use std::fmt;

use liquid_core::model::DateTime;

/// A date with its time, in UTC, to the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Date(DateTime);

impl Date {
    /// Seconds after the start of 1970; none for a date that no calendar has.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        DateTime::from_str(&seconds.to_string()).map(Self)
    }

    /// Reads what [`Display`](fmt::Display) writes: `2026-02-28T12:00:00Z`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let date = DateTime::from_str(&text.strip_suffix('Z')?.replacen('T', " ", 1)).map(Self)?;
        (date.to_string() == text).then_some(date)
    }

    /// The date as Liquid knows it.
    pub(crate) fn for_liquid(self) -> DateTime {
        self.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(&text.trim_end_matches(" +0000").replacen(' ', "T", 1))?;
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        for (seconds, text) in [(0, "1970-01-01T00:00:00Z"), (1_772_280_000, "2026-02-28T12:00:00Z")] {
            let date = Date::from_unix(seconds).unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(Date::parse(text), Some(date));
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["now", "nowZ", "", "2026-02-30T12:00:00Z", "2026-02-28", "2026-02-28T12:00:00+01:00", "1772280000Z"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert_eq!(Date::from_unix(i64::MAX), None);
    }
}
