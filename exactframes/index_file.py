"""The file of a saved index: a line with the version, a header in JSON after its length, then the arrays."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from exactframes.errors import StaleIndexError

MAGIC = b"exactframes index 7\n"  # another version is refused
HEADER = json.JSONDecoder()  # kept for all files, and used without the checks of json.loads
ALIGNED = 8  # bytes: the header is padded, and larger items come first, so that all arrays are aligned
ARRAYS = {  # by name and in this order: of packets, but `order` of frames, `starts` and `is_open` of GOPs
    "pts": np.int64,
    **dict.fromkeys(("duration", "size", "order", "starts"), np.int32),
    "role": np.uint8,
    **dict.fromkeys(("is_keyframe", "is_open"), np.bool_),
}


def write_index_file(path: str | os.PathLike[str], header: dict[str, Any], arrays: Sequence[Any]) -> None:
    """Write it, completely or not at all.

    Args:
        path: of the file.
        header: what JSON can hold, and "counts", of packets, frames and GOPs.
        arrays: those of ARRAYS.
    """
    target = Path(path)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            text = json.dumps(header).encode()
            text += b" " * (-(len(MAGIC) + 4 + len(text)) % ALIGNED)
            file.write(MAGIC + len(text).to_bytes(4, "big") + text)
            for array in arrays:
                file.write(array.tobytes())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def read_index_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read its header and its arrays by name.

    Raises:
        FileNotFoundError: if there is none.
        StaleIndexError: if it is not an index, or has another version.
    """
    file = os.open(path, os.O_RDONLY)  # a file object costs as much as the reading, when caches are cold
    try:
        data = os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)
    if not data.startswith(MAGIC):
        raise StaleIndexError(f"{path} is no index of exactframes, or of another version: save it again")
    try:
        place = len(MAGIC) + 4
        place += int.from_bytes(data[len(MAGIC) : place], "big")
        header = HEADER.raw_decode(data[len(MAGIC) + 4 : place].decode())[0]
        packets, frames, gops = header["counts"]
        counts = {"order": frames, "starts": gops, "is_open": gops}
        arrays: dict[str, Any] = {}
        for name, kind in ARRAYS.items():
            count = counts.get(name, packets)
            arrays[name] = np.frombuffer(data, kind, count, place)
            place += arrays[name].nbytes
    except (ValueError, KeyError, TypeError) as error:
        raise StaleIndexError(f"{path} is damaged: save it again") from error
    return header, arrays
