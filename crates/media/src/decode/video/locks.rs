//! What of MP4 and QuickTime says that it is locked: entries of sample descriptions, and boxes that name who holds the keys (ISO 14496-12,
//! 8.12; ISO 23001-7).

/// The most systems that are told.
pub(super) const MAX_SYSTEMS: usize = 8;

/// Those that hold keys, by the identifiers of `pssh` boxes (ISO 23001-7; DASH-IF, "Content Protection", 2026).
const SYSTEMS: [(u128, &str); 7] = [
    (0xedef8ba9_79d6_4ace_a3c8_27dcd51d21ed, "Widevine"),
    (0x9a04f079_9840_4286_ab92_e65be0885f95, "PlayReady"),
    (0x94ce86fb_07ff_4f43_adb8_93d2fa968ca2, "FairPlay"),
    (0x1077efec_c0b2_4d02_ace3_3c1e52e2fb4b, "clear key (W3C)"),
    (0xe2719d58_a985_b3c9_781a_b030af78d30e, "clear key (DASH-IF)"),
    (0xf239e769_efa3_4850_9c16_a903c6932efb, "Adobe Primetime"),
    (0x5e629af5_38da_4063_8977_97ffbd9902d4, "Marlin"),
];

/// A locked entry.
pub(super) struct Locked {
    /// The codec that is locked.
    pub(super) kind: [u8; 4],
    /// The scheme that locks it.
    pub(super) by: String,
}

/// Who is meant by a `pssh` box: a name that people know, else the identifier.
pub(super) fn system(data: &[u8]) -> String {
    let Some(id) = data.get(4..20) else { return "an unknown system".to_owned() };
    let number = id.iter().fold(0_u128, |number, &byte| number << 8 | u128::from(byte));
    let known = SYSTEMS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("system {number:032x}"), |(_, name)| (*name).to_owned())
}

/// What locks an entry of a sample description of this kind; `None` for a plain one.
pub(super) fn of_entry(kind: [u8; 4], entry: &[u8]) -> Option<Locked> {
    if &kind == b"drms" || &kind == b"drmi" {
        return Some(Locked { kind, by: "FairPlay".to_owned() });
    }
    if !matches!(&kind, b"encv" | b"enca" | b"enct" | b"encs") {
        return None;
    }
    let after = |name: &[u8]| entry.windows(4).position(|kind| kind == name).map(|at| at + 4);
    let scheme = after(b"schm").and_then(|at| entry.get(at + 4..at + 8)).filter(|scheme| scheme.is_ascii());
    let scheme = scheme.map(|scheme| String::from_utf8_lossy(scheme).trim().to_owned());
    let scheme = scheme.filter(|scheme| !scheme.is_empty());
    let original = after(b"frma").and_then(|at| entry.get(at..at + 4));
    Some(Locked {
        kind: original.and_then(|original| original.try_into().ok()).unwrap_or(kind),
        by: scheme.unwrap_or_else(|| "common encryption".to_owned()),
    })
}
