//! Film decoding.
