"""Other implementations' verdicts over signed trusted lists, one JSON object a line.

usage: verdicts.py FILE...

Each list is verified against the certificate in its own KeyInfo at its own signing time, so that
only the signature is judged and not who may sign: by libxmlsec1, by signxml's XAdES verifier, and by
pyHanko's reader of trusted lists. null is "verified"; anything else says why not.
"""
import base64
import datetime
import json
import re
import sys

from lxml import etree

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "xades": "http://uri.etsi.org/01903/v1.3.2#"}
TSL = "{http://uri.etsi.org/02231/v2#}"


def libxmlsec1(data, der):
    import xmlsec

    root = etree.fromstring(data, etree.XMLParser(huge_tree=True, no_network=True))
    xmlsec.tree.add_ids(root, ["Id", "ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(der, xmlsec.KeyFormat.CERT_DER)
    signature = root.find("ds:Signature", NS)
    context.verify(signature if signature is not None else root.find(".//ds:Signature", NS))


def signxml(data, der, at):
    from cryptography import x509
    from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

    certificate = x509.load_der_x509_certificate(der)
    configuration = XAdESSignatureConfiguration(
        require_x509=True, expect_references=True, location="./", verification_time=at
    )
    XAdESVerifier().verify(data, x509_cert=certificate, expect_config=configuration)


def pyhanko(data, der, at, is_list_of_lists):
    from asn1crypto import x509
    from pyhanko.sign.validation.qualified import eutl_parse

    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", data.decode("utf-8-sig"))
    certificate = x509.Certificate.load(der)
    if is_list_of_lists:
        eutl_parse.validate_and_parse_lotl(text, [certificate], validation_time=at)
    else:
        body = eutl_parse._validate_and_extract_tl_data(text, certificate, at)
        eutl_parse.trust_list_to_registry_unsafe(body)


def verdict(judge, *arguments):
    try:
        judge(*arguments)
    except Exception as error:  # The judges raise whatever their libraries raise.
        return f"{type(error).__name__} {error}"[:200]
    return None


def main():
    for path in sys.argv[1:]:
        data = open(path, "rb").read()
        try:
            root = etree.fromstring(data, etree.XMLParser(huge_tree=True, no_network=True, resolve_entities=False))
            der = base64.b64decode(root.findtext(".//ds:Signature//ds:X509Certificate", namespaces=NS))
            time = root.findtext(".//xades:SigningTime", namespaces=NS).strip()
            at = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
            kind = root.findtext(f"{TSL}SchemeInformation/{TSL}TSLType") or ""
        except Exception as error:
            why = f"unreadable: {type(error).__name__} {error}"[:200]
            verdicts = {"libxmlsec1": why, "signxml": why, "pyhanko": why}
        else:
            verdicts = {
                "libxmlsec1": verdict(libxmlsec1, data, der),
                "signxml": verdict(signxml, data, der, at),
                "pyhanko": verdict(pyhanko, data, der, at, kind.strip().endswith("/EUlistofthelists")),
            }
        print(json.dumps({"file": path, **verdicts}), flush=True)


main()
