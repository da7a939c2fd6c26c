"""Functional coverage: which kinds of requests a driver has been judged on, and which never."""
