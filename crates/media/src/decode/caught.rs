//! A decoder's panic as a problem.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Problem;

/// What `work` answers, or its panic as a problem: overflow is checked in the decoders too.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        Err(Problem::Crashed { detail: format!("panic: {}", text.chars().take(200).collect::<String>()) })
    })
}
