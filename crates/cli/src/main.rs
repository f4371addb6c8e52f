//! `minutia`: the command line. What was typed is in `args`, what it means in `settings`, one file a command in
//! `commands`. Only this room prints.

mod args;
mod case;
mod catalogue;
mod commands;
mod exit;
mod hash_lists;
mod heard;
mod indexes;
mod listed_films;
mod measure;
mod output;
mod pairs;
mod pipeline;
mod progress;
mod reading;
mod settings;
mod walk;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if minutia_sandbox::worker::requested() {
        return minutia_sandbox::worker::run();
    }
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::of_usage(&error),
    };
    exit::of(commands::run(args.command))
}
