"""Python for every strategy and peer, to be pasted into a project of one's own: nothing of this suite in it.

Each takes `indices`, the frame numbers asked for, and gives `frames`, uint8 [N, C, H, W] in their order: a
tensor; of a peer an array. In the templates (string.Template) $video is the quoted name of the file and
$workers a number; $seek_mode, $num_threads and $ffmpeg_threads are one more argument, or nothing where the
default does; $option is the row's own word, put in first. The other words come from _sizes: they say how
frames are resized.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

TORCHCODEC = "torch torchcodec"
JOBLIB = f"{TORCHCODEC} joblib"
LIBRARY = "PATH-OR-GIT-URL of this repository (its package is exactframes)"
OPENCV_WHEEL = "opencv-python-headless"
READER_WHEEL = "video-reader-rs==0.4.1"  # the wheels of 0.4.3 to 0.4.5 do not find their own libsharpyuv

ONE_DECODER = """\
from torchcodec.decoders import VideoDecoder$resize_import

${resize_setup}decoder = VideoDecoder($video$seek_mode$option$resize)
frames = decoder.get_frames_at(list(indices)).data
"""

CHUNKS = """\
import torch
from joblib import Parallel, delayed
from torchcodec.decoders import VideoDecoder$resize_import

${resize_setup}
def decode(chunk):
    decoder = VideoDecoder($video$seek_mode$num_threads$resize)
    return decoder.get_frames_at(chunk).data


chunks = [chunk.tolist() for chunk in torch.tensor(indices).tensor_split($workers) if len(chunk)]
run = Parallel(n_jobs=$workers, backend="$option")
frames = torch.cat(run(delayed(decode)(chunk) for chunk in chunks))
"""

# A memory map: joblib hands it to its processes by its path. Of a memfd: /dev/shm may be small.
SHARED = """\
import os

import numpy as np
import torch
from joblib import Parallel, delayed
from torchcodec.decoders import VideoDecoder$resize_import

${resize_setup}
def decode(rows, output):
    decoder = VideoDecoder($video$seek_mode$resize)
    batch = decoder.get_frames_at([indices[row] for row in rows]).data
    output[rows] = batch.permute(0, 2, 3, 1).numpy()


${frame_size}shape = (len(indices), $height, $width, 3)
memory = os.memfd_create("frames")  # Linux; elsewhere take the path of a new file
output = np.memmap(f"/proc/{os.getpid()}/fd/{memory}", np.uint8, "w+", shape=shape)
chunks = [rows for rows in np.array_split(range(len(indices)), $workers) if len(rows)]
Parallel(n_jobs=$workers, backend="loky")(delayed(decode)(rows, output) for rows in chunks)
os.close(memory)  # the frames keep it
frames = torch.from_numpy(output).permute(0, 3, 1, 2)
"""

PRUNED = """\
from exactframes import decode_frames

frames = decode_frames($wrap$video, indices, workers=$option$seek_mode$ffmpeg_threads$size$unwrap)
"""

ACROSS = """\
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

$option


def by_size(video):
    return -Path(video).stat().st_size


videos = sorted(indices, key=by_size)  # the longest first; indices is a dictionary of videos here
with ThreadPoolExecutor($workers) as pool:
    frames = dict(zip(videos, pool.map(decode, videos)))
"""

DECODE_ALONE = """\
from torchcodec.decoders import VideoDecoder$resize_import

${resize_setup}
def decode(video):
    decoder = VideoDecoder(video$seek_mode$resize)
    return decoder.get_frames_at(list(indices[video])).data"""

DECODE_PRUNED = """\
from exactframes import decode_frames


def decode(video):
    return decode_frames(video, indices[video], workers=1$seek_mode$size)"""

PYAV = """\
import av
import numpy as np
from av.video.reformatter import VideoReformatter


def read(chunk):
    wanted, pictures, number, converter = set(chunk), {}, None, VideoReformatter()
    with av.open($video) as container:
        stream = container.streams.best("video")
        stream.thread_type, stream.thread_count = $option
        start, rate = stream.start_time or 0, stream.average_rate
        container.seek(start + round(min(chunk) / rate / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            first = round((frame.pts - start) * stream.time_base * rate)
            number = first if number is None else number + 1
            if number in wanted:
                picture = converter.reformat(frame, format="rgb24"$width_height)
                pictures[number] = picture.to_ndarray()
            if len(pictures) == len(wanted):
                return np.stack([pictures[number] for number in chunk])
"""

OPENCV = """\
import cv2
import numpy as np


def read(chunk):
    wanted, pictures = set(chunk), {}
    capture = cv2.VideoCapture($video, cv2.CAP_FFMPEG, [$option])
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)  # as stored, not turned
    capture.set(cv2.CAP_PROP_POS_FRAMES, min(chunk))
    for number in range(min(chunk), max(chunk) + 1):
        capture.grab()
        if number in wanted:
            picture = capture.retrieve()[1]
${cv2_resize}            pictures[number] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return np.stack([pictures[number] for number in chunk])
"""

SPDL = """\
import numpy as np
import spdl.io


def read(chunk):
    wanted, pictures = sorted(set(chunk)), {}
    with spdl.io.Demuxer($video) as demuxer:
        packets, codec = demuxer.demux_video(), demuxer.video_codec
    threads = spdl.io.decode_config(decoder_options={"threads": "$option"})
    options = {"decode_config": threads, "filter_desc": None}
    frames = spdl.io.sample_decode_video(packets, wanted, **options)
    source = spdl.io.get_buffer_desc(codec) + "$scale"
    converter = spdl.io.FilterGraph(f"{source},format=pix_fmts=rgb24,buffersink")
    for number, frame in zip(wanted, frames):
        converter.add_frames(frame)
        picture = spdl.io.to_numpy(spdl.io.convert_frames(converter.get_frames()))
        pictures[number] = picture.reshape(picture.shape[-3:])
    return np.stack([pictures[number] for number in chunk])
"""

DECORD = """\
from decord import VideoReader


def read(chunk):
    reader = VideoReader($video, num_threads=$option$width_height)
    return reader.get_batch(list(chunk)).asnumpy()
"""

VIDEO_READER = """\
from video_reader import PyVideoReader


def read(chunk):
    reader = PyVideoReader($video, threads=$option$target)
    return reader.get_batch(list(chunk))
"""

FFMPEG_PIPE = """\
import math
import subprocess
from fractions import Fraction

import numpy as np

probe = "ffprobe -v error -of csv=p=0 -select_streams v:0 -show_entries".split()
fields = [*probe, "stream=width,height,avg_frame_rate", $video]
size_and_rate = subprocess.check_output(fields, text=True).split()[0].split(",")
width, height, rate = *map(int, size_and_rate[:2]), Fraction(size_and_rate[2])
${pipe_size}

def read(chunk):
    wanted, pictures, first, last = set(chunk), {}, min(chunk), max(chunk)
    step = math.gcd(*(number - first for number in chunk)) or 1
    command = ["ffmpeg", "-nostdin", "-v", "error", "-noautorotate", $option]
    command += ["-ss", f"{float((first - 0.5) / rate):.6f}"] if first else []
    command += ["-i", $video, "-map", "0:v:0"]
    filters = f"select='not(mod(n,{step}))',format=rgb24${scale}"
    command += ["-vf", filters]
    command += ["-fps_mode", "passthrough", "-frames:v", str((last - first) // step + 1)]
    with subprocess.Popen([*command, "-f", "rawvideo", "-"], stdout=subprocess.PIPE) as ffmpeg:
        for number in range(first, last + 1, step):
            picture = ffmpeg.stdout.read(height * width * 3)
            if number in wanted:
                pictures[number] = np.frombuffer(picture, np.uint8).reshape(height, width, 3)
    return np.stack([pictures[number] for number in chunk])
"""

AT_ONCE = """

frames = read(indices).transpose(0, 3, 1, 2)
"""

NUMPY = """\
import numpy as np
"""

ON_THREADS = """

from joblib import Parallel, delayed

chunks = [chunk.tolist() for chunk in np.array_split(indices, $workers) if len(chunk)]
run = Parallel(n_jobs=$workers, backend="threading")
frames = np.concatenate(run(delayed(read)(chunk) for chunk in chunks)).transpose(0, 3, 1, 2)
"""


@dataclass(frozen=True)
class Snippet:
    """Python for one way of decoding."""

    needs: str  # what pip installs first
    code: str  # a template
    option: str = ""  # what $option stands for in it; a template too


SNIPPETS: dict[str, Snippet] = {
    "sequential": Snippet(TORCHCODEC, ONE_DECODER),
    "ffmpeg-threads": Snippet(TORCHCODEC, ONE_DECODER, ", num_ffmpeg_threads=$workers"),
    "processes": Snippet(JOBLIB, CHUNKS, "loky"),
    "threads": Snippet(JOBLIB, CHUNKS, "threading"),
    "shared-processes": Snippet(JOBLIB, SHARED),
    "pruned": Snippet(LIBRARY, PRUNED, "1"),
    "pruned-threads": Snippet(LIBRARY, PRUNED, "$workers"),
    "pruned-processes": Snippet(LIBRARY, PRUNED, "$workers, processes=True"),
    "across": Snippet(TORCHCODEC, ACROSS, DECODE_ALONE),
    "across-pruned": Snippet(LIBRARY, ACROSS, DECODE_PRUNED),
    "pyav": Snippet("av numpy", PYAV + AT_ONCE, '"SLICE", 0  # its own'),
    "pyav-auto": Snippet("av numpy", PYAV + AT_ONCE, '"AUTO", $workers'),
    "pyav-chunks": Snippet("av numpy joblib", PYAV + ON_THREADS, '"AUTO", 1'),
    "opencv": Snippet(OPENCV_WHEEL, OPENCV + AT_ONCE),
    "opencv-workers": Snippet(OPENCV_WHEEL, OPENCV + AT_ONCE, "cv2.CAP_PROP_N_THREADS, $workers"),
    "opencv-chunks": Snippet(f"{OPENCV_WHEEL} joblib", OPENCV + ON_THREADS, "cv2.CAP_PROP_N_THREADS, 1"),
    "spdl": Snippet("spdl-io numpy", SPDL + AT_ONCE, "1"),
    "spdl-workers": Snippet("spdl-io numpy", SPDL + AT_ONCE, "$workers"),
    "spdl-chunks": Snippet("spdl-io numpy joblib", SPDL + ON_THREADS, "1"),
    "decord2": Snippet("decord2", DECORD + AT_ONCE, "0"),
    "decord2-workers": Snippet("decord2", DECORD + AT_ONCE, "$workers"),
    "decord2-chunks": Snippet("decord2 joblib", NUMPY + DECORD + ON_THREADS, "1"),
    "video-reader": Snippet(READER_WHEEL, VIDEO_READER + AT_ONCE, "None"),
    "video-reader-workers": Snippet(READER_WHEEL, VIDEO_READER + AT_ONCE, "$workers"),
    "video-reader-chunks": Snippet(f"{READER_WHEEL} joblib", NUMPY + VIDEO_READER + ON_THREADS, "1"),
    "ffmpeg-pipe": Snippet("numpy", FFMPEG_PIPE + AT_ONCE),
    "ffmpeg-pipe-workers": Snippet("numpy", FFMPEG_PIPE + AT_ONCE, '"-threads", "$workers"'),
    "ffmpeg-pipe-chunks": Snippet("numpy joblib", FFMPEG_PIPE + ON_THREADS, '"-threads", "1"'),
}


def with_python(sentence: str, python: Sequence[str], width: int) -> list[str]:
    """A sentence, after an empty line and in lines of this width; then the Python for it, if there is any."""
    text = sentence + " In\N{NO-BREAK SPACE}Python:" * bool(python)
    wrapped = textwrap.wrap(text, width, break_on_hyphens=False)
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrapped]
    return ["", *lines, *(f"    {line}".rstrip() for line in python)]


def snippet(  # noqa: PLR0913  by keyword
    strategy: str,
    *,
    video: str,
    seek_mode: str,
    workers: int,
    ffmpeg_threads: int = 1,
    size: tuple[int, int] | None = None,
) -> list[str]:
    """Lines of Python for a strategy or peer, the first a comment: what to install; none where none is known.

    Args:
        strategy: its id.
        video: the name of the file, with whatever characters.
        seek_mode: "exact", the default of TorchCodec and of the library, or "approximate"; peers have none.
        workers: threads or processes.
        ffmpeg_threads: for each worker.
        size: (height, width) that frames are resized to.
    """
    row = SNIPPETS.get(strategy)
    if row is None:
        return []
    mode = "" if seek_mode == "exact" else f", seek_mode={quoted(seek_mode)}"
    code = Template(row.code.replace("$option", row.option)).substitute(
        video=quoted(video),
        workers=workers,
        seek_mode=mode,
        num_threads=f", num_ffmpeg_threads={ffmpeg_threads}" if ffmpeg_threads > 1 else "",
        ffmpeg_threads=f", ffmpeg_threads={ffmpeg_threads}" if ffmpeg_threads > 1 else "",
        **_sizes(size, quoted(video), mode),
    )
    return [f"# pip install {row.needs}", *code.splitlines()]


def _sizes(size: tuple[int, int] | None, video: str, seek_mode: str) -> dict[str, object]:
    """What the templates say where frames are resized, and where they are not."""
    if size is None:
        words = [
            *("resize_import", "resize_setup", "resize", "size", "wrap", "unwrap", "width_height", "target"),
            *("cv2_resize", "pipe_size", "scale"),
        ]
        metadata = f"size = VideoDecoder({video}{seek_mode}).metadata\n"
        shape = {"frame_size": metadata, "height": "size.height", "width": "size.width"}
        return {**dict.fromkeys(words, ""), **shape}
    height, width = size
    resized = f"cv2.resize(picture, ({width}, {height}), interpolation=cv2.INTER_AREA)"
    return {
        "resize_import": "\nfrom torchcodec.transforms import Resize",
        "resize_setup": f'resize = {{"transforms": [Resize(({height}, {width}))]}}\n\n',
        "resize": ", **resize",
        "size": f", size=({height}, {width})",
        "wrap": "\n    ",  # the line gets too long
        "unwrap": "\n",
        "width_height": f", width={width}, height={height}",
        "target": f", target_width={width}, target_height={height}",
        "cv2_resize": f"            picture = {resized}\n",
        "pipe_size": f"width, height = {width}, {height}\n",
        "scale": f",scale={width}:{height}:flags=bilinear",
        "frame_size": "",
        "height": height,
        "width": width,
    }


def quoted(text: str) -> str:
    """A Python string of this text, in double quotes where nothing in it needs care."""
    literal = repr(text)
    return f'"{text}"' if literal == f"'{text}'" and '"' not in text else literal
