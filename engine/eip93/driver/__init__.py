"""A driver for the EIP-93, over crypto_engine or with a queue of its own."""
