"""Signatures that botocore makes, for every service and form, and what happens to wrong ones."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.errors import ClientFault
from bottega.wire.message import WireRequest
from bottega.wire.sigv4 import PayloadForm, SignatureVerifier

JOB = "arn:aws:sagemaker:us-east-1:000000000000:training-job/my-job"


def verifier(bench: Any) -> SignatureVerifier:
    return SignatureVerifier(bench.ports.credentials, bench.ports.config, bench.ports.clock)


def refused(bench: Any, request: WireRequest, service: str = "sagemaker") -> ClientFault:
    with pytest.raises(ClientFault) as caught:
        verifier(bench).verify(request, service=service)
    return caught.value


def with_headers(request: WireRequest, **changes: str | None) -> WireRequest:
    headers = dict(request.headers)
    for name, value in changes.items():
        name = name.replace("_", "-")
        if value is None:
            del headers[name]
        else:
            headers[name] = value
    return replace(request, headers=headers)


def get(url: str, method: str = "GET", **headers: str) -> WireRequest:
    """The request that somebody makes who was given a presigned URL."""
    parts = urlsplit(url)
    return WireRequest(
        method,
        parts.path,
        parts.query,
        {"host": parts.netloc, **{k.replace("_", "-"): v for k, v in headers.items()}},
        io.BytesIO(b""),
        0,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/endpoints/e/invocations",
        "/endpoints/e%2F%C3%A9/invocations",
        "/FeatureGroup/a%20b?Record=1&FeatureName=b&FeatureName=a&FeatureName=%C3%A9%2B%26",
        "/x?empty=&alone&a=1&a=0&A=2&a-b=3",
        "/x//y/./z/../w/",
    ],
)
@pytest.mark.parametrize("service", ["sagemaker", "sts", "iam", "logs", "monitoring", "kms", "s3"])
def test_header_signatures(bench: Any, service: str, path: str) -> None:
    request = bench.signed(
        body=b'{"a":1}', service=service, path=path, headers={"X-Amz-Meta-A": "  b   c "}
    )
    found = verifier(bench).verify(request, service=service)
    assert found.identity.access_key == bench.ports.credentials.access_key
    assert found.identity.owner
    assert found.payload_form is PayloadForm.HASH
    assert not found.presigned


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    key=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=30),
    body=st.binary(max_size=50),
)
def test_any_object_key(bench: Any, key: str, body: bytes) -> None:
    s3 = bench.client("s3")
    s3.put_object(Bucket="bucket", Key=key, Body=body)
    assert verifier(bench).verify(bench.requests[-1], service="s3").identity.owner


def test_the_secret_is_not_shown(bench: Any) -> None:
    found = verifier(bench).verify(bench.signed(), service="sagemaker")
    assert found.signing_key.hex() not in repr(found)
    assert "signing_key" not in repr(found)
    assert "seed_signature" not in repr(found)


def test_session_keys_of_a_job(bench: Any) -> None:
    keys = bench.ports.credentials.session(JOB)
    session = {
        "aws_access_key_id": keys.access_key,
        "aws_secret_access_key": keys.secret_key,
        "aws_session_token": keys.token,
    }
    arn = bench.client("sts", **session).get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::000000000000:assumed-role/BottegaExecutionRole/training-job=my-job"
    bench.client("s3", **session).put_object(Bucket="b", Key="k", Body=b"x")
    assert bench.objects.signatures[-1].identity.arn == arn


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": None}, "UnrecognizedClientException"),
        ({"token": "junk"}, "UnrecognizedClientException"),
        ({"token": "x" * 5000}, "UnrecognizedClientException"),
        ({"access_key": "ASIAJUNK"}, "UnrecognizedClientException"),
        ({"secret_key": "wrong"}, "InvalidSignatureException"),
    ],
)
def test_wrong_session_keys(bench: Any, change: dict[str, Any], code: str) -> None:
    keys = bench.ports.credentials.session(JOB)
    given = {"access_key": keys.access_key, "secret_key": keys.secret_key, "token": keys.token}
    given = {k: v for k, v in (given | change).items() if v is not None}
    assert refused(bench, bench.signed(**given)).code == code


def test_tokens_that_are_no_text_of_ours(bench: Any) -> None:
    keys = bench.ports.credentials.session(JOB)
    mine = {"access_key": keys.access_key, "secret_key": keys.secret_key}
    request = bench.signed(**mine, token=keys.token)
    assert refused(bench, with_headers(request, x_amz_security_token="é.é")).status == 403
    other = bench.ports.credentials.session(JOB + "2")
    assert refused(bench, bench.signed(**mine, token=other.token)).status == 403
    owner_with_token = bench.signed(token=keys.token)
    assert "AWS_SESSION_TOKEN" in refused(bench, owner_with_token).message


@pytest.mark.parametrize("seconds", [-899, 0, 899])
def test_clocks_may_differ_by_15_minutes(bench: Any, seconds: int) -> None:
    request = bench.signed()
    bench.ports.clock.advance(seconds)
    assert verifier(bench).verify(request, service="sagemaker").identity.owner


@pytest.mark.parametrize("seconds", [-910, 910, 86400 * 400])
def test_clocks_may_not_differ_by_more(bench: Any, seconds: int) -> None:
    request, s3_request = bench.signed(), bench.signed(service="s3")
    bench.ports.clock.advance(seconds)
    assert refused(bench, request).code == "InvalidSignatureException"
    assert refused(bench, s3_request, "s3").code == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("service", "codes"),
    [
        ("sagemaker", ("InvalidSignatureException", "InvalidSignatureException")),
        ("s3", ("XAmzContentSHA256Mismatch", "SignatureDoesNotMatch")),
    ],
)
def test_a_changed_body(bench: Any, service: str, codes: tuple[str, str]) -> None:
    request = bench.signed(service=service, body=b"{}")
    other = bench.signed(service=service, body=b"{ }")
    changed = replace(request, body=other.body, body_sha256=other.body_sha256)
    assert refused(bench, changed, service).code == codes[0]
    hash_too = with_headers(changed, x_amz_content_sha256=other.body_sha256)
    assert refused(bench, hash_too, service).code == codes[1]


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/other"},
        {"query": "a=2"},
        {"query": ""},
        {"query": "a=1&b=2"},
    ],
)
@pytest.mark.parametrize("service", ["sagemaker", "s3"])
def test_a_changed_request(bench: Any, service: str, change: dict[str, str]) -> None:
    request = bench.signed(service=service, path="/x?a=1")
    assert verifier(bench).verify(request, service=service)
    expected = "SignatureDoesNotMatch" if service == "s3" else "InvalidSignatureException"
    assert refused(bench, replace(request, **change), service).code == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"x_amz_target": "SageMaker.DeleteModel"}, "InvalidSignatureException"),
        ({"host": "localhost:1"}, "InvalidSignatureException"),
        ({"x_amz_meta_new": "1"}, "InvalidSignatureException"),  # received, but not signed
        ({"x_amz_target": None}, "InvalidSignatureException"),  # signed, but not received
        ({"x_amz_date": None}, "IncompleteSignatureException"),
        ({"x_amz_date": "20260101T000000"}, "IncompleteSignatureException"),
        ({"x_amz_date": "20261399T000000Z"}, "InvalidSignatureException"),
        ({"authorization": None}, "MissingAuthenticationTokenException"),
        ({"authorization": ""}, "MissingAuthenticationTokenException"),
        ({"authorization": "Bearer abc"}, "IncompleteSignatureException"),
        ({"authorization": "AWS AKIA:sig"}, "IncompleteSignatureException"),
        ({"authorization": "AWS4-HMAC-SHA256"}, "IncompleteSignatureException"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=a"}, "IncompleteSignatureException"),
        ({"authorization": "AWS4-ECDSA-P256-SHA256 x"}, "IncompleteSignatureException"),
    ],
)
def test_changed_headers(bench: Any, change: dict[str, str | None], code: str) -> None:
    assert refused(bench, with_headers(bench.signed(), **change)).code == code


@pytest.mark.parametrize(
    ("pattern", "replacement", "code"),
    [
        (r"Signature=\w{4}", "Signature=0000", "InvalidSignatureException"),
        (r"Signature=\w+", "Signature=é", "IncompleteSignatureException"),
        (r"Signature=\w+", "Signature=", "IncompleteSignatureException"),
        (r"Credential=\w+", "Credential=AKIAUNKNOWN", "UnrecognizedClientException"),
        (r"Credential=\w+", "Credential=", "UnrecognizedClientException"),
        (r"aws4_request", "aws5_request", "IncompleteSignatureException"),
        (r"/aws4_request", "", "IncompleteSignatureException"),
        (r"/us-east-1/", "/us-west-2/", "InvalidSignatureException"),
        (r"/sagemaker/", "/s3/", "InvalidSignatureException"),
        (r"/20\d{6}/", "/19990101/", "InvalidSignatureException"),
        (r"SignedHeaders=\S+", "SignedHeaders=x-amz-date,", "InvalidSignatureException"),
        (r"SignedHeaders=\S+", "SignedHeaders=host,", "InvalidSignatureException"),
        (r"SignedHeaders=\S+", "SignedHeaders=,", "IncompleteSignatureException"),
        (r"SignedHeaders=\S+", "SignedHeaders=Host;X-Amz-Date,", "IncompleteSignatureException"),
        (r"$", ", Signature=" + "0" * 64, "IncompleteSignatureException"),
    ],
)
def test_a_changed_signature_header(bench: Any, pattern: str, replacement: str, code: str) -> None:
    request = bench.signed()
    header, count = re.subn(pattern, replacement, request.headers["authorization"], count=1)
    assert count == 1
    assert refused(bench, with_headers(request, authorization=header)).code == code


def test_the_region_must_be_the_homes(bench: Any) -> None:
    error = refused(bench, bench.signed(region="eu-west-1"))
    assert error.code == "InvalidSignatureException"
    assert "expecting 'us-east-1'" in error.message
    error = refused(bench, bench.signed(service="s3", region="eu-west-1"), "s3")
    assert error.code == "AuthorizationHeaderMalformed"


def test_iam_is_signed_for_us_east_1_from_everywhere(bench: Any) -> None:
    elsewhere = replace(bench.ports.config, region="eu-west-1")
    there = SignatureVerifier(bench.ports.credentials, elsewhere, bench.ports.clock)
    assert there.verify(bench.signed(service="iam"), service="iam").region == "us-east-1"
    with pytest.raises(ClientFault):
        there.verify(bench.signed(), service="sagemaker")


@pytest.mark.parametrize("form", list(PayloadForm)[1:])
def test_forms_of_s3_payloads(bench: Any, form: PayloadForm) -> None:
    class Signer(botocore.auth.S3SigV4Auth):
        def payload(self, request: Any) -> str:
            return form.value

    request = botocore.awsrequest.AWSRequest(
        "PUT", "http://127.0.0.1:9999/b/k", headers={"Host": "127.0.0.1:9999"}, data=b"5\r\nhello"
    )
    keys = bench.ports.credentials
    credentials = botocore.credentials.Credentials(keys.access_key, keys.secret_key)
    Signer(credentials, "s3", "us-east-1").add_auth(request)
    parts = {k.lower(): v for k, v in request.headers.items()}
    found = verifier(bench).verify(
        WireRequest("PUT", "/b/k", "", parts, io.BytesIO(b"5\r\nhello"), 8, "0" * 64), service="s3"
    )
    assert found.payload_form is form
    assert found.payload_form.chunked is form.value.startswith("STREAMING")
    assert found.amz_date == parts["x-amz-date"]


def test_s3_needs_to_be_told_what_the_payload_is(bench: Any) -> None:
    request = bench.signed(service="s3")
    odd = with_headers(request, x_amz_content_sha256="SOMETHING-ELSE")
    assert refused(bench, odd, "s3").code == "InvalidRequest"
    absent = with_headers(request, x_amz_content_sha256=None)
    assert refused(bench, absent, "s3").code == "SignatureDoesNotMatch"


# --- presigned URLs -----------------------------------------------------------------------------


def presigned(bench: Any, version: str, operation: str = "get_object", **more: Any) -> str:
    s3 = bench.client("s3", config={"signature_version": version})
    arguments = {"Bucket": "bucket", "Key": "a b/é+%.txt", **more.pop("arguments", {})}
    return str(s3.generate_presigned_url(operation, Params=arguments, **more))


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize(
    ("operation", "method", "arguments"),
    [
        ("get_object", "GET", {}),
        ("get_object", "GET", {"ResponseContentDisposition": 'attachment; filename="é b.csv"'}),
        ("get_object", "GET", {"VersionId": "1", "ResponseContentType": "text/plain"}),
        ("put_object", "PUT", {}),
        ("head_object", "HEAD", {}),
        ("upload_part", "PUT", {"UploadId": "u/+=", "PartNumber": 3}),
    ],
)
def test_presigned_urls(
    bench: Any, version: str, operation: str, method: str, arguments: dict[str, Any]
) -> None:
    request = get(presigned(bench, version, operation, arguments=arguments), method)
    found = verifier(bench).verify(request, service="s3")
    assert found.presigned
    assert found.identity.owner
    assert found.payload_form is PayloadForm.UNSIGNED
    assert refused(bench, replace(request, path="/bucket/other"), "s3").code == (
        "SignatureDoesNotMatch"
    )
    assert refused(bench, replace(request, method="DELETE"), "s3").code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_content_type_must_be_kept(bench: Any, version: str) -> None:
    url = presigned(bench, version, "put_object", arguments={"ContentType": "text/csv"})
    assert verifier(bench).verify(get(url, "PUT", content_type="text/csv"), service="s3")
    wrong = get(url, "PUT", content_type="text/html")
    assert refused(bench, wrong, "s3").code == "SignatureDoesNotMatch"


def test_the_default_of_boto3_in_us_east_1_is_version_2(bench: Any) -> None:
    url = bench.client("s3").generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    assert "AWSAccessKeyId=" in url
    assert verifier(bench).verify(get(url), service="s3").scope == ""


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_with_session_keys(bench: Any, version: str) -> None:
    keys = bench.ports.credentials.session(JOB)
    s3 = bench.client(
        "s3",
        config={"signature_version": version},
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )
    url = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    identity = verifier(bench).verify(get(url), service="s3").identity
    assert identity.arn.endswith("/training-job=my-job")
    stripped = re.sub(r"(?i)&x-amz-security-token=[^&]+", "", url)
    assert refused(bench, get(stripped), "s3").code == "InvalidAccessKeyId"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_expire(bench: Any, version: str) -> None:
    request = get(presigned(bench, version, ExpiresIn=2000))
    bench.ports.clock.advance(1990)
    assert verifier(bench).verify(request, service="s3")
    bench.ports.clock.advance(20)
    error = refused(bench, request, "s3")
    assert error.code == "AccessDenied"
    assert "expired" in error.message


def test_a_presigned_url_from_the_future(bench: Any) -> None:
    request = get(presigned(bench, "s3v4"))
    bench.ports.clock.advance(-1000)
    assert refused(bench, request, "s3").code == "AccessDenied"


@pytest.mark.parametrize(
    ("pattern", "replacement", "code"),
    [
        ("X-Amz-Expires=3600", "X-Amz-Expires=3601", "SignatureDoesNotMatch"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=604801", "AuthorizationQueryParametersError"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=0", "AuthorizationQueryParametersError"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=-1", "AuthorizationQueryParametersError"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=%C2%B2", "AuthorizationQueryParametersError"),
        ("&X-Amz-Expires=3600", "", "AuthorizationQueryParametersError"),
        ("&X-Amz-Signature=.*", "", "AuthorizationQueryParametersError"),
        ("$", "&X-Amz-Date=20260101T000000Z", "AuthorizationQueryParametersError"),
        ("$", "&versionId=2", "SignatureDoesNotMatch"),
        ("SignedHeaders=host", "SignedHeaders=date", "AccessDenied"),
        ("HMAC-SHA256", "HMAC-SHA1", "AuthorizationQueryParametersError"),
        ("AKIA", "AKIB", "InvalidAccessKeyId"),
        ("%2Fus-east-1%2F", "%2Feu-west-1%2F", "AuthorizationHeaderMalformed"),
    ],
)
def test_changed_version_4_urls(bench: Any, pattern: str, replacement: str, code: str) -> None:
    url, count = re.subn(pattern, replacement, presigned(bench, "s3v4"), count=1)
    assert count == 1
    assert refused(bench, get(url), "s3").code == code


@pytest.mark.parametrize(
    ("pattern", "replacement", "code"),
    [
        (r"Expires=\d+", "Expires=9999999999", "SignatureDoesNotMatch"),
        (r"Expires=\d+", "Expires=tomorrow", "AccessDenied"),
        (r"Expires=\d+", "Expires=1", "AccessDenied"),
        (r"&Expires=\d+", "", "AccessDenied"),
        (r"&Signature=[^&]+", "&Signature=%C3%A9", "SignatureDoesNotMatch"),
        (r"&Signature=[^&]+", "&Signature=", "AccessDenied"),
        ("AKIA", "AKIB", "InvalidAccessKeyId"),
        ("$", "&uploadId=1", "SignatureDoesNotMatch"),
        ("$", "&x-amz-acl=public-read", "SignatureDoesNotMatch"),
        ("$", "&Expires=9999999999", "AccessDenied"),
    ],
)
def test_changed_version_2_urls(bench: Any, pattern: str, replacement: str, code: str) -> None:
    url, count = re.subn(pattern, replacement, presigned(bench, "s3"), count=1)
    assert count == 1
    assert refused(bench, get(url), "s3").code == code


def test_headers_added_to_a_presigned_url(bench: Any) -> None:
    v4, v2 = presigned(bench, "s3v4"), presigned(bench, "s3")
    assert refused(bench, get(v4, x_amz_acl="public-read"), "s3").code == "AccessDenied"
    assert refused(bench, get(v2, x_amz_acl="public-read"), "s3").code == "SignatureDoesNotMatch"
    for url in (v2, v4):
        twice = get(url, authorization=bench.signed(service="s3").headers["authorization"])
        assert refused(bench, twice, "s3").code == "AuthorizationHeaderMalformed"


def test_a_presigned_url_of_sts(bench: Any) -> None:
    url = bench.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    response = bench.answer(get(url))
    assert response.status == 200
    assert b"assumed-role/BottegaExecutionRole/owner" in response.body


def test_a_version_2_url_is_no_key_to_other_services(bench: Any) -> None:
    query = urlsplit(presigned(bench, "s3")).query
    request = replace(bench.signed(), query=query)
    request = with_headers(request, authorization=None)
    assert refused(bench, request).code == "MissingAuthenticationTokenException"
