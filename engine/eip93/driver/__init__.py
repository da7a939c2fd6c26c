"""A driver for the EIP-93 on top of crypto_engine."""
