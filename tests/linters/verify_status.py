"""Verifies certificates, CRLs and OCSP answers with Python's `cryptography`.

  verify_status.py FOLDER    every *.cer, *.crl and *.ocsp (DER) in it; *.cer are the issuers, too

The issuer of a certificate or a CRL is the certificate with that subject and key identifier. The
responder of an answer is the certificate that it brings, and that must be of the issuer of what is
answered about. Prints a line for each file; ends with 0 when every signature fits.
"""
import hashlib
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa
from cryptography.x509 import ocsp

ML_DSA = (mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)


def own_identifier(cert):
    return cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def issuer_identifier(signed, otherwise):
    for extension in signed.extensions:
        if isinstance(extension.value, x509.AuthorityKeyIdentifier):
            return extension.value.key_identifier
    return otherwise


def verify(key, signature, message, hash_algorithm):
    if isinstance(key, ML_DSA):
        key.verify(signature, message)
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, padding.PKCS1v15(), hash_algorithm)
    else:
        key.verify(signature, message, ec.ECDSA(hash_algorithm))


def hash_of(signed):
    # ML-DSA has none to name.
    try:
        return signed.signature_hash_algorithm
    except Exception:
        return None


def main(folder):
    folder = pathlib.Path(folder)
    certificates = {
        path.name: x509.load_der_x509_certificate(path.read_bytes())
        for path in sorted(folder.glob("*.cer"))
    }
    issuers = {(c.subject.public_bytes(), own_identifier(c)): c for c in certificates.values()}

    def certificate(name, cert):
        own = own_identifier(cert)
        issuer = issuers[cert.issuer.public_bytes(), issuer_identifier(cert, own)]
        verify(issuer.public_key(), cert.signature, cert.tbs_certificate_bytes, hash_of(cert))
        print(f"{name}: signed with {type(issuer.public_key()).__name__}")

    for name, cert in certificates.items():
        certificate(name, cert)
    for path in sorted(folder.glob("*.crl")):
        crl = x509.load_der_x509_crl(path.read_bytes())
        issuer = issuers[crl.issuer.public_bytes(), issuer_identifier(crl, None)]
        verify(issuer.public_key(), crl.signature, crl.tbs_certlist_bytes, hash_of(crl))
        print(f"{path.name}: {len(list(crl))} entries")
    for path in sorted(folder.glob("*.ocsp")):
        answer = ocsp.load_der_ocsp_response(path.read_bytes())
        (responder,) = answer.certificates
        certificate(f"{path.name}, its signer", responder)
        verify(responder.public_key(), answer.signature, answer.tbs_response_bytes, hash_of(answer))
        named = responder.issuer.public_bytes(), issuer_identifier(responder, None)
        bits = issuers[named].public_key().public_bytes_raw() if isinstance(
            issuers[named].public_key(), ML_DSA) else None
        for single in answer.responses:
            if bits is not None and single.hash_algorithm.name == "sha256":
                assert single.issuer_key_hash == hashlib.sha256(bits).digest(), path.name
            print(f"{path.name}: {single.certificate_status.name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
