//! Sound decoding over made and recorded files.
