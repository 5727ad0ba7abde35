"""What somebody who finds a wrong frame sends.

    python -m exactframes.report holiday.mp4 10 250 -1 > report.txt

These frames are decoded by TorchCodec, by decode_frames and by a kept VideoDecoder, and compared. The report
tells versions, what the container and the stream are, which packets lie around each frame and which of them
are left out, and digests. No picture is in it, no path, no file name and no host name.

Exit status: 0 if all frames are TorchCodec's; 1 if one is not, or a way has given none; 2 if there is nothing
to report, for a reason that one sentence tells.
"""

import argparse
import sys
from collections.abc import Sequence

import av
from torch import Tensor

from exactframes.around import make_plan, read_packets, table
from exactframes.digests import frame_digests
from exactframes.evidence import Answer, Facts, answers, container_and_stream, first_line, software
from exactframes.source import Source, open_source

NOTHING = "No picture is in this report, no path, no file name and no host name."
SAME, NOT_COMPARED = "the same", "cannot be compared"


def main(argv: Sequence[str]) -> int:
    """Print the report; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m exactframes.report",
        description="What somebody who finds a wrong frame sends: versions, container and stream, how the "
        "frames differ from TorchCodec's own, the packets around them, and digests. " + NOTHING,
        epilog="Exit status: 0 if all frames are TorchCodec's, 1 if one is not, 2 if there is no report.",
    )
    parser.add_argument("video", metavar="VIDEO", help="a file, or a URL")
    parser.add_argument("indices", metavar="INDEX", nargs="+", help="frames; negative: from the end")
    parser.add_argument(
        "--seek-mode", default="exact", help="that of your call: exact (default), approximate"
    )
    arguments = parser.parse_args(argv)
    try:
        source = open_source(arguments.video, arguments.seek_mode)
        wanted = source.checked(map(_number, arguments.indices))
        lines, is_alike = report(source, wanted)
    except (OSError, ValueError, IndexError, RuntimeError, av.FFmpegError) as error:
        print(f"error: {first_line(error)}", file=sys.stderr)  # noqa: T201
        return 2
    print("\n".join(lines))  # noqa: T201
    return 0 if is_alike else 1


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"INDEX {text!r}: give frame numbers, such as 10 250 -1") from None


def report(source: Source, wanted: list[int]) -> tuple[list[str], bool]:
    """The report in lines, and whether every way has given TorchCodec's frames.

    Args:
        source: the video.
        wanted: frame numbers, none negative.

    Raises:
        av.FFmpegError, OSError: if its packets cannot be read.
    """
    packets = read_packets(source)
    theirs, *ours = answers(source, wanted)
    plan = make_plan(source, wanted, packets)
    compared = [_compared(theirs, one, len(wanted)) for one in ours]
    counted: Facts = [("packets", len(packets.seen)), ("flagged as keyframes", packets.keyframes)]
    lines = [
        *("exactframes report", NOTHING),
        *("", "Software", *_told(software())),
        *("", "Video", *_told([*container_and_stream(source), *counted])),
        *("", f"Frames, in seek mode {source.seek_mode}", *_frames(wanted, theirs, ours, compared)),
        *("", "Packets around them, in the order of the file, times in ticks of the time base"),
        "(plan: whether a packet is decoded for these frames; -: none is read there)",
        *([f"Nothing is left out: {plan.why}"] if plan.why else []),
        *table(packets, packets.frames(wanted, theirs), plan),
    ]
    return lines, all(verdict == SAME for verdicts in compared for verdict in verdicts)


def _told(facts: Facts) -> list[str]:
    return [f"{name}: {value}" for name, value in facts]


def _frames(
    wanted: Sequence[int], theirs: Answer, ours: Sequence[Answer], compared: Sequence[Sequence[str]]
) -> list[str]:
    """What each way told, a block for each frame, and how many are not TorchCodec's."""
    lines = [f"{one.way}: {one.told}" for one in (theirs, *ours) if one.told]
    digests = [_digests(one.frames, len(wanted)) for one in (theirs, *ours)]
    for row, index in enumerate(wanted):
        shown = f", shown at {theirs.seconds[row]:.6f} s" if theirs.seconds else ""
        lines += [f"frame {index}{shown}", f"  {theirs.way}  {digests[0][row]}"]
        for one, verdicts, found in zip(ours, compared, digests[1:], strict=True):
            lines.append(f"  {one.way}  {found[row]}  {verdicts[row]}")
    for one, verdicts in zip(ours, compared, strict=True):
        differing = sum(verdict != SAME for verdict in verdicts)
        result = f"{differing} of {len(wanted)} frames differ from TorchCodec's"
        lines.append(f"{one.way}: {'no frame can be compared' if NOT_COMPARED in verdicts else result}")
    return lines


def _digests(frames: Tensor | None, count: int) -> list[str]:
    return ["none"] * count if frames is None else [digest.hex() for digest in frame_digests(frames)]


def _compared(theirs: Answer, ours: Answer, count: int) -> list[str]:
    """For each of so many frames whether it is TorchCodec's, or by how much it is not."""
    if theirs.frames is None or ours.frames is None:
        return [NOT_COMPARED] * count
    if theirs.frames.shape != ours.frames.shape:
        return [f"of shape {list(ours.frames.shape[1:])}, not {list(theirs.frames.shape[1:])}"] * count
    return [_difference(a, b) for a, b in zip(theirs.frames, ours.frames, strict=True)]


def _difference(theirs: Tensor, ours: Tensor) -> str:
    apart = (theirs.int() - ours.int()).abs()
    count = int((apart > 0).sum())
    return f"{count} of {apart.numel()} values differ, by up to {int(apart.max())}" if count else SAME


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
