"""Makes an API key or takes one apart: api_key.py SERVICE | --prefix KEY

The pepper comes in ONEGATE_API_KEY_PEPPER_FILE. Prints "KEY PREFIX HASH": the
key is shown this once; the database keeps its prefix and its HMAC-SHA256.
"""
import hashlib
import hmac
import os
import pathlib
import secrets
import sys

PREFIX_RANDOM = 8


def prefix(key):
    """ogk_<service>_ and the first characters of the random part."""
    head, _, random = key.rpartition("_")
    return f"{head}_{random[:PREFIX_RANDOM]}"


def main():
    if sys.argv[1] == "--prefix":
        print(prefix(sys.argv[2]))
        return
    file = pathlib.Path(os.environ["ONEGATE_API_KEY_PEPPER_FILE"])
    pepper = file.read_text(encoding="ascii").strip().encode()
    key = f"ogk_{sys.argv[1]}_{secrets.token_hex(24)}"
    print(key, prefix(key),
          hmac.new(pepper, key.encode(), hashlib.sha256).hexdigest())


main()
