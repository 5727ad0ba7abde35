"""The library's errors, and its warning."""


class FallbackWarning(UserWarning):
    """Frames were decoded without pruning; the message says why, and what to do if there is a way."""


class VerificationError(Exception):
    """Frames are not those of a sequential decoder; the message names the first that differs."""


class DeclinedError(Exception):
    """Nothing is pruned: packets and frames cannot be matched, or packets cannot be cut, with certainty."""


class SeekDeclinedError(DeclinedError):
    """Packets and frames match, but TorchCodec, which seeks, may land after frames that it is asked for."""


class RestDeclinedError(DeclinedError):
    """Nothing more is pruned from here on; the frames that are shown before are certain."""


class WrongFrameError(DeclinedError):
    """Decoding an excerpt gave other frames than planned."""


class StoppedError(RuntimeError):
    """Nothing more is decoded: an iterator has been closed, or the process exits."""


class WorkerError(RuntimeError):
    """A worker process has ended in the middle of its work, or none can start; the message says why."""


class ClusterError(RuntimeError):
    """A cluster is lost, or cannot do the work; the message says why, and what to do."""


class RefusedError(ClusterError):
    """A cluster is not fit for the work, and nothing was decoded; the message says what to do."""


class StaleIndexError(ValueError):
    """A saved index is not of this video as it is now; the message says what differs."""
