//! YAML that knows where everything stands: configurations whose errors name the line, and values
//! that are edited in place.
