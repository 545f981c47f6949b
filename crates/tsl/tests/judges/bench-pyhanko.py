"""How long pyHanko takes to verify and read trusted lists.

usage: bench-pyhanko.py FILE...

Prints the time of the largest file, best of three, and of all files, once. Each list is verified
against the certificate in its own KeyInfo at its own signing time.
"""
import base64
import datetime
import logging
import re
import sys
import time

from asn1crypto import x509
from lxml import etree
from pyhanko.sign.validation.qualified import eutl_parse

# It tells of every service that it does not read; telling takes time of its own.
logging.disable(logging.CRITICAL)

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "xades": "http://uri.etsi.org/01903/v1.3.2#"}


def prepared(path):
    data = open(path, "rb").read()
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True))
    der = base64.b64decode(root.findtext(".//ds:Signature//ds:X509Certificate", namespaces=NS))
    at = root.findtext(".//xades:SigningTime", namespaces=NS).strip().replace("Z", "+00:00")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", data.decode("utf-8-sig"))
    return text, x509.Certificate.load(der), datetime.datetime.fromisoformat(at), b"EUlistofthelists<" in data[:4096]


def read(text, certificate, at, is_list_of_lists):
    if is_list_of_lists:
        eutl_parse.validate_and_parse_lotl(text, [certificate], validation_time=at)
    else:
        body = eutl_parse._validate_and_extract_tl_data(text, certificate, at)
        eutl_parse.trust_list_to_registry_unsafe(body)


def seconds(lists):
    start = time.perf_counter()
    for one in lists:
        read(*one)
    return time.perf_counter() - start


lists = [prepared(path) for path in sys.argv[1:]]
largest = max(lists, key=lambda one: len(one[0]))
print(f"  pyHanko, the largest list: {min(seconds([largest]) for _ in range(3)) * 1000:.0f} ms")
print(f"  pyHanko, {len(lists)} lists: {seconds(lists):.1f} s")
