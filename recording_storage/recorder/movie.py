"""What is recorded: an MP4 that no player shows, large enough to be uploaded in pieces."""

from __future__ import annotations

import random

SIZE = 12 << 20
PIECE = 6 << 20
"""Bytes that are sent at a time: S3 takes parts from 5 MiB, Cloud Storage chunks of a multiple of 256 KiB."""
PIECES = SIZE // PIECE


def movie(seed: str) -> bytes:
    """An MP4: the boxes that say so, and media data that is different for each seed and the same on every run.

    Source: ISO/IEC 14496-12, boxes `ftyp` and `mdat`.
    """
    brand = b"ftypisom" + (512).to_bytes(4, "big") + b"isomiso2mp41"
    head = (len(brand) + 4).to_bytes(4, "big") + brand
    media = random.Random(seed).randbytes(SIZE - len(head) - 8)  # noqa: S311 (bytes to compare, not a secret)
    return head + (len(media) + 8).to_bytes(4, "big") + b"mdat" + media
