//! What the fields of a row or object mean, whatever form they came in: their names, their values, and the hash that they
//! make up.

use std::borrow::Cow;

use minutia::fingerprint::{Algorithm, AlgorithmId, Code, Region, RegionKind};
use minutia::index::{Identifier, Policy, WorkId};

use super::{Hash, ListedWork, Read, Wrong, vpdq};
use crate::convert::region_kind;
use crate::escape;

/// A field that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Hash,
    Id,
    Holder,
    Quality,
    Algorithm,
    Title,
    Identifiers,
    Territory,
    Window,
    Policy,
    Category,
    File,
    Digest,
    Frame,
    Time,
    Seconds,
    Width,
    Height,
    Region,
}

/// The columns that are written, in order.
pub const COLUMNS: [&str; 15] = [
    "hash",
    "id",
    "holder",
    "quality",
    "algorithm",
    "title",
    "identifiers",
    "territory",
    "window",
    "policy",
    "file",
    "blake3",
    "frame",
    "time_ms",
    "region",
];

/// The names under which each field is found: ours first, then those of python-threatexchange and HMA, of
/// `minutia index export` and of `minutia fingerprint --json`.
pub(super) const NAMES: &[(Field, &[&str])] = &[
    (Field::Hash, &["hash", "hex", "signal_str", "signal", "signal_value", "indicator"]),
    (Field::Id, &["id", "work_id", "work", "content_id", "indicator_id"]),
    (Field::Holder, &["holder", "owner", "collab"]),
    (Field::Quality, &["quality"]),
    (Field::Algorithm, &["algorithm", "signal_type", "type"]),
    (Field::Title, &["title"]),
    (Field::Identifiers, &["identifiers"]),
    (Field::Territory, &["territory"]),
    (Field::Window, &["window"]),
    (Field::Policy, &["policy"]),
    (Field::Category, &["category"]),
    (Field::File, &["file", "path"]),
    (Field::Digest, &["blake3"]),
    (Field::Frame, &["frame"]),
    (Field::Time, &["time_ms"]),
    (Field::Seconds, &["seconds", "timestamp"]),
    (Field::Width, &["width"]),
    (Field::Height, &["height"]),
    (Field::Region, &["region"]),
];

/// Kinds of signal that python-threatexchange knows beside codes of pictures.
const OTHER_SIGNALS: &[&str] = &[
    "md5",
    "pdf",
    "pdq_ocr",
    "raw_text",
    "sha256",
    "text_tlsh",
    "tlsh",
    "tlsh_pdf",
    "trend_query",
    "url",
    "url_md5",
    "video_md5",
    "video_sha256",
    "video_tmk_pdqf",
];

const CATEGORIES: &[&str] = &["POSITIVE_CLASS", "NEGATIVE_CLASS", "INVESTIGATION_SEED", "DISPUTED"];

/// The field of this name.
pub(super) fn named(name: &str) -> Option<Field> {
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    NAMES.iter().find(|(_, names)| names.iter().any(&is)).map(|&(field, _)| field)
}

pub(super) fn is_other_signal(word: &str) -> bool {
    OTHER_SIGNALS.contains(&word)
}

/// True for the name of film frames' hashes, in any case.
pub(super) fn is_vpdq(word: &str) -> bool {
    word.trim().eq_ignore_ascii_case(vpdq::NAME)
}

pub(super) fn is_category(word: &str) -> bool {
    CATEGORIES.contains(&word)
}

/// The algorithm of this name, as lists write it: in any case, and as the exchange's interface names PDQ.
pub(super) fn algorithm(name: &str) -> Option<&'static Algorithm> {
    let name = name.trim().to_ascii_lowercase().replace('_', "-");
    AlgorithmId::named(if name == "hash-pdq" { "pdq" } else { &name })
}

/// True for what may be a hash of some algorithm: at least 10 hexadecimal digits, of which the shortest has so many, and
/// nothing else.
pub(super) fn is_digits(word: &str) -> bool {
    word.len() >= 10 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Found text for a message: escaped, and not much of it.
pub(super) fn shown(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let start: String = text.chars().take(40).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", escape::text(&start))
}

/// What the fields of one line make up.
pub(super) fn read<'a>(line: u64, default: &'static Algorithm, get: impl Fn(Field) -> Option<Cow<'a, str>>) -> Read {
    // Empty cells say nothing.
    let get = |field| get(field).filter(|text| !text.is_empty());
    let algorithm = match get(Field::Algorithm) {
        None => default,
        Some(name) if is_vpdq(&name) => return vpdq::of_fields(line, &get),
        Some(name) => match algorithm(&name) {
            Some(algorithm) => algorithm,
            None => return Read::Other(name.into_owned()),
        },
    };
    hash(line, algorithm, get)
        .map_or_else(|message| Read::Wrong(Wrong { line, message }), |hash| Read::Hash(Box::new(hash)))
}

fn hash<'a>(line: u64, algorithm: &Algorithm, get: impl Fn(Field) -> Option<Cow<'a, str>>) -> Result<Hash, String> {
    let code = code(get(Field::Hash).unwrap_or_default().trim(), algorithm)?;
    let file = get(Field::File);
    let id = get(Field::Id).or_else(|| file.clone()).unwrap_or_else(|| algorithm.id.digits(&code).into());
    Ok(Hash {
        line,
        code,
        algorithm: algorithm.id,
        quality: number(&get, Field::Quality, 100)?.map(|quality| quality as u8),
        work: work(&id, &get)?,
        file: file.map(Cow::into_owned),
        digest: get(Field::Digest).map(|text| digest(&text)).transpose()?,
        frame: number(&get, Field::Frame, u32::MAX.into())?.unwrap_or(0) as u32,
        time_ms: number(&get, Field::Time, u64::MAX)?.unwrap_or(0),
        size: (
            number(&get, Field::Width, u32::MAX.into())?.unwrap_or(0) as u32,
            number(&get, Field::Height, u32::MAX.into())?.unwrap_or(0) as u32,
        ),
        region: get(Field::Region).map_or(Ok(WHOLE), |text| region(&text))?,
    })
}

/// The whole picture.
pub(super) const WHOLE: Region = Region { kind: RegionKind::Whole, left: 0, top: 0, right: 10_000, bottom: 10_000 };

/// What is said of a work.
pub(super) fn work<'a>(id: &str, get: impl Fn(Field) -> Option<Cow<'a, str>>) -> Result<ListedWork, String> {
    let id = WorkId::new(id)
        .ok_or_else(|| format!("expected an id of 1 to 512 bytes without control characters, found {}", shown(id)))?;
    let named = |name: Cow<'_, str>| {
        let names = Policy::ALL.map(Policy::name).join(", ");
        let policy = Policy::named(&name.to_ascii_lowercase());
        policy.ok_or_else(|| format!("expected a policy ({names}), found {}", shown(&name)))
    };
    let of_category = |name: Cow<'_, str>| (name == "NEGATIVE_CLASS").then_some(Policy::Ignore);
    let identifiers = |text: Cow<'_, str>| -> Result<Vec<Identifier>, String> {
        let parts = text.split([' ', ';']).filter(|part| !part.is_empty());
        parts.map(|part| Identifier::parse(part).map_err(|error| error.to_string())).collect()
    };
    let text = |field| get(field).map(Cow::into_owned);
    Ok(ListedWork {
        id,
        title: text(Field::Title),
        holder: text(Field::Holder),
        identifiers: get(Field::Identifiers).map(identifiers).transpose()?,
        territory: text(Field::Territory),
        window: text(Field::Window),
        policy: get(Field::Policy).map(named).transpose()?.or_else(|| get(Field::Category).and_then(of_category)),
    })
}

fn code(text: &str, algorithm: &Algorithm) -> Result<Code, String> {
    let length = algorithm.bits.div_ceil(4) as usize;
    // Shorter codes leave the rest zero.
    Code::of_digits(text.as_bytes()).filter(|_| text.len() == length).ok_or_else(|| {
        format!(
            "expected {length} hexadecimal digits of {}, found {} characters: {}",
            algorithm.name,
            text.chars().count(),
            shown(text)
        )
    })
}

/// A number of a field, at most `most`; `None` where the list does not say it.
pub(super) fn number<'a>(
    get: &impl Fn(Field) -> Option<Cow<'a, str>>,
    field: Field,
    most: u64,
) -> Result<Option<u64>, String> {
    let Some(text) = get(field) else { return Ok(None) };
    let number = text.trim().parse::<u64>().ok().filter(|&number| number <= most);
    let names = NAMES.iter().find(|(of, _)| *of == field).map_or("number", |(_, names)| names[0]);
    number.map(Some).ok_or_else(|| format!("expected for {names} a number from 0 to {most}, found {}", shown(&text)))
}

pub(super) fn digest(text: &str) -> Result<[u8; 32], String> {
    let wrong = |_| format!("expected for blake3 64 hexadecimal digits, found {}", shown(text));
    text.parse::<Code>().map(|code| code.0).map_err(wrong)
}

/// A region as it is written: kind, left, top, right, bottom.
fn region(text: &str) -> Result<Region, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let kinds = [RegionKind::Whole, RegionKind::Trimmed, RegionKind::Framed, RegionKind::Crop];
    let found = match words[..] {
        [kind, ref sides @ ..] => {
            let kind = kinds.into_iter().find(|&known| region_kind(known) == kind);
            let sides: Vec<u16> = sides.iter().filter_map(|side| side.parse().ok()).collect();
            kind.zip(<[u16; 4]>::try_from(sides).ok())
        }
        [] => None,
    };
    match found {
        Some((kind, [left, top, right, bottom])) if left < right && top < bottom && right.max(bottom) <= 10_000 => {
            Ok(Region { kind, left, top, right, bottom })
        }
        _ => Err(format!(
            "expected a region, for example `crop 1000 0 9000 10000` (left, top, right, bottom), found {}",
            shown(text)
        )),
    }
}
