"""NAL units and the packets that hold them, made for tests."""


def sized(*nal_units: bytes, size: int = 4) -> bytes:
    """A packet as MP4 and Matroska hold it: each unit after its length."""
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in nal_units)


def coded(*nal_units: bytes, code: bytes = b"\0\0\1") -> bytes:
    """A packet of Annex B: each unit after a start code."""
    return b"".join(code + unit for unit in nal_units)


def bits(text: str) -> bytes:
    """Bits as bytes, filled up with zeros."""
    text += "0" * (-len(text) % 8)
    return int("1" + text, 2).to_bytes(len(text) // 8 + 1, "big")[1:]


def golomb(number: int) -> str:
    """ue(v): as many zeros as the number after has further bits."""
    digits = f"{number + 1:b}"
    return "0" * (len(digits) - 1) + digits
