"""Reads a letter with Python's own library and prints what a person would see, as JSON.

usage: read.py FILE
"""

import email
import email.policy
import json
import sys

with open(sys.argv[1], "rb") as file:
    letter = email.message_from_binary_file(file, policy=email.policy.default)
body = lambda kind: letter.get_body(preferencelist=(kind,)).get_content().replace("\r\n", "\n")
address = lambda name: [[a.display_name, a.addr_spec] for a in letter[name].addresses]
print(
    json.dumps(
        {
            "headers": sorted({name.lower() for name in letter.keys()}),
            "defects": [str(defect) for part in letter.walk() for defect in part.defects],
            "from": address("From"),
            "to": address("To"),
            "subject": letter["Subject"],
            "id": letter["Message-ID"],
            "date": letter["Date"].datetime.isoformat(),
            "language": letter["Content-Language"],
            "kinds": [part.get_content_type() for part in letter.walk()],
            "text": body("plain"),
            "html": body("html"),
            "envelope_to": letter.get_all("X-Envelope-To"),
            "signed_in": letter["X-Signed-In"],
            "tls": letter["X-Tls"],
        }
    )
)
