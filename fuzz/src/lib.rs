//! What the targets share.

use std::panic;
use std::sync::Once;

/// Lets a panic in the sources of others unwind to where it is caught, in place of the hook that ends the process at any:
/// there it is an outcome. One in this project's own sources is a finding.
pub fn find_own_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let ours = info.location().is_none_or(|place| {
                let file = place.file();
                file.contains("crates/") || file.contains("fuzz_targets/")
            });
            if ours {
                eprintln!("{info}");
                std::process::abort();
            }
        }));
    });
}
