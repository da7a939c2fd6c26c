"""Software generics: the `-generic` drivers on pycryptodome, hashlib and hmac."""
