"""What of a machine may be saved and shared."""

from typing import Any

KEPT_CPU_FIELDS = ("arch", "bits", "brand_raw", "count", "vendor_id_raw")


def without_machine_names(machine_info: dict[str, Any]) -> None:
    """Drop the host name and the clock rate of the moment, in place.

    pytest-benchmark compares machine_info field by field, and `hz_actual` differs between any two runs.
    """
    machine_info["node"] = ""
    cpu = machine_info.get("cpu", {})
    machine_info["cpu"] = {field: cpu[field] for field in KEPT_CPU_FIELDS if field in cpu}
