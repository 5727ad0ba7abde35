"""Digests of frames: a proof compares them, and a worker can return them instead of frames."""

import hashlib

from torch import Tensor


def frame_digests(frames: Tensor) -> tuple[bytes, ...]:
    """A BLAKE2b digest of each frame's bytes in the order height, width, channel (TorchCodec's own layout).

    Args:
        frames: uint8 [N, C, H, W].
    """
    planes = frames.permute(0, 2, 3, 1)
    return tuple(hashlib.blake2b(plane.contiguous().numpy(), digest_size=16).digest() for plane in planes)
