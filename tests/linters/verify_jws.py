"""Verifies signed JSON (JWS in compact form, RFC 7515) with Python's `cryptography` alone.

    verify_jws.py FILE PUBLIC-KEY.pem

Prints a summary as JSON; ends with 1 when the signature does not hold.
"""
import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ALGORITHMS = {"ES256": (hashes.SHA256(), 32, "secp256r1"), "ES384": (hashes.SHA384(), 48, "secp384r1")}


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def main(file, key_file):
    with open(file, encoding="ascii") as opened:
        header, payload, signature = opened.read().strip().split(".")
    with open(key_file, "rb") as opened:
        key = serialization.load_pem_public_key(opened.read())
    says = json.loads(decode(header))
    digest, half, curve = ALGORITHMS[says["alg"]]
    assert key.curve.name == curve and "crit" not in says
    raw = decode(signature)
    assert len(raw) == 2 * half
    r, s = (int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    try:
        key.verify(encode_dss_signature(r, s), f"{header}.{payload}".encode(), ec.ECDSA(digest))
    except InvalidSignature:
        sys.exit("the signature does not hold")
    body = json.loads(decode(payload))
    print(json.dumps({"typ": says["typ"], "sequence": body.get("sequence"), "keys": len(body.get("keys", []))}))


main(*sys.argv[1:])
