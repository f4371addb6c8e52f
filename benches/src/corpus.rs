//! What benches run on: real photographs, and codes in large numbers.

pub mod codes;
pub mod pictures;
