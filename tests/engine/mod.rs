//! The engine through its library and its command: results, bad input, lives cut short.
