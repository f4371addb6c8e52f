//! The commands, one file each.

mod calibrate;
mod compare;
mod demo;
mod doctor;
mod explain;
mod fingerprint;
mod index;
mod index_add;
mod index_export;
mod index_import;
mod index_union;
mod scan;
mod search;

use anyhow::Result;

use crate::args::{Command, IndexCommand};
use crate::exit::Exit;

/// Runs a command.
pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Index(IndexCommand::Add(args)) => index_add::run(args),
        Command::Index(IndexCommand::Info(place)) => index::info(&place.index, place.json),
        Command::Index(IndexCommand::Verify(place)) => index::verify(&place.index),
        Command::Index(IndexCommand::Compact(place)) => index::compact(&place.index),
        Command::Index(IndexCommand::Remove(args)) => index::remove(&args.index, &args.works),
        Command::Index(IndexCommand::Import(args)) => index_import::run(&args),
        Command::Index(IndexCommand::Export(args)) => index_export::run(&args),
        Command::Index(IndexCommand::Union(args)) => index_union::run(&args),
        Command::Scan(args) => scan::run(args),
        Command::Search(args) => search::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Fingerprint(args) => fingerprint::run(args),
        Command::Calibrate(args) => calibrate::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Doctor => doctor::run(),
    }
}
