"""The lean verifier never accepts what the general one refuses, nor anybody else's name."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.config import Config
from bottega.context import Identity
from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.wire.message import WireRequest
from bottega.wire.sigv4 import SignatureVerifier
from bottega.wire.sigv4_invocations import InvocationSignatures

PATH = "/endpoints/e-1/invocations"


class Both:
    """The two verifiers of one home, whose clock is botocore's."""

    def __init__(self, home: Any) -> None:
        import time

        config = Config(home=home)
        self.credentials = Credentials.load(config)
        self.clock = ManualClock(time.time())
        self.lean = InvocationSignatures(self.credentials, config, self.clock)
        self.general = SignatureVerifier(self.credentials, config, self.clock)

    def signed(
        self,
        body: bytes = b"1,2,3",
        *,
        session: str = "",
        service: str = "sagemaker",
        region: str = "us-east-1",
        **headers: str,
    ) -> dict[str, str]:
        """The headers of a request that botocore signed."""
        keys: Any = self.credentials.session(session) if session else self.credentials
        plain = {"Host": "127.0.0.1:9", "Content-Type": "text/csv"}
        plain |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:9{PATH}"
        request = botocore.awsrequest.AWSRequest("POST", url, headers=plain, data=body)
        signer = botocore.credentials.Credentials(
            keys.access_key, keys.secret_key, keys.token or None
        )
        botocore.auth.SigV4Auth(signer, service, region).add_auth(request)
        return {name.lower(): str(value) for name, value in request.headers.items()}

    def by_lean(self, headers: dict[str, str], body: bytes) -> Identity | None:
        return self.lean.caller(PATH, headers, body)

    def by_general(self, headers: dict[str, str], body: bytes) -> Identity | None:
        digest = hashlib.sha256(body).hexdigest()
        request = WireRequest("POST", PATH, "", headers, io.BytesIO(body), len(body), digest)
        try:
            return self.general.verify(request, service="sagemaker").identity
        except ClientFault:
            return None


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return Both(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"session": "arn:aws:sagemaker:us-east-1:000000000000:training-job/owner"},
        {"Accept": "application/json", "X_Amzn_SageMaker_Custom_Attributes": "a  b   c"},
        {"X_Amz_Content_SHA256": hashlib.sha256(b"1,2,3").hexdigest()},
    ],
    ids=["owner", "session", "inner spaces", "hash sent"],
)
def test_what_clients_sign_is_accepted_by_both(both: Both, more: dict[str, str]) -> None:
    for _ in range(2):  # the second time the key is remembered
        headers = both.signed(**more)
        found = both.by_lean(headers, b"1,2,3")
        assert found is not None
        assert found == both.by_general(headers, b"1,2,3")


@pytest.mark.parametrize(
    "signed",
    [
        lambda both: both.signed(region="eu-west-1"),
        lambda both: both.signed(service="s3"),
        lambda both: both.signed(b"another body"),
        lambda both: both.signed(X_Amz_Content_SHA256="0" * 64),
        lambda both: both.signed() | {"x-amz-security-token": "not-signed"},
        lambda both: both.signed() | {"x-amz-date": "20240230T000000Z"},
        lambda both: {},
    ],
    ids=["region", "service", "body", "hash", "unsigned token", "no such date", "unsigned"],
)
def test_what_is_wrong_is_accepted_by_neither(
    both: Both, signed: Callable[[Both], dict[str, str]]
) -> None:
    headers = signed(both)
    assert both.by_lean(headers, b"1,2,3") is None
    assert both.by_general(headers, b"1,2,3") is None


@pytest.mark.parametrize("seconds", [-901, -899, 899, 901])
def test_both_allow_the_same_difference_of_clocks(both: Both, seconds: int) -> None:
    headers = both.signed()
    now = both.clock.now()
    both.clock.advance(seconds)
    try:
        found = both.by_lean(headers, b"1,2,3")
        assert found == both.by_general(headers, b"1,2,3")
        assert (found is not None) == (abs(seconds) < 900)
    finally:
        both.clock.advance(now - both.clock.now())


SAMPLES = st.sampled_from(
    [
        *("", " ", ",", ";", "/", "=", "0", "a", "A", "f", "host", "x-amz-date", "é", "\t"),
        *("aws4_request", "Signature=", "SignedHeaders=", "Credential=", "s3", "20260101"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_mutation_makes_them_differ(both: Both, data: st.DataObject) -> None:
    session = data.draw(st.sampled_from(["", "arn:aws:sagemaker:::training-job/a"]))
    body = data.draw(st.binary(max_size=20))
    headers = both.signed(body, session=session, Accept="a  b")
    for _ in range(data.draw(st.integers(0, 2))):
        name = data.draw(st.sampled_from(sorted(headers)))
        value = headers[name]
        start = data.draw(st.integers(0, len(value)))
        end = data.draw(st.integers(start, min(len(value), start + 3)))
        headers[name] = value[:start] + data.draw(SAMPLES) + value[end:]
    if data.draw(st.booleans()) and data.draw(st.booleans()):
        del headers[data.draw(st.sampled_from(sorted(headers)))]
    if data.draw(st.booleans()) and data.draw(st.booleans()):
        body = body + b"x"
    found = both.by_lean(headers, body)
    if found is not None:
        assert found == both.by_general(headers, body)
