"""The world under test: simulation, crypto API, crypto_engine, drivers and device models."""
