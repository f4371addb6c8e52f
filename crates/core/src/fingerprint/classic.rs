//! The classic hashes (mean, gradient, double gradient, vertical gradient, blockhash, DCT mean) through `img_hash`, so
//! that lists made by other tools can be matched. Scans do not use them.
