"""Signatures and bodies: made by botocore, then bent in one place."""

from __future__ import annotations

import base64
import hashlib
import zlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from world import REGION, Keys, Reply, allow

from recording_storage.sandbox.journal import Outcome

if TYPE_CHECKING:
    from world import World

BODY = b"recording"


def signing_at(monkeypatch: pytest.MonkeyPatch, then: datetime) -> None:
    def now(**_: object) -> datetime:
        return then.replace(tzinfo=None)

    monkeypatch.setattr(auth, "get_current_datetime", now)


@pytest.fixture(scope="module")
def url(world: World, owner: Keys) -> str:
    return f"https://{world.bucket(owner)}.s3.{REGION}.amazonaws.com/a%20key/with%2Bsigns"


def answers(world: World, reply: Reply, outcome: Outcome, code: str, mark: int) -> None:
    """The reply says so, and so does the journal."""
    assert f"<Code>{code}</Code>" in reply.text, reply
    assert [entry.outcome for entry in world.sandbox.journal.since(mark)] == [outcome]


def put(world: World, keys: Keys, url: str, **more: Any) -> dict[str, str]:
    return world.signed(keys, "PUT", url, body=BODY, **more)


def test_a_signed_request(world: World, owner: Keys, url: str) -> None:
    assert world.send("PUT", url, put(world, owner, url), BODY).status == 200
    assert world.send("GET", url, world.signed(owner, "GET", url)).text == BODY.decode()


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        ({"secret": "another"}, "SignatureDoesNotMatch"),
        ({"id": "AKIAAAAAAAAAAAAAAAAA"}, "InvalidAccessKeyId"),
        ({"token": "another"}, "InvalidToken"),
    ],
    ids=["secret", "key", "token"],
)
def test_other_keys(world: World, owner: Keys, url: str, bend: dict[str, str], code: str) -> None:
    keys = Keys(**{"account": owner.account, "id": owner.id, "secret": owner.secret} | bend)
    mark = world.sandbox.journal.mark()
    answers(world, world.send("PUT", url, put(world, keys, url), BODY), Outcome.REFUSED, code, mark)


def test_what_is_signed_is_what_is_sent(world: World, owner: Keys, url: str) -> None:
    signed = put(world, owner, url, headers={"x-amz-meta-a": "1"})
    for changed, headers, body, code in (
        (url + "x", signed, BODY, "SignatureDoesNotMatch"),
        (url + "?x-id=PutObject", signed, BODY, "SignatureDoesNotMatch"),
        (url, signed | {"x-amz-meta-a": "2"}, BODY, "SignatureDoesNotMatch"),
        (url, signed, b"another", "XAmzContentSHA256Mismatch"),
        (url, signed | {"x-amz-acl": "public-read"}, BODY, "AccessDenied"),
    ):
        mark = world.sandbox.journal.mark()
        answers(world, world.send("PUT", changed, headers, body), Outcome.REFUSED, code, mark)
    assert world.send("PUT", url, signed, BODY).status == 200


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 403), (16, 403)])
def test_the_clock(
    world: World, owner: Keys, url: str, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    signing_at(monkeypatch, datetime.now(timezone.utc) + timedelta(minutes=minutes))
    reply = world.send("PUT", url, put(world, owner, url), BODY)
    assert (reply.status, "RequestTimeTooSkewed" in reply.text) == (status, status == 403)


def test_the_scope(world: World, owner: Keys, url: str) -> None:
    for more in ({"region": "us-east-1"}, {"service": "sts", "region": REGION}):
        headers = put(world, owner, url, **more)
        headers.setdefault("X-Amz-Content-SHA256", hashlib.sha256(BODY).hexdigest())
        mark = world.sandbox.journal.mark()
        reply = world.send("PUT", url, headers, BODY)
        answers(world, reply, Outcome.REFUSED, "AuthorizationHeaderMalformed", mark)


@pytest.mark.parametrize(
    "header", ["AWS AKIAEXAMPLE:c2lnbmF0dXJl", "AWS4-ECDSA-P256-SHA256 Credential=x", "Bearer x"]
)
def test_other_algorithms_are_undecided(world: World, url: str, header: str) -> None:
    mark = world.sandbox.journal.mark()
    reply = world.send("GET", url, {"Authorization": header})
    answers(world, reply, Outcome.UNDECIDED, "NotImplemented", mark)


def test_presigned_urls(world: World, owner: Keys, url: str) -> None:
    host, key = urlsplit(url).netloc, "a key/with+signs"
    where = {"Bucket": host.partition(".")[0], "Key": key}

    def presigned(what: str, seconds: int = 60) -> str:
        return world.s3(owner).generate_presigned_url(what, Params=where, ExpiresIn=seconds)

    assert world.send("PUT", presigned("put_object"), body=BODY).status == 200
    assert world.send("GET", presigned("get_object")).text == BODY.decode()
    for spoilt, method, code in (
        (presigned("get_object"), "PUT", "SignatureDoesNotMatch"),
        (
            presigned("get_object").replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
            "GET",
            "SignatureDoesNotMatch",
        ),
        (presigned("get_object", 604801), "GET", "AuthorizationQueryParametersError"),
        (presigned("get_object", 0), "GET", "AuthorizationQueryParametersError"),
    ):
        mark = world.sandbox.journal.mark()
        answers(world, world.send(method, spoilt), Outcome.REFUSED, code, mark)


def test_a_presigned_url_expires(
    world: World, owner: Keys, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"Bucket": urlsplit(url).netloc.partition(".")[0], "Key": "k"}
    signing_at(monkeypatch, datetime.now(timezone.utc) - timedelta(seconds=120))
    late, long = (
        world.s3(owner).generate_presigned_url("put_object", Params=where, ExpiresIn=n) for n in (60, 180)
    )
    mark = world.sandbox.journal.mark()
    answers(world, world.send("PUT", late), Outcome.REFUSED, "AccessDenied", mark)
    assert world.send("PUT", long).status == 200


def test_a_presigned_url_can_do_no_more_than_its_signer(world: World, owner: Keys) -> None:
    bucket = world.bucket(owner)
    world.s3(owner).put_object(Bucket=bucket, Key="k", Body=BODY)
    arn = f"arn:aws:s3:::{bucket}"
    for actions, missing in ((("s3:GetObject",), 403), (("s3:GetObject", "s3:ListBucket"), 404)):
        session = world.session(owner, allow(*actions, on=[arn, f"{arn}/*"]))
        for key, status in (("k", 200), ("none", missing)):
            where = {"Bucket": bucket, "Key": key}
            presigned = world.s3(session).generate_presigned_url("get_object", Params=where)
            assert world.send("GET", presigned).status == status
    presigned = world.s3(world.session(owner)).generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "k"}
    )
    assert world.send("GET", presigned).status == 403


def crc(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def test_a_trailing_checksum(world: World, owner: Keys, url: str) -> None:
    def chunked(checksum: str, *, length: int = len(BODY), end: bytes = b"") -> Reply:
        body = (
            b"4\r\nreco\r\n5\r\nrding\r\n0\r\nx-amz-checksum-crc32:" + checksum.encode() + b"\r\n\r\n" + end
        )
        headers = {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Trailer": "x-amz-checksum-crc32",
            "X-Amz-Decoded-Content-Length": str(length),
            "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "X-Amz-Sdk-Checksum-Algorithm": "CRC32",
        }
        return world.send("PUT", url, world.signed(owner, "PUT", url, body=body, headers=headers), body)

    assert chunked(crc(BODY)).status == 200
    read = world.send("GET", url, world.signed(owner, "GET", url))
    assert (read.text, read.headers.get("content-encoding")) == (BODY.decode(), None)
    for reply, code in (
        (lambda: chunked(crc(b"another")), "BadDigest"),
        (lambda: chunked("!"), "InvalidDigest"),
        (lambda: chunked(crc(BODY), length=8), "IncompleteBody"),
        (lambda: chunked(crc(BODY), end=b"x-amz-checksum-sha1:x\r\n"), "MalformedTrailerError"),
    ):
        mark = world.sandbox.journal.mark()
        answers(world, reply(), Outcome.REFUSED, code, mark)


def test_checksums_in_headers(world: World, owner: Keys, url: str) -> None:
    for header, right in (
        ("Content-MD5", hashlib.md5(BODY, usedforsecurity=False).digest()),
        ("x-amz-checksum-sha256", hashlib.sha256(BODY).digest()),
    ):
        for value, status in ((right, 200), (right[::-1], 400)):
            headers = {header: base64.b64encode(value).decode()}
            assert world.send("PUT", url, put(world, owner, url, headers=headers), BODY).status == status


def test_chunks_signed_one_by_one_are_undecided(world: World, owner: Keys, url: str) -> None:
    headers = {"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    mark = world.sandbox.journal.mark()
    reply = world.send("PUT", url, put(world, owner, url, headers=headers), BODY)
    answers(world, reply, Outcome.UNDECIDED, "NotImplemented", mark)


def test_a_header_that_wsgi_cannot_carry_is_undecided(world: World, owner: Keys, url: str) -> None:
    mark = world.sandbox.journal.mark()
    reply = world.send("PUT", url, put(world, owner, url, headers={"x-amz-meta-a_b": "1"}), BODY)
    assert reply.status == 501
    assert [entry.outcome for entry in world.sandbox.journal.since(mark)] == [Outcome.UNDECIDED]


def test_headers_in_a_presigned_query_are_undecided(world: World, owner: Keys, url: str) -> None:
    for parameter, status in (("x-id=PutObject", 200), ("X-Amz-Acl=public-read", 501)):
        request = AWSRequest(method="PUT", url=f"{url}?{parameter}")
        signer = auth.S3SigV4QueryAuth(Credentials(owner.id, owner.secret), "s3", REGION, expires=60)
        signer.add_auth(request)
        assert world.send("PUT", str(request.url)).status == status
