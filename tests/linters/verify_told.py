"""Reads status as Python's `cryptography` does and verifies it.

  verify_told.py ISSUER SERIAL ocsp|crl FILE    ISSUER: PEM; SERIAL: hexadecimal; FILE: DER

Prints "good", or "revoked" and the reason. Ends otherwise than with 0 when a signature, the
delegation, the times or the names do not hold.
"""
import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509 import ocsp


def verify(key, signed):
    algorithm = signed.signature_hash_algorithm
    how = [ec.ECDSA(algorithm)] if isinstance(key, ec.EllipticCurvePublicKey) else [padding.PKCS1v15(), algorithm]
    return lambda signature, body: key.verify(signature, body, *how)


def answer(der, issuer, serial):
    found = ocsp.load_der_ocsp_response(der)
    assert found.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, found.response_status
    (signer,) = found.certificates
    signer.verify_directly_issued_by(issuer)
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in usage
    signer.extensions.get_extension_for_class(x509.OCSPNoCheck)
    verify(signer.public_key(), found)(found.signature, found.tbs_response_bytes)
    identifier = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    own = x509.SubjectKeyIdentifier.from_public_key(signer.public_key())
    assert found.responder_key_hash == own.digest and found.responder_name is None, identifier
    (single,) = found.responses
    digest = hashes.Hash(single.hash_algorithm)
    digest.update(issuer.subject.public_bytes())
    assert single.issuer_name_hash == digest.finalize()
    assert single.serial_number == serial
    now = datetime.datetime.now(datetime.timezone.utc)
    assert single.this_update_utc <= now < single.next_update_utc
    if single.certificate_status == ocsp.OCSPCertStatus.GOOD:
        return "good"
    assert single.certificate_status == ocsp.OCSPCertStatus.REVOKED
    return f"revoked {single.revocation_reason.value}"


def listed(der, issuer, serial):
    found = x509.load_der_x509_crl(der)
    assert found.issuer == issuer.subject
    assert found.is_signature_valid(issuer.public_key())
    now = datetime.datetime.now(datetime.timezone.utc)
    assert found.last_update_utc <= now < found.next_update_utc
    entry = found.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return "good"
    return f"revoked {entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value}"


def main(issuer, serial, kind, file):
    issuer = x509.load_pem_x509_certificate(pathlib.Path(issuer).read_bytes())
    read = {"ocsp": answer, "crl": listed}[kind]
    print(read(pathlib.Path(file).read_bytes(), issuer, int(serial, 16)))


main(*sys.argv[1:])
