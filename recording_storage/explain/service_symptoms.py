"""What the recording service says itself; its codes are an open set, of which one is published."""

from __future__ import annotations

from typing import Final

from recording_storage.explain.symptoms import Rank, Symptom

_TAVUS: Final = (
    "https://docs.tavus.io/sections/conversational-video-interface/quickstart/conversation-recordings"
)
_CODE: Final = "DESTINATION_AUTH_FAILED"
_WORDS: Final = rf"\b{_CODE}\b"
_HAPPENED: Final = (
    "The destination let the service in at none of its tries: almost always the trust, as the vendor says."
)

SERVICE_SYMPTOMS: Final = (
    Symptom(
        f"{_CODE}, on Google",
        _WORDS,
        "gcs",
        _HAPPENED,
        ("G4", "G10", "G5", "G3", "G2", "G1", "G9", "G6"),
        _TAVUS,
        "A",
        rank=Rank.CODE,
    ),
    Symptom(
        f"{_CODE}, on Azure",
        _WORDS,
        "azure_blob",
        _HAPPENED,
        ("Z1", "Z2", "Z10", "Z3", "Z6", "Z8", "Z9"),
        _TAVUS,
        "A",
        rank=Rank.CODE,
    ),
    Symptom(
        f"{_CODE}, on S3",
        _WORDS,
        "s3",
        _HAPPENED,
        ("S2", "S1", "S6", "S3"),
        _TAVUS,
        "A",
        rank=Rank.CODE,
    ),
)
"""Rows of the service's own."""
