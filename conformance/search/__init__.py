"""Searches schedules and programs: worlds of requests, how they interleave, what goes wrong."""
