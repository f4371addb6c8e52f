//! Text: what kind, as far as its first bytes tell.

/// What a head looks like, read as text.
pub(super) enum Text {
    /// A vector picture.
    Svg,
    /// Text of this kind.
    Words(&'static str),
    /// No text.
    None,
}

pub(super) fn look(head: &[u8]) -> Text {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Text::Words("text (UTF-16)");
    }
    // A multi-byte character may be cut at the end of the head; a control character never belongs to text.
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => "",
    };
    let latin = head.iter().all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x20..=0x7e | 0xa0..));
    if valid.is_empty() && !latin || valid.contains(|c: char| c.is_control() && !"\t\n\r\u{c}\u{1b}".contains(c)) {
        return Text::None;
    }
    let start = valid.trim_start_matches('\u{feff}').trim_start();
    let lower: String = start.chars().take(1024).flat_map(char::to_lowercase).collect();
    if start.starts_with("#EXTM3U") {
        return Text::Words("a playlist (M3U)");
    }
    if start.starts_with("ffconcat version") {
        return Text::Words("a playlist (ffconcat)");
    }
    if lower.contains("<svg") && lower.starts_with('<') {
        return Text::Svg;
    }
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Text::Words("HTML");
    }
    if lower.starts_with("<?xml") {
        return Text::Words("XML");
    }
    if lower.starts_with("#!") {
        return Text::Words("a script");
    }
    Text::Words("text")
}
