"""Python to copy for a way to answer requests: a data set for training, a function for a server."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a snippet has to know of the work."""

    is_bytes: bool = False  # whether each request brings its video along, as bytes
    by_time: bool = False  # whether frames are asked for by times
    serves: bool = False  # whether a server answers, else a data loader
    size: tuple[int, int] | None = None  # (height, width) that frames are resized to; None: as they are
    room: int = 16  # so many decoders may be kept open
    workers: int = 1  # threads or DataLoader workers


# How each way opens a video: the module that VideoDecoder comes from, and its options.
OPENING = {
    "fresh": ("torchcodec.decoders", 'seek_mode="exact"'),
    "fresh-approximate": ("torchcodec.decoders", 'seek_mode="approximate"'),
    "kept": ("torchcodec.decoders", 'seek_mode="exact"'),
    "kept-approximate": ("torchcodec.decoders", 'seek_mode="approximate"'),
    "ffmpeg-threads": ("torchcodec.decoders", 'seek_mode="exact", num_ffmpeg_threads=0'),
    "exactframes": ("exactframes", ""),
}
FRESH = ("fresh", "fresh-approximate")  # these keep nothing


def request_snippet(way: str, setting: Setting) -> list[str]:
    """The lines for a way; none where there are none for it."""
    if way == "decode-frames" and not setting.by_time:
        return _at_once(setting)
    if way not in OPENING:
        return []
    if setting.is_bytes:
        return [
            *_imports(way, setting),
            "",
            "",
            *_function("data: bytes", _decoder(way, "data", setting), setting),
        ]
    kept = way not in FRESH
    body = "decoder_of(path)" if kept else _decoder(way, "path", setting)
    cache = _cache(way, setting) if kept else []
    if setting.serves:
        return [
            *_imports(way, setting, cache="threads" if kept else ""), "", "", *cache,
            *_function("path: str", body, setting),
        ]  # fmt: skip
    return [*_imports(way, setting, cache="workers" if kept else "", trains=True), "", "", *cache,
            *_data_set(body, setting, kept=kept)]  # fmt: skip


def _imports(way: str, setting: Setting, *, cache: str = "", trains: bool = False) -> list[str]:
    module, _ = OPENING[way]
    lines = ["import threading", "from functools import lru_cache"] if cache == "threads" else []
    lines += ["from functools import lru_cache"] if cache == "workers" else []
    lines += [""] * bool(lines)
    lines += ["from torch.utils.data import DataLoader, Dataset"] * trains
    lines += [f"from {module} import VideoDecoder"]
    lines += ["from torchcodec.transforms import Resize"] * (setting.size is not None)
    return lines


def _decoder(way: str, source: str, setting: Setting) -> str:
    _, options = OPENING[way]
    resize = "" if setting.size is None else f"transforms=[Resize({setting.size})]"
    return f"VideoDecoder({', '.join(filter(None, (source, options, resize)))})"


def _cache(way: str, setting: Setting) -> list[str]:
    """A function that keeps decoders: of each process its own, or of each thread of a server."""
    room, opened = max(1, setting.room // max(1, setting.workers)), _decoder(way, "path", setting)
    if not setting.serves:
        return [
            f"@lru_cache(maxsize={room})  # in each worker",
            "def decoder_of(path):",
            f"    return {opened}",
            "",
            "",
        ]
    return [
        "OPEN = threading.local()  # each thread has decoders of its own",
        "",
        "",
        "def opened(path):",
        f"    return {opened}",
        "",
        "",
        "def decoder_of(path):",
        '    if not hasattr(OPEN, "kept"):',
        f"        OPEN.kept = lru_cache(maxsize={room})(opened)",
        "    return OPEN.kept(path)",
        "",
        "",
    ]


def _asked(setting: Setting) -> tuple[str, str]:
    return ("seconds", "get_frames_played_at") if setting.by_time else ("frames", "get_frames_at")


def _function(source: str, decoder: str, setting: Setting) -> list[str]:
    what, method = _asked(setting)
    kind = "float" if setting.by_time else "int"
    return [
        f"def answer({source}, {what}: list[{kind}]):  # in threads of your server, about as many as CPUs",
        f"    return {decoder}.{method}({what}).data",
    ]


def _data_set(decoder: str, setting: Setting, *, kept: bool) -> list[str]:
    what, method = _asked(setting)
    clear = ["", "", "def begin(_worker):  # a forked worker must not use its parent's decoders",
             "    decoder_of.cache_clear()"] if kept else []  # fmt: skip
    init = ", worker_init_fn=begin" * kept
    return [
        "class Clips(Dataset):",
        f"    def __init__(self, requests):  # a list of (path, {what})",
        "        self.requests = requests",
        "",
        "    def __len__(self):",
        "        return len(self.requests)",
        "",
        "    def __getitem__(self, item):",
        f"        path, {what} = self.requests[item]",
        f"        return {decoder}.{method}({what}).data",
        *clear,
        "",
        "",
        "loader = DataLoader(",
        f"    Clips(requests), batch_size=None, num_workers={max(1, setting.workers)},",
        f"    persistent_workers=True{init},",
        ")",
    ]


def _at_once(setting: Setting) -> list[str]:
    size = "" if setting.size is None else f", size={setting.size}"
    source = "data: bytes" if setting.is_bytes else "path: str"
    name = source.partition(":")[0]
    return [
        "from exactframes import decode_frames",
        "",
        "",
        f"def answer({source}, frames: list[int]):  # in threads of your server, about as many as CPUs",
        f"    return decode_frames({name}, frames, workers=1{size})",
    ]
