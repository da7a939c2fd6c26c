"""Defects of ring and completion handling (CR)."""
