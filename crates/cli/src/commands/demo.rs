//! `minutia demo`: a folder of works, a small seized folder, and the true answers beside what was found.

use anyhow::Result;

use crate::args;
use crate::exit::Exit;

pub(crate) fn run(_args: args::Demo) -> Result<Exit> {
    Ok(Exit::Nothing)
}
