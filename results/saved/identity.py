"""Whether two results are of the same work, machine and software, and if not, which fields differ."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from results.schema import Entry, Record, is_of_this_suite, read

COMPARABLE = (
    "work.video_sha256", "work.indices_digest", "work.seek_mode", "work.output_size", "work.part_bytes",
    "work.load", "work.requests", "work.room", "work.arrivals", "workers", "interleaved",
)  # fmt: skip

Values = Mapping[str, set[str]]  # every value that each field takes, by the field's dotted name


@dataclass(frozen=True, kw_only=True)
class Change:
    """A field that is not the same on both sides."""

    field: str
    before: str
    after: str

    @property
    def is_of_software(self) -> bool:
        """Whether it differs on purpose: the software is under test."""
        return self.field.startswith("software.")

    @property
    def is_clash(self) -> bool:
        """Whether times are not comparable because of it.

        The work must be the same and, since times are absolute, the machine. Other fields of the work only
        describe it: a file's name may differ where its bytes do not.
        """
        return self.field in COMPARABLE or self.field.startswith("machine.")


def changes(ours: Iterable[Record], theirs: Iterable[Record]) -> list[Change]:
    """The fields in which these benchmarks differ, or do not agree among themselves, by name."""
    return changed(values_of(ours), values_of(theirs))


def values_of(records: Iterable[Record]) -> dict[str, set[str]]:
    """Every value that each field of the identity takes in these benchmarks."""
    values: dict[str, set[str]] = {}
    for record in records:
        for field, value in fields_of(record):
            values.setdefault(field, set()).add(str(value))
    return values


def changed(here: Values, there: Values) -> list[Change]:
    """The fields whose values differ, or are several."""
    found = []
    for field in sorted(here.keys() | there.keys()):
        before, after = here.get(field, {"None"}), there.get(field, {"None"})
        if before != after or len(before) > 1:
            found.append(Change(field=field, before=_short(before), after=_short(after)))
    return found


def fields_of(record: Record) -> Iterator[tuple[str, object]]:
    """What a benchmark is a result of, by dotted names."""
    yield "workers", record.workers
    yield "interleaved", record.interleaved
    if record.identity:
        yield from _flat("work", record.identity.work)
        yield from _flat("machine", record.identity.machine)
        yield from _flat("software", record.identity.software)


def clashes(ours: Iterable[Record], theirs: Iterable[Record]) -> list[str]:
    """Why times of these benchmarks are not comparable, a sentence for each field; none if they are."""
    return [in_a_sentence(change) for change in changes(ours, theirs) if change.is_clash]


def in_a_sentence(change: Change) -> str:
    """What a verdict says of it."""
    return f"{change.field}: {change.before} in the baseline, {change.after} in the candidate"


def differences(ours: Iterable[Entry], theirs: Iterable[Entry], name: str) -> list[str]:
    """Sentences that name what differs between our benchmarks and another run's; none if nothing does."""
    here, there = _first(ours), _first(theirs)
    if not here:
        return []
    if not there:
        return [f"{name} does not say what its workload was: its times may be of other work"]
    return [
        f"{name} differs in {change.field}: {change.before} here, {change.after} there"
        for change in changes(here, there)
        if change.field != "interleaved"
    ]


def differing_sources(benchmarks: Iterable[Entry]) -> list[str]:
    """The same for benchmarks of several saved runs, each named by its "source", against the first run."""
    runs: dict[str, list[Entry]] = {}
    for entry in benchmarks:
        runs.setdefault(str(entry.get("source")), []).append(entry)
    (_, first), *others = runs.items() if runs else [("", [])]
    return [line for source, run in others for line in differences(first, run, f"run {source}")]


def _first(entries: Iterable[Entry]) -> Sequence[Record]:
    """The first benchmark that says what it is a result of."""
    told = (entry for entry in entries if is_of_this_suite(entry) and "work" in entry["extra_info"])
    return [read(entry) for entry, _ in zip(told, range(1), strict=False)]


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(f"{name}.{key}", inner)


def _short(values: Iterable[str]) -> str:
    return ", ".join(text if len(text) <= 30 else f"{text[:12]}..." for text in sorted(values))
