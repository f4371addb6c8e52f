//! The instruction sets that kernels are written for, and which of them this processor has.

/// A set of instructions that this processor has. A value can only be made where that was checked, so kernels may rely
/// on it. All levels give the same bits.
///
/// ```
/// # use minutia_machine::Level;
/// assert!(Level::all_here().contains(&Level::best()));
/// assert_eq!(Level::named("portable").map(Level::name), Some("portable"));
/// assert_eq!(Level::named("abacus"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Level(pub(crate) Set);

/// The sets, slowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Set {
    /// Plain Rust: the definition that the others are tested against.
    Portable,
    /// AVX2 and POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, VL, BW and VPOPCNTDQ.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The fastest level of this processor.
    pub fn best() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512() {
                return Level(Set::Avx512);
            }
            if has_avx2() {
                return Level(Set::Avx2);
            }
        }
        Level(Set::Portable)
    }

    /// Every level of this processor, slowest first.
    pub fn all_here() -> Vec<Level> {
        #[allow(unused_mut, reason = "other architectures have the portable level alone")]
        let mut levels = vec![Level(Set::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx2() {
                levels.push(Level(Set::Avx2));
            }
            if has_avx512() {
                levels.push(Level(Set::Avx512));
            }
        }
        levels
    }

    /// The level of this name; `None` where there is no such level or this processor lacks it.
    pub fn named(name: &str) -> Option<Level> {
        Level::all_here().into_iter().find(|level| level.name() == name)
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vpopcntdq")
}
