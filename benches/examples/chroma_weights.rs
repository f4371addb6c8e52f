//! How heavy alignments of unrelated recordings weigh: `chroma_weights LIST`, of JSON lines as
//! `minutia fingerprint --algorithm chromaprint --json` prints them. Each recording whole, and excerpts of 10 s and 30 s from
//! its middle, are aligned with every other. Prints how many pairs reach each weight, and the heaviest.

#![allow(clippy::print_stdout, reason = "its answers go there")]

use minutia::fingerprint::decompress_text;
use minutia::search::{Alignment, align};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list = std::env::args().nth(1).ok_or("expected a list")?;
    let mut recordings = Vec::new();
    for line in std::fs::read_to_string(list)?.lines() {
        let field = |name: &str| {
            let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let (_, items) = decompress_text(&field("fingerprint").ok_or("expected a fingerprint in each line")?)?;
        recordings.push((field("path").unwrap_or_default(), items));
    }
    let mut weights = Vec::new();
    let mut pairs = 0_u64;
    for (name, items) in &recordings {
        let middle = |length: usize| {
            let start = items.len().saturating_sub(length) / 2;
            &items[start..(start + length).min(items.len())]
        };
        for query in [middle(60), middle(221), &items[..]] {
            for (other, reference) in recordings.iter().filter(|(other, _)| other != name) {
                pairs += 1;
                let found = align(query, reference);
                let weight = |a: &Alignment| f64::from(a.score) / f64::from(a.telling).sqrt();
                if let Some(best) = found.iter().max_by(|a, b| weight(a).total_cmp(&weight(b))) {
                    weights.push((weight(best), best.telling, query.len(), name, other));
                }
            }
        }
    }
    weights.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("{} recordings, {pairs} pairs", recordings.len());
    for least in [12, 14, 16, 18, 20, 22, 24, 28, 32] {
        println!("weight {least} or more: {}", weights.iter().filter(|found| found.0 >= f64::from(least)).count());
    }
    for (weight, telling, length, a, b) in weights.iter().take(25) {
        println!("{weight:.1} of {telling} telling items, {length} items of {a} against {b}");
    }
    Ok(())
}
