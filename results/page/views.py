"""The views of the page, in the order in which they stand on it."""

from results.page import against, pair_dots, requests, run, scaling, timeline, workloads
from results.page.view import Figure, Table, View

VIEWS = (
    View(
        name="run",
        title="Run",
        intro="What each way of decoding took, cost and proved in one run.",
        rows="rows",
        choosers={"run": "Run", "workload": "Workload"},
        figures=(
            Figure(
                name="run-times",
                caption="Wall time, s. Bar: median; dot: a round; dashed line: a limit, FFmpeg's own command "
                "on the same packets; word: the proof that the frames are the baseline's.",
                chart=run.times,
            ),
            Figure(
                name="run-cpu",
                caption="CPU seconds of all processes beside wall seconds.",
                chart=run.cpu_and_wall,
            ),
            Figure(
                name="run-memory", caption="Peak memory of all processes, GB (1e9 bytes).", chart=run.memory
            ),
            Figure(
                name="run-decoded",
                caption="Share of the file's packets that were decoded.",
                chart=run.decoded,
            ),
        ),
        tables=(Table(caption="The figures of this run", columns=run.COLUMNS),),
        empty="No strategy was timed in any run: make bench times them.",
    ),
    View(
        name="workloads",
        title="Workloads",
        intro="What pays where: speed-up over sequential in the same workload. A star: it fell back.",
        rows="matrix",
        choosers={"run": "Run"},
        figures=(
            Figure(
                name="workloads-matrix", caption="Speed-up over sequential, times.", chart=workloads.matrix
            ),
        ),
        tables=(Table(caption="The figures of the matrix", columns=workloads.COLUMNS),),
        empty="No run has a speed-up over sequential: make bench measures one.",
    ),
    View(
        name="scaling",
        title="Scaling",
        intro="What more workers bring, measured and, beyond the CPUs of this machine, predicted.",
        rows="scaling",
        choosers={"run": "Run", "workload": "Workload", "strategy": "Strategy (of the map)"},
        figures=(
            Figure(
                name="scaling-curves",
                caption="Speed-up over one worker, times. Dotted: the ideal; filled points: measured; "
                "hollow points and dashed lines: predicted.",
                chart=scaling.curves,
                ignores="strategy",
            ),
            Figure(
                name="scaling-map",
                caption="Speed-up over one worker of one thread, times, by workers and FFmpeg threads.",
                chart=scaling.grid,
            ),
        ),
        tables=(Table(caption="The figures of this strategy", columns=scaling.COLUMNS),),
        empty="No run tried other numbers of workers: make bench-scaling does.",
    ),
    View(
        name="requests",
        title="Requests",
        intro="What each way to answer requests brings under a load, on a stream of them. A latency counts "
        "from when a request was due.",
        rows="requests",
        choosers={"run": "Run", "stream": "Stream", "load": "Load", "asked_by": "Asked by (latency)"},
        figures=(
            Figure(
                name="requests-throughput",
                caption="Requests a second. Point: median of the rounds; line across it: their range.",
                chart=requests.throughput,
                ignores="asked_by",
            ),
            Figure(
                name="requests-latencies",
                caption="Latency. Line: the share of all requests that took no longer; points: half of them, "
                "90, 95 and 99 %; dotted: 95 %.",
                chart=requests.latencies,
            ),
        ),
        tables=(Table(caption="The figures of these ways", columns=requests.COLUMNS),),
        empty="No run answered requests: make bench-requests measures them.",
    ),
    View(
        name="history",
        title="History",
        intro="One benchmark in all runs. A line connects comparable runs only; a solid line across is where "
        "other work or another machine began, a dotted one a change of software, an orange one a step: a "
        "place where the rule of results.verdict calls the runs before and after different (its alpha is "
        "shared by all places, so a benchmark that never moved shows one in at most 1 of 100 histories). "
        "Relative to the limit, the machine's mood is taken out.",
        rows="history",
        choosers={
            "workload": "Workload",
            "name": "Benchmark",
            "basis": "Unit",
            "machine": "Machine",
            "branch": "Branch",
            "commit": "Commit",
        },
        optional=("machine", "branch", "commit"),
        figures=(
            Figure(
                name="history-timeline",
                caption="Point: a run's median; line through it: the range of its rounds; band: a baseline.",
                chart=timeline.timeline,
            ),
        ),
        tables=(
            Table(
                caption="Steps, breaks, changes of software and baselines",
                columns=timeline.EVENTS,
                where="what!run",
                is_open=True,
            ),
            Table(caption="The figures of these runs", columns=timeline.COLUMNS, where="what=run"),
        ),
        empty="There is no history yet: make bench begins one.",
    ),
    View(
        name="verdicts",
        title="A against B",
        intro="Two sides measured in lockstep (make ab): did anything get slower?",
        rows="verdicts",
        choosers={"folder": "Comparison"},
        figures=(
            Figure(
                name="verdicts-changes",
                caption="Change of the time from A to B, %. Dot: the change; line: its interval; grey "
                "band: the noise floor, what unchanged sides differ by; word: the verdict.",
                chart=against.changes,
            ),
        ),
        tables=(Table(caption="The verdicts", columns=against.VERDICT_COLUMNS),),
        empty="No comparison is shown: make ab measures one.",
    ),
    View(
        name="pairs",
        title="The pairs behind it",
        intro="Each pair of processes of one benchmark, in order of time.",
        rows="pairs",
        choosers={"folder": "Comparison", "name": "Benchmark"},
        figures=(
            Figure(
                name="pairs-dots", caption="Time of B against A in each pair, %.", chart=pair_dots.pair_dots
            ),
        ),
        tables=(Table(caption="The pairs", columns=pair_dots.COLUMNS),),
        empty="There are no pairs to show: make ab measures them.",
    ),
)
