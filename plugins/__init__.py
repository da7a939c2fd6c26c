"""The pytest plugin, the built-in providers and the command line."""
