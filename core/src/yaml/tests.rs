use super::*;

mod reading;
