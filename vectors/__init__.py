"""Test vectors: the model, the loaders and the catalogue of sources."""
