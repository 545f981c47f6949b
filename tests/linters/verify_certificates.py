"""Reads certificates with Python's `cryptography` and verifies each with its issuer's key.

  verify_certificates.py FOLDER FILE...    FOLDER: where the issuers' certificates lie (*.cer, DER)

The issuer is the certificate whose subject is the name and whose subjectKeyIdentifier is the
authority key identifier. Ends with 0 when every signature fits.
"""
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mldsa

ML_DSA = (mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)


def key_identifiers(cert):
    found = {}
    for extension in cert.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            found["own"] = extension.value.digest
        if isinstance(extension.value, x509.AuthorityKeyIdentifier):
            found["issuer"] = extension.value.key_identifier
    return found["own"], found.get("issuer", found["own"])


def verify(cert, issuer):
    key = issuer.public_key()
    if isinstance(key, ML_DSA):
        key.verify(cert.signature, cert.tbs_certificate_bytes)
    else:
        cert.verify_directly_issued_by(issuer)


def main(folder, *files):
    issuers = {}
    load = x509.load_der_x509_certificate
    for path in pathlib.Path(folder).glob("*.cer"):
        try:
            cert = load(path.read_bytes())
            issuers[cert.subject.public_bytes(), key_identifiers(cert)[0]] = cert
        except (ValueError, KeyError):
            pass
    for name in files:
        cert = load((pathlib.Path(folder) / name).read_bytes())
        cert.public_key()
        own, by = key_identifiers(cert)
        issuer = cert if own == by else issuers[cert.issuer.public_bytes(), by]
        try:
            verify(cert, issuer)
        except Exception as error:
            sys.exit(f"{name}: {type(error).__name__} {error}")
    print(f"{len(files)} certificates verified")


if __name__ == "__main__":
    main(*sys.argv[1:])
