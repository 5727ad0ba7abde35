"""OpenCV: `grab()` decodes each frame, `retrieve()` converts the wanted ones, as its documentation splits it.

Its documentation gives threads by CAP_PROP_N_THREADS on opening and seeks by CAP_PROP_POS_FRAMES.
"""

from benchmarks.peers.frames import Frames, PeerError, empty, wanted
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    """Read with a capture of its own."""
    import cv2

    output, rows = empty(workload, indices), wanted(indices)
    if not rows:
        return output
    options = [] if threads is None else [cv2.CAP_PROP_N_THREADS, threads]
    capture = cv2.VideoCapture(str(workload.video.path), cv2.CAP_FFMPEG, options)
    # By itself OpenCV turns rotated videos; the frames asked for are as they are stored.
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
    try:
        number = min(rows)
        if number:
            capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        while rows:
            if not capture.grab():
                raise PeerError(f"OpenCV gave no frame {number}")
            if number in rows:
                first, *others = rows.pop(number)
                _, picture = capture.retrieve()
                if workload.size is not None:
                    picture = cv2.resize(picture, workload.size[::-1], interpolation=cv2.INTER_AREA)
                cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=output[first])
                output[others] = output[first]
            number += 1
    finally:
        capture.release()
    return output
