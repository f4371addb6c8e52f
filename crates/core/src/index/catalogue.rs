//! The catalogue's values: works and what is known of them.

use std::fmt;

use super::Identifier;

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

impl WorkId {
    /// Takes `text` as an id; `None` unless it is 1 to 512 bytes without control characters.
    pub fn new(text: impl Into<String>) -> Option<WorkId> {
        let text = text.into();
        ((1..=512).contains(&text.len()) && !text.chars().any(char::is_control)).then_some(WorkId(text))
    }

    /// One that was taken before.
    pub(super) fn known(text: &str) -> WorkId {
        WorkId(text.to_owned())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Work {
    /// A work of which nothing but its id is known.
    pub fn new(id: WorkId) -> Work {
        Work {
            id,
            title: None,
            holder: None,
            identifiers: Vec::new(),
            territory: None,
            window: None,
            policy: Policy::default(),
        }
    }

    /// False of a work as [`Work::new`] makes it.
    pub(super) fn says_more_than_its_id(&self) -> bool {
        let Work { id: _, title, holder, identifiers, territory, window, policy } = self;
        let texts = [title, holder, territory, window];
        texts.iter().any(|text| text.is_some()) || !identifiers.is_empty() || *policy != Policy::default()
    }
}

impl Policy {
    /// All policies, in the order of their numbers on disk.
    pub const ALL: [Policy; 3] = [Policy::Infringing, Policy::Licensed, Policy::Ignore];

    /// The name that catalogues and records use.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Infringing => "infringing",
            Policy::Licensed => "licensed",
            Policy::Ignore => "ignore",
        }
    }

    /// The policy of this name.
    pub fn named(name: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.name() == name)
    }
}
