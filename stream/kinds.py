"""What each phone event says of the resident: which prove that somebody lives, and which are a note at most."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.slots import DATA, INCOMING, OWN
from stream.records import KINDS, Kind

PROOFS = frozenset({Kind.call_out, Kind.sms_out, Kind.call_answered})
"""Outgoing use of the own phone, and a call of which the carrier says that a person answered it on that phone."""
BY_ITSELF = frozenset({Kind.data, Kind.call_blocked})
"""What a phone or its network does without anybody: the resident has not even heard of it."""

PHONE_CODES = np.array([OWN if k in PROOFS else DATA if k in BY_ITSELF else INCOMING for k in KINDS], np.uint8)
"""Code of a slot's phone by the position in ``KINDS``. Whatever came in is somebody who tried to reach the resident:
also a call with a duration, which voice mail, another handset or whoever it was forwarded to may have taken."""

PhoneKinds = Literal["names", "android"]
"""How a file says what the phone did."""
ANDROID = {
    1: Kind.call_in, 2: Kind.call_out, 3: Kind.call_missed, 4: Kind.call_voicemail, 5: Kind.call_rejected,
    6: Kind.call_blocked, 7: Kind.call_answered_elsewhere,
}  # fmt: skip
"""Types of Android's call log. Its incoming calls are those that were taken, by whom or what it does not say."""


def phone_codes(kind: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What phone events (n,), as positions in ``KINDS``, say of the resident, as codes (n,)."""
    return PHONE_CODES[kind]
