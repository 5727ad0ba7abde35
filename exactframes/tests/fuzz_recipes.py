"""Random recipes of tiny videos for exactframes/tests/fuzz.py: which FFmpeg commands make one."""

import random
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

Choices = Mapping[str, Sequence[object]]

FFMPEG = ("ffmpeg", "-nostdin", "-v", "error", "-y")
MOST_SECONDS = 30  # for one command, which takes a fraction of one
OFTEN = 0.4  # how likely an option is given; else FFmpeg's default holds
GOP_LENGTHS = (1, 2, 5, 12, 20, 30, 50, 250)
SIZES = ("64x64", "96x64", "128x96", "160x128", "70x38", "100x52", "66x94")  # multiples of 32, and others
ODD_SIZES = ("71x39", "65x67")  # for pixels without subsampling
RATES = ("24", "25", "30", "30000/1001", "24000/1001", "50", "60", "120")
ISO = ("mp4", "mov")
FILTERS = (
    "null",
    "negate=enable='gte(mod(t,1),0.6)'",  # scene cuts
    "scroll=h=0.02:v=0.01",
    "loop=loop=9:size=1:start=12",  # it stands still for a while
    "select='mod(n,5)+not(mod(n,3))'",  # the frame rate varies
    "setsar=4/3",
)
FRAGMENTS = (
    "frag_keyframe+empty_moov",
    "frag_every_frame+empty_moov",
    "frag_keyframe",
    "frag_keyframe+empty_moov+delay_moov+default_base_moof",
)
MP4_FLAGS = ("faststart", "negative_cts_offsets", *FRAGMENTS)
CHANGES = ("none", "none", "none", "remux", "cut", "cut", "end", "loop", "loop", "concat", "concat", "times")
NO_AND_RARELY_YES = (0, 0, 0, 1)


class NotEncodedError(Exception):
    """FFmpeg did not make a video; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder of FFmpeg, and what may be asked of it."""

    name: str
    share: int = 2  # how often it is drawn, relative to others
    always: tuple[str, ...] = ()
    options: Choices = field(default_factory=dict)  # of FFmpeg
    packed: str = ""  # the option that takes the encoder's own parameters, such as -x264-params
    fixed: str = ""  # parameters always given
    parameters: Choices = field(default_factory=dict)
    pixels: tuple[str, ...] = ("yuv420p",)
    containers: tuple[str, ...] = (*ISO, "mkv")
    sizes: tuple[str, ...] = SIZES


X264 = {
    "min-keyint": (1, 3, 10, 20),
    "scenecut": (0, 40, 80),
    "bframes": range(17),
    "b-adapt": (0, 0, 1, 2),
    "b-pyramid": ("none", "strict", "normal"),
    "ref": range(1, 17),
    "weightp": (0, 1, 2),
    "weightb": (0, 1),
    "open-gop": (0, 1, 1),
    "intra-refresh": NO_AND_RARELY_YES,
    "slices": (1, 2, 4, 7),
    "slice-max-size": (0, 0, 150, 400),
    "tff": NO_AND_RARELY_YES,
    "fake-interlaced": NO_AND_RARELY_YES,
    "aud": (0, 1),
    "nal-hrd": (
        "none",
        "none",
        "vbr:vbv-maxrate=300:vbv-bufsize=300:bitrate=200",
        "cbr:vbv-maxrate=200:vbv-bufsize=200:bitrate=200:filler=1",
    ),
    "direct": ("none", "temporal", "spatial", "auto"),
    "rc-lookahead": (0, 1, 5, 20),
    "mbtree": (0, 1),
    "qp": (0, 20, 35, 51),
    "cabac": (0, 1),
    "repeat-headers": NO_AND_RARELY_YES,
    "fullrange": ("off", "off", "on"),
    "colormatrix": ("bt709", "smpte170m"),
    "pic-struct": (0, 1),
    "constrained-intra": NO_AND_RARELY_YES,
    "no-deblock": (0, 1),
}
X265 = {
    "min-keyint": (1, 3, 10, 20),
    "scenecut": (0, 40),
    "bframes": range(9),
    "b-adapt": (0, 0, 1, 2),
    "b-pyramid": (0, 1),
    "open-gop": (0, 1, 1),
    "radl": range(4),
    "temporal-layers": range(4),
    "slices": (1, 2, 3),
    "aud": (0, 1),
    "repeat-headers": (0, 0, 1),
    "ref": range(1, 7),
    "rc-lookahead": (10, 20),
    "weightp": (0, 1),
    "weightb": (0, 1),
    "lossless": NO_AND_RARELY_YES,
    "intra-refresh": NO_AND_RARELY_YES,
    "interlace": ("prog", "prog", "prog", "tff"),
    "ctu": (16, 32, 64),
    "idr-recovery-sei": NO_AND_RARELY_YES,
    "eos": NO_AND_RARELY_YES,
    "hrd": ("0", "0", "1:vbv-maxrate=300:vbv-bufsize=300:bitrate=200"),
    "tskip": (0, 1),
}
SVT = {
    "pred-struct": (1, 2, 2),
    "hierarchical-levels": (2, 3, 4, 5),
    "irefresh-type": (1, 2),
    "scd": (0, 1),
    "enable-tf": (0, 1),
    "enable-overlays": (0, 1),
    "lookahead": (0, 10, 33),
    "tile-rows": (0, 1),
    "film-grain": (0, 0, 8),
    "superres-mode": (0, 0, 1),
    "fast-decode": (0, 1),
}
VPX = {
    "-auto-alt-ref": (0, 1, 1),
    "-lag-in-frames": (0, 5, 16, 25),
    "-cpu-used": (4, 6, 8),
    "-deadline": ("good", "realtime"),
    "-error-resilient": ("0", "default", "partitions"),
    "-crf": (10, 40),
    "-arnr-maxframes": (0, 7),
    "-static-thresh": (0, 1000),
    "-drop-threshold": NO_AND_RARELY_YES,
}
MPEG = {"-bf": range(5), "-b_strategy": (0, 1), "-sc_threshold": (0, 10**9), "-q:v": (2, 6, 20)}
# A pool of one thread: without any, x265 3.5 writes broken pictures where they have several slices.
SMALL_X265 = "log-level=none:pools=1:frame-threads=1"
DEEP = ("yuv420p", "yuv420p", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le")

ENCODERS = (
    Encoder(
        name="libx264",
        share=12,
        always=("-preset", "veryfast"),
        packed="-x264-params",
        fixed="threads=1",
        parameters=X264,
        options={"-qmin": (10,), "-metadata:s:v": ("rotate=90", "rotate=180")},
        pixels=(*DEEP, "yuvj420p", "yuv422p10le"),
        containers=("mp4", "mp4", "mov", "mkv", "mkv", "avi", "ts", "flv"),
    ),
    Encoder(
        name="libx265",
        share=8,
        always=("-preset", "ultrafast"),
        packed="-x265-params",
        fixed=SMALL_X265,
        parameters=X265,
        options={"-tag:v": ("hvc1", "hev1")},
        pixels=DEEP,
        containers=("mp4", "mp4", "mov", "mkv", "ts"),
    ),
    Encoder(
        name="libsvtav1",
        share=5,
        packed="-svtav1-params",
        fixed="lp=1",
        parameters=SVT,
        options={"-preset": range(8, 13), "-crf": (20, 50)},
        pixels=("yuv420p", "yuv420p10le"),
        containers=("mp4", "mkv"),
        sizes=("64x64", "96x64", "128x96", "160x128", "100x70", "66x94"),
    ),
    Encoder(
        name="libaom-av1",
        share=1,
        always=("-cpu-used", "8", "-usage", "realtime"),
        options={"-lag-in-frames": (0, 10), "-error-resilience": ("0", "default"), "-tile-columns": (0, 1)},
        containers=("mp4", "mkv"),
    ),
    Encoder(
        name="libvpx-vp9",
        share=4,
        options={**VPX, "-auto-alt-ref": (0, 1, 2, 6), "-tile-columns": (0, 1), "-frame-parallel": (0, 1)},
        pixels=("yuv420p", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le"),
        containers=("mkv", "webm", "mp4"),
    ),
    Encoder(name="libvpx", share=3, options=VPX, containers=("mkv", "webm")),
    Encoder(
        name="mpeg4",
        share=4,
        options={**MPEG, "-flags:v": ("+qpel", "+mv4", "+cgop", "+ilme+ildct", "+aic"), "-mpeg_quant": (1,)},
        containers=(*ISO, "mkv", "avi"),
    ),
    Encoder(name="libxvid", share=1, options=MPEG, containers=("mp4", "mkv", "avi")),
    Encoder(
        name="mpeg2video",
        share=4,
        options={**MPEG, "-flags:v": ("+cgop", "+ilme+ildct", "+cgop+ilme+ildct"), "-intra_vlc": (0, 1)},
        pixels=("yuv420p", "yuv420p", "yuv422p"),
        containers=("mkv", "mp4", "mov", "ts"),
    ),
    Encoder(name="libtheora", share=1, options={"-q:v": (2, 8)}, containers=("mkv", "ogg")),
    Encoder(name="wmv2", share=1, options={"-q:v": (2, 8)}, containers=("asf", "mkv")),
    Encoder(name="h263", share=1, options={"-q:v": (2, 8)}, containers=("mov", "mkv"), sizes=("128x96",)),
    Encoder(name="flv1", share=1, options={"-q:v": (2, 8)}, containers=("mkv", "flv")),
    Encoder(name="ffv1", share=1, options={"-level": (1, 3), "-coder": (0, 1)}, containers=("mkv",)),
    Encoder(name="mjpeg", share=1, pixels=("yuvj420p", "yuvj444p"), containers=("mkv", "avi", "mov")),
    Encoder(name="prores_ks", share=1, pixels=("yuv422p10le", "yuv444p10le"), containers=("mov", "mkv")),
    Encoder(name="utvideo", share=1, pixels=("yuv420p", "yuv422p", "gbrp"), containers=("avi", "mkv")),
)


@dataclass(frozen=True)
class Recipe:
    """How to make a video: FFmpeg's arguments, command after command, with file names in one folder."""

    kind: str  # encoder and container
    commands: tuple[tuple[str, ...], ...]
    lists: Mapping[str, str] = field(default_factory=dict)  # text files that the commands read

    @property
    def video(self) -> str:
        """The file that the last command writes."""
        return self.commands[-1][-1]

    def make(self, folder: Path) -> None:
        """Make it in a folder.

        Raises:
            NotEncodedError: if FFmpeg refuses, or does not end; it carries FFmpeg's own last line.
        """
        for name, text in self.lists.items():
            (folder / name).write_text(text)
        for command in self.commands:
            words = (*FFMPEG, *command)
            try:
                subprocess.run(words, cwd=folder, capture_output=True, check=True, timeout=MOST_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise NotEncodedError(f"ffmpeg has not ended after {MOST_SECONDS} s") from error
            except subprocess.CalledProcessError as error:
                last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
                raise NotEncodedError(f"ffmpeg ended with status {error.returncode}: {last}") from error

    def script(self) -> str:
        """The same as lines for a shell."""
        lists = [f"printf %s {shlex.quote(text)} > {name}" for name, text in self.lists.items()]
        return "\n".join([*lists, *(shlex.join((*FFMPEG, *command)) for command in self.commands)])


def draw_recipe(pick: random.Random) -> Recipe:
    """Any recipe; FFmpeg may refuse it."""
    encoder = pick.choices(ENCODERS, [encoder.share for encoder in ENCODERS])[0]
    container = pick.choice(encoder.containers)
    pixels, size, rate = pick.choice(encoder.pixels), pick.choice(encoder.sizes), pick.choice(RATES)
    if "444" in pixels and encoder.sizes is SIZES and pick.random() < OFTEN:
        size = pick.choice(ODD_SIZES)
    frames = pick.choice([pick.randint(1, 29), *(pick.randint(30, 90) for _ in range(6)), 120])
    has_audio = pick.random() < 0.15
    first = f"a.{container}"

    def encode(name: str, options: tuple[str, ...]) -> tuple[str, ...]:
        sound = _audio(pick, container, frames / float(Fraction(rate))) if has_audio else ()
        source = _source(pick, size, rate, frames)
        how = ("-pix_fmt", pixels, *options, "-threads", "1", *_muxing(pick, name))
        return (*source, *sound, *how, name)

    options = _encoding(pick, encoder)
    made = encode(first, options)
    change = pick.choice(CHANGES)
    target = f"b.{pick.choice(encoder.containers) if pick.random() < OFTEN else container}"
    copy = ("-map", "0:v", "-c", "copy", *_muxing(pick, target), target)
    kind = f"{encoder.name} {(first if change == 'none' else target)[2:]}"
    if change == "none":
        return Recipe(kind, (made,))
    if change == "concat":
        other = f"c.{container}"
        others = _encoding(pick, encoder)  # in MPEG-TS each part brings its own parameters
        again = encode(other, others if container == "ts" else options)
        parts = "".join(f"file {part}\n" for part in (first, other))
        return Recipe(kind, (made, again, ("-f", "concat", "-i", "parts.txt", *copy)), {"parts.txt": parts})
    if change == "times":
        return Recipe(kind, (made, ("-i", first, "-bsf:v", _setts(pick, frames), *copy)))
    start = f"{pick.random() * 1.5:.3f}"
    loops = str(pick.randint(1, 3))
    before = {"remux": (), "cut": ("-ss", start), "end": ("-t", start), "loop": ("-stream_loop", loops)}[
        change
    ]
    return Recipe(kind, (made, (*before, "-i", first, *copy)))


def _setts(pick: random.Random, frames: int) -> str:
    """A filter that lets two packets change their times, or that leaves a gap between two."""
    number, gap = pick.randrange(frames), pick.randint(1, 5)
    swapped = f"if(eq(N,{number}),NEXT_PTS,if(eq(N,{number + 1}),PREV_INPTS,PTS))"
    late = f"if(gt(N,{number}),{gap}/TB,0)"
    return pick.choice([f"setts=pts='{swapped}'", f"setts=pts='PTS+{late}':dts='DTS+{late}'"])


def _source(pick: random.Random, size: str, rate: str, frames: int) -> tuple[str, ...]:
    noise = f"noise=alls={pick.choice([0, 4, 12, 40])}:allf=t:all_seed={pick.randrange(1000)}"
    picture = pick.choice(["testsrc2", "testsrc2", "mandelbrot", "smptebars"])
    chosen = pick.choice(FILTERS) if pick.random() < OFTEN else "null"
    filters = f"{picture}=size={size}:rate={rate},format=yuv444p,{noise},{chosen},trim=end_frame={frames}"
    return ("-f", "lavfi", "-i", filters)  # it ends by itself: with -frames:v and sound, FFmpeg 5 may not


def _audio(pick: random.Random, container: str, seconds: float) -> tuple[str, ...]:
    codec = {"webm": "libopus", "ogg": "libvorbis", "asf": "wmav2", "flv": "libmp3lame"}.get(container, "aac")
    order = pick.choice([("0:v", "1:a"), ("1:a", "0:v")])
    maps = (word for stream in order for word in ("-map", stream))
    lasts = seconds * pick.choice([1, 1, 0.6, 1.7])
    return ("-f", "lavfi", "-i", f"sine=duration={lasts:.3f}", *maps, "-c:a", codec)


def _encoding(pick: random.Random, encoder: Encoder) -> tuple[str, ...]:
    options = ("-c:v", encoder.name, "-g", str(pick.choice(GOP_LENGTHS)), *encoder.always)
    options += tuple(word for name, value in _some(pick, encoder.options) for word in (name, value))
    parameters = [encoder.fixed, *(f"{name}={value}" for name, value in _some(pick, encoder.parameters))]
    return (*options, encoder.packed, ":".join(parameters)) if encoder.packed else options


def _some(pick: random.Random, choices: Choices) -> list[tuple[str, str]]:
    return [(name, str(pick.choice(values))) for name, values in choices.items() if pick.random() < OFTEN]


def _muxing(pick: random.Random, name: str) -> tuple[str, ...]:
    """The container's options; bitexact leaves out what differs from run to run."""
    options: tuple[str, ...] = ("-fflags", "+bitexact", "-vsync", "vfr")
    if pick.random() < 0.1:
        options += ("-output_ts_offset", pick.choice(["0.2", "2.5", "-0.1"]))
    if name.rpartition(".")[2] not in ISO:
        return options
    if pick.random() < OFTEN:
        options += ("-movflags", pick.choice(MP4_FLAGS))
    if pick.random() < 0.15:
        options += pick.choice([("-video_track_timescale", "1000"), ("-use_editlist", "0")])
    return options
