//! The catalogue's values: works and what is known of them.

/// A work's id, as its owner chose it: 1 to 512 bytes of UTF-8 without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WorkId(String);

/// A registered work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Work {
    /// Its id, unique in an index.
    pub id: WorkId,
    /// Its title.
    pub title: Option<String>,
    /// Who holds the rights.
    pub holder: Option<String>,
    /// Registered identifiers, check digits verified.
    pub identifiers: Vec<Identifier>,
    /// Where the rights hold, for example `world` or `US;DE`.
    pub territory: Option<String>,
    /// When they hold: `from/to`, ISO 8601 dates, either side may be `..`.
    pub window: Option<String>,
    /// What a match means.
    pub policy: Policy,
}

/// What a match on a work means to its holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Policy {
    /// A copy is an infringement.
    #[default]
    Infringing,
    /// Copies are licensed.
    Licensed,
    /// Matches are recorded and otherwise ignored.
    Ignore,
}

/// A registered identifier whose form and check digit were verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identifier {
    /// The register.
    pub scheme: Scheme,
    /// The identifier in its canonical form.
    pub value: String,
}

/// A register of works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Scheme {
    /// Entertainment Identifier Registry, ISO 26324: `10.5240/XXXX-XXXX-XXXX-XXXX-XXXX-C`.
    Eidr,
    /// International Standard Audiovisual Number, ISO 15706.
    Isan,
    /// International Standard Recording Code, ISO 3901.
    Isrc,
    /// International Standard Musical Work Code, ISO 15707.
    Iswc,
    /// International Standard Book Number, ISO 2108.
    Isbn,
}

impl WorkId {
    /// Takes `text` as an id; `None` unless it is 1 to 512 bytes without control characters.
    pub fn new(text: impl Into<String>) -> Option<WorkId> {
        let text = text.into();
        ((1..=512).contains(&text.len()) && !text.chars().any(char::is_control)).then_some(WorkId(text))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
