"""The messages of Connect and gRPC-Web: frames of a flag, a length and data, and a string as protobuf encodes it."""

import struct
from collections.abc import Iterator

TRAILERS = 0x80  # gRPC-Web's flag of the last frame
END = 0x02  # Connect's


def frame(data: bytes, flag: int = 0) -> bytes:
    """Return a frame."""
    return struct.pack(">BI", flag, len(data)) + data


def read_frame(frame: bytes) -> bytes:
    """Return the data of a frame."""
    flag, length = struct.unpack(">BI", frame[:5])
    assert (flag, length) == (0, len(frame) - 5)
    return frame[5:]


def encode_text(text: str) -> bytes:
    """Encode a `google.protobuf.StringValue` of less than 128 bytes: one member, its length, its text."""
    return bytes([0x0A, len(text.encode())]) + text.encode()


def decode_text(data: bytes) -> str:
    """Decode a `google.protobuf.StringValue`."""
    assert data[:2] == bytes([0x0A, len(data) - 2])
    return data[2:].decode()


def count_to(text: str) -> Iterator[str]:
    """Yield the numbers up to the one that a client sent."""
    return map(str, range(1, int(text) + 1))
