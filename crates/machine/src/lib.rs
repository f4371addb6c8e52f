//! What this processor and this system can do: Hamming kernels and wider vectors chosen at run time, and files mapped into
//! memory.
//!
//! The only room of the workspace with `unsafe`. Every function here is safe to call: what makes it so is established
//! inside, beside the `unsafe` that needs it.

pub mod hamming;
mod level;
pub mod mapped;
mod wide;

pub use level::Level;
pub use wide::{Work, wide};
