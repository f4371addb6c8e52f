//! Plain Rust compiled once more for the wider vectors of the processor at hand.

use crate::Level;
#[cfg(target_arch = "x86_64")]
use crate::level::Set;

/// Arithmetic that gains from wider vectors. What is to gain has to be inlined into [`run`](Work::run), which therefore is
/// `#[inline(always)]`, as are the functions that it calls.
pub trait Work {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;
}

/// Does `work`, on x86-64 with 256-bit vectors and the instruction that counts bits
/// where `level` has AVX2.
///
/// The bits are the same at every level: a compiler neither changes the order of floating-point operations nor fuses them
/// (FMA is not switched on), and whole numbers have no order.
///
/// ```
/// use minutia_machine::{Level, Work, wide};
///
/// struct Sum<'a>(&'a [i32]);
/// impl Work for Sum<'_> {
///     type Output = i32;
///     #[inline(always)]
///     fn run(self) -> i32 {
///         self.0.iter().sum()
///     }
/// }
/// for level in Level::all_here() {
///     assert_eq!(wide(level, Sum(&[1, 2, 3])), 6);
/// }
/// ```
#[inline]
pub fn wide<W: Work>(level: Level, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if matches!(level.0, Set::Avx2 | Set::Avx512) {
        // SAFETY: a `Level` of these sets can only be made where the processor was seen to have AVX2 and POPCNT.
        #[allow(unsafe_code, reason = "the level was checked when it was made")]
        return unsafe { with_avx2(work) };
    }
    let _ = level;
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}
