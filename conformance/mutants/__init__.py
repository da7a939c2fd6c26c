"""Planted defects of the catalogue: each proves that a check can fail."""
