"""The EIP-93 packet engine: the device at its registers, and a driver on crypto_engine."""
