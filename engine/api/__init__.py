"""The crypto API as a driver and its users see it."""
