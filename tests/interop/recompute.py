"""Recomputes, from nothing but DOMAIN and the standards, what Tenkoku says of itself: digests of
grants (RFC 8785), the audit chain (DOMAIN 18), and the proofs of an evidence pack (RFC 9162, 2.1).

    python3 recompute.py FILE

FILE is JSON: {"grants": [{"document", "digest"}], "chain": [{"seq", "record", "prev", "hash"}],
"head": {"size", "head", "root"}, "proofs": [{"seq", "record", "prev", "path"}]}. Prints how many
of each were recomputed; ends with 1 at the first that differs. Uses the standard library only and
no code of the project.
"""

import hashlib
import json
import sys


def canonical(value):
    """RFC 8785: members by their UTF-16 code units, no space, strings escaped minimally."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(n) + ":" + canonical(value[n]) for n in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        raise SystemExit(f"{value} is no integer")
    return json.dumps(value, ensure_ascii=False)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def same(what, got, said):
    if got != said:
        raise SystemExit(f"{what}: recomputed {got}, said {said}")


def root_of(leaves):
    """The Merkle tree hash, by its recursive definition (RFC 9162, 2.1.1)."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01", root_of(leaves[:half]), root_of(leaves[half:]))


def led_to(index, size, leaf, path):
    """The root that a path leads to, by the recursive definition read backwards."""
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    half = 1
    while half * 2 < size:
        half *= 2
    rest, sibling = path[:-1], path[-1]
    if index < half:
        below = led_to(index, half, leaf, rest)
        return below and sha256(b"\x01", below, sibling)
    below = led_to(index - half, size - half, leaf, rest)
    return below and sha256(b"\x01", sibling, below)


def record_hash(prev, record):
    return sha256(b"\x01", bytes.fromhex(prev), record.encode())


def main(file):
    with open(file, encoding="utf-8") as given:
        said = json.load(given)
    for grant in said["grants"]:
        text = canonical(json.loads(grant["document"]))
        same("canonical form of a grant", text, grant["document"])
        same("digest of a grant", sha256(text.encode()).hex(), grant["digest"])
    prev, leaves = "00" * 32, []
    for place, record in enumerate(said["chain"], 1):
        same("place in the chain", record["seq"], place)
        same("link", record["prev"], prev)
        text = canonical(json.loads(record["record"]))
        same(f"canonical form of record {place}", text, record["record"])
        prev = record_hash(record["prev"], text).hex()
        same(f"hash of record {place}", prev, record["hash"])
        leaves.append(sha256(b"\x00", bytes.fromhex(prev)))
    head = said["head"]
    leaves = leaves[: head["size"]]
    same("length of the chain", len(leaves), head["size"])
    same("end of the chain", said["chain"][head["size"] - 1]["hash"], head["head"])
    root = root_of(leaves)
    same("root of the chain", root.hex(), head["root"])
    for proof in said["proofs"]:
        leaf = sha256(b"\x00", record_hash(proof["prev"], proof["record"]))
        path = [bytes.fromhex(one) for one in proof["path"]]
        led = led_to(proof["seq"] - 1, head["size"], leaf, path)
        same(f"proof of record {proof['seq']}", led, root)
    print(json.dumps({name: len(said[name]) for name in ("grants", "chain", "proofs")}))


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main(sys.argv[1])
