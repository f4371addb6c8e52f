//! The commands as a user meets them: real files in, output and exit codes out.
// What a test needs and does not get fails the test; what could not be run is told.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bad;
mod case;
mod confinement;
mod demo;
mod evidence;
mod film;
mod film_hostile;
mod film_lists;
mod hostile;
mod index;
mod lists;
mod scan;
mod small;
mod sound;
