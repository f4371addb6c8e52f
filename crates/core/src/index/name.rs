//! The name of a file in a draft: hashes of lists are called by their digits, of which a million take 32 bytes each here, and no
//! memory of their own.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::fingerprint::Code;

/// A file's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// So many of the digits that a code begins with; those behind them are 0.
    Digits(Code, u8),
    /// What is not all lower-case hexadecimal digits, at most 64 of them.
    Text(Box<str>),
}

impl Name {
    pub(super) fn of(text: Cow<'_, str>) -> Name {
        let code = Code::of_digits(text.as_bytes()).filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase()));
        match code {
            Some(code) => Name::Digits(code, text.len() as u8),
            None => Name::Text(text.into()),
        }
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Name::Digits(code, count) => {
                let mut digits = code.to_string();
                digits.truncate(usize::from(*count));
                Cow::Owned(digits)
            }
            Name::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl Ord for Name {
    /// The order of the texts.
    fn cmp(&self, other: &Name) -> Ordering {
        match (self, other) {
            // Zeros come before all other digits, and a shorter name before those that go on.
            (Name::Digits(code, count), Name::Digits(other, others)) => (code, count).cmp(&(other, others)),
            _ => self.text().cmp(&other.text()),
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_their_texts_and_in_their_order(a in "[0-2a-f]{0,66}|[0-9A-Gä/]{0,5}", b in "[0-2a-f]{0,3}|.{0,9}") {
            let (name, other) = (Name::of(a.as_str().into()), Name::of(b.as_str().into()));
            prop_assert_eq!(&*name.text(), &a);
            prop_assert_eq!(name.cmp(&other), a.cmp(&b));
            prop_assert_eq!(name == other, a == b);
        }
    }
}
