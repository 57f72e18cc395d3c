"""A hostile server can't crash the doctor, or make it decode without end."""

import gzip
import zlib

import pytest

from asgi_cors.cli.doctor.bodies import MAX_BODY, bound_body
from tests.cli.corpus.raw import ACAM, ACAO, ACMA, sends
from tests.cli.corpus.serving import serving
from tests.support.command_line import doctor

TYPE = "Content-Type"


def deflate(body: bytes) -> bytes:
    """Compress without a header, as some servers do."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("charset", ["undefined", "idna", "zlib_codec", "utf-7", "nope", "hex"])
def test_a_charset_that_is_a_codec_of_python_is_ignored(charset):
    with serving(sends(403, (TYPE, f"text/html; charset={charset}"), body=b"CORS: origin not allowed")) as server:
        ran = doctor({}, server.url)
    assert ran.json["cause"]["name"] == "refused-by-status"


@pytest.mark.parametrize("age", ["²", "9" * 9000], ids=["superscript", "9000 digits"])
def test_any_max_age_is_reported(age):
    with serving(sends(200, (ACAO, "*"), (ACAM, "PUT"), (ACMA, age))) as server:
        ran = doctor({"method": "PUT"}, server.url)
    assert ran.code == 0
    assert [note["name"][:7] for note in ran.json["notes"]] == ["max-age"]


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("Deflate ", deflate)],
    ids=["gzip", "zlib", "deflate without a header"],
)
def test_a_compressed_bomb_is_decoded_in_part(coding, compress):
    bounded = bound_body(compress(b"a" * 10_000_000), coding)
    assert zlib.decompress(bounded, zlib.MAX_WBITS | 32) == b"a" * MAX_BODY


@pytest.mark.parametrize(
    ("coding", "body", "bounded"),
    [
        ("", b"tea", b"tea"),
        ("identity", b"tea", b"tea"),
        ("gzip", gzip.compress(b"tea", mtime=0), gzip.compress(b"tea", mtime=0)),
        ("gzip", b"\xff\xff", b"\xff\xff"),
        ("br", b"tea", b""),
        ("gzip, gzip", b"tea", b""),
    ],
)
def test_another_body_stays_or_is_dropped(coding, body, bounded):
    assert bound_body(body, coding) == bounded


def test_a_bomb_in_an_error_page_does_not_delay_the_doctor():
    bomb = gzip.compress(b"\0" * 50_000_000)
    with serving(sends(500, ("Content-Encoding", "gzip"), body=bomb)) as server:
        ran = doctor({"timeout": "5"}, server.url)
    assert ran.json["cause"]["name"] == "response-crashed"
