"""Whether two results are of the same workload, and if not, which fields differ."""

from collections.abc import Iterable, Iterator
from typing import Any

Entry = dict[str, Any]  # one benchmark as pytest-benchmark saves it, with this suite's extra_info

PARTS = ("work", "machine", "software")


def differences(ours: Iterable[Entry], theirs: Iterable[Entry], name: str) -> list[str]:
    """Sentences that name what differs between our benchmarks and another run's; none if nothing does."""
    here, there = _identity(ours), _identity(theirs)
    if here is None:
        return []
    if there is None:
        return [f"{name} does not tell its workload: its times may be of other work"]
    fields = [field for field in sorted(here | there) if here.get(field) != there.get(field)]
    return [
        f"{name} differs in {field}: {_short(here.get(field))} here, {_short(there.get(field))} there"
        for field in fields
    ]


def differing_sources(benchmarks: Iterable[Entry]) -> list[str]:
    """The same for benchmarks of several saved runs, each told by its "source", against the first run."""
    runs: dict[str, list[Entry]] = {}
    for entry in benchmarks:
        runs.setdefault(str(entry.get("source")), []).append(entry)
    (_, first), *others = runs.items() if runs else [("", [])]
    return [line for source, run in others for line in differences(first, run, f"run {source}")]


def _identity(entries: Iterable[Entry]) -> dict[str, Any] | None:
    for entry in entries:
        info = entry.get("extra_info", {})
        if "work" in info:
            return dict(flat("workers", info.get("workers"))) | dict(
                pair for part in PARTS for pair in flat(part, info.get(part))
            )
    return None


def flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The fields of a part of an identity, with their dotted names."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from flat(f"{name}.{key}", inner)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 30 else f"{text[:12]}..."


COMPARABLE = (
    "work.video_sha256", "work.indices_digest", "work.seek_mode", "work.output_size", "work.part_bytes",
    "workers", "interleaved",
)  # fmt: skip


def clashes(ours: Iterable[Entry], theirs: Iterable[Entry]) -> list[str]:
    """Why times of these identities are not comparable, a sentence for each field; none if they are.

    The work must be the same and, since the times are absolute, the machine. Other fields of the work only
    describe it: a file's name may differ where its bytes do not.
    """
    here, there = _values(ours), _values(theirs)
    fields = [f for f in sorted(here | there) if f in COMPARABLE or f.startswith("machine.")]
    return [line for field in fields if (line := _change(field, here, there))]


def software_changes(ours: Iterable[Entry], theirs: Iterable[Entry]) -> list[str]:
    """What differs on purpose: the software under test, a sentence for each field."""
    here, there = _values(ours), _values(theirs)
    fields = [f for f in sorted(here | there) if f.startswith("software.")]
    return [line for field in fields if (line := _change(field, here, there))]


def changed_fields(before: Entry, after: Entry) -> tuple[list[str], list[str]]:
    """What differs between two identities, as "field: before -> after".

    Returns:
        What makes their times not comparable (the fields of `clashes`), and changes of the software.
    """
    here, there = ({n: v for name, part in i.items() for n, v in flat(name, part)} for i in (before, after))
    changes = {
        field: f"{field}: {_short(here.get(field))} -> {_short(there.get(field))}"
        for field in sorted(here | there)
        if str(here.get(field)) != str(there.get(field))
    }
    clashing = [line for f, line in changes.items() if f in COMPARABLE or f.startswith("machine.")]
    return clashing, [line for f, line in changes.items() if f.startswith("software.")]


def _change(field: str, here: dict[str, set[str]], there: dict[str, set[str]]) -> str:
    before, after = here.get(field, {"None"}), there.get(field, {"None"})
    if before == after and len(before) == 1:
        return ""
    names = (", ".join(map(_short, sorted(values))) for values in (before, after))
    return "{}: {} in the baseline, {} in the candidate".format(field, *names)


def _values(identities: Iterable[Entry]) -> dict[str, set[str]]:
    """Every value that each field takes."""
    values: dict[str, set[str]] = {}
    for identity in identities:
        for name, part in identity.items():
            for field, value in flat(name, part):
                values.setdefault(field, set()).add(str(value))
    return values
