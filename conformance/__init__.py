"""tcrypt: a conformance suite for Linux-style crypto drivers, run by pytest."""
