"""A sliding window of tasks on a cluster: the next is made when one has come back."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from exactframes.cluster.fitness import require_same_versions
from exactframes.cluster.link import Job, Link
from exactframes.cluster.remote import Answer
from exactframes.cluster.traffic import Traffic
from exactframes.errors import ClusterError

MOST_TRIES = 3  # to get a result from workers that say they have it


def run(jobs: Iterable[Job], link: Link) -> Iterator[tuple[Job, Any]]:
    """Give tasks out as others come back. Give each with its result, in the order in which they end.

    Raises:
        ClusterError: if the cluster is lost, or a task is too large for its workers.
        DeclinedError, FileNotFoundError: a task's own.
    """
    source = iter(jobs)
    while True:
        _fill(link, source)
        if not link.jobs:
            return
        future, job = link.next_done()
        answer = link.fetch(future, job)
        link.drop(future)
        if answer is None:
            _again(link, job)
            continue
        require_same_versions(answer.versions)
        if isinstance(answer.value, Exception):
            raise answer.value
        _count(link.traffic, job, answer)
        yield job, answer.value
        del answer  # frees it before the next one comes


def _fill(link: Link, source: Iterator[Job]) -> None:
    while not link.is_full:
        began = time.perf_counter()
        job = next(source, None)
        link.traffic.cut_seconds += time.perf_counter() - began
        if job is None:
            return
        link.submit(job)


def _again(link: Link, job: Job) -> None:
    if job.tries >= MOST_TRIES:
        raise ClusterError(
            f"{job.what}: {job.tries} times a worker did not hand over what it had decoded: "
            "look at the workers and the network between, and run again"
        )
    link.traffic.tasks_again += 1
    link.submit(replace(job, tries=job.tries + 1))


def _count(traffic: Traffic, job: Job, answer: Answer) -> None:
    traffic.tasks += 1
    traffic.frames += job.frames
    traffic.bytes_received += job.bytes_received
    traffic.worker_cpu_seconds += answer.cpu_seconds
    traffic.longest_task_seconds = max(traffic.longest_task_seconds, answer.cpu_seconds)
