"""What is read of a file besides TorchCodec's header."""

from pathlib import Path

import pytest

from exactframes.source import _is_fragmented


def box(kind: str, payload: bytes = b"", size: int | None = None) -> bytes:
    """A box (ISO/IEC 14496-12, 4.2)."""
    return (8 + len(payload) if size is None else size).to_bytes(4, "big") + kind.encode() + payload


def large_box(kind: str, payload: bytes) -> bytes:
    """A box with its size in 64 bits."""
    return box(kind, (16 + len(payload)).to_bytes(8, "big") + payload, size=1)


START = box("ftyp", b"isom") + box("moov", box("trak"))
MOOF = box("moof", b"mfhd")


@pytest.mark.parametrize(
    ("data", "is_fragmented"),
    [
        (START + MOOF, True),
        (START + box("mdat", b"12345") + MOOF, True),
        (START + large_box("mdat", b"12345") + MOOF, True),
        (START + large_box("mdat", b"") + MOOF, True),
        (START + box("free") + MOOF, True),
        (START + box("mdat", MOOF), False),
        (START + large_box("mdat", MOOF), False),
        (START + box("mdat", MOOF, size=0), False),  # up to the end of the file
        (START + box("mdat", b"", size=7) + MOOF, False),
        (START + box("mdat", b"", size=100), False),
        (START + MOOF[:7], False),
        (START, False),
        (b"", False),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81" + MOOF, False),
    ],
)
def test_movie_fragments_are_found(data: bytes, is_fragmented: bool, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(data)
    assert _is_fragmented(tmp_path / "film.mp4") == is_fragmented
