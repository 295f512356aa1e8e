# SPDX-License-Identifier: MIT
"""/status and /metrics tell of the container what its cgroup's files say, here of a tree of version 2 that stands for
the kernel's; what the kernel does not say is left out, never 0."""
import pathlib

from lib import check, equal
from sidecarlib import Page, Sidecar

MOUNTINFO = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
FILES = {
    "cpu.stat": "usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\nnr_periods 100\nnr_throttled 25\n"
                "throttled_usec 1500000\n",
    "cpu.max": "150000 100000\n",
    "memory.current": "104857600\n", "memory.max": "max\n", "memory.peak": "9223372036854775808\n",
    "memory.stat": "anon 1\ninactive_file 4857600\n",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n",
    "pids.current": "12\n", "pids.max": "100\n",
    "cpu.pressure": "some avg10=12.50 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "memory.pressure": "some avg10=1.00 avg60=0.00 avg300=0.00 total=1000\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=500\n",
}
SAMPLES = {
    "muster_cgroup_cpu_usage_seconds_total": "5", "muster_cgroup_cpu_user_seconds_total": "3",
    "muster_cgroup_cpu_periods_total": "100", "muster_cgroup_cpu_throttled_periods_total": "25",
    "muster_cgroup_cpu_throttled_seconds_total": "1.5", "muster_cgroup_cpu_limit_cores": "1.5",
    "muster_cgroup_memory_usage_bytes": "104857600", "muster_cgroup_memory_working_set_bytes": "100000000",
    "muster_cgroup_memory_limit_bytes": "+Inf", 'muster_cgroup_memory_events_total{event="max"}': "7",
    "muster_cgroup_oom_kills_total": "2", "muster_cgroup_pids": "12", "muster_cgroup_pids_limit": "100",
    'muster_pressure_waiting_seconds_total{resource="cpu",scope="cgroup"}': "2.5",
    'muster_pressure_stalled_seconds_total{resource="memory",scope="cgroup"}': "0.0005",
}


def make(root):
    (root / "proc/self").mkdir(parents=True)
    (root / "cgroup").mkdir()
    (root / "proc/self/cgroup").write_text("0::/\n")
    (root / "proc/self/mountinfo").write_text(MOUNTINFO)
    for name, text in FILES.items():
        (root / "cgroup" / name).write_text(text)


def check_status(cgroup):
    wanted = {"version": 2, "cpu_seconds": 5, "cpu_user_seconds": 3, "cpu_system_seconds": 2, "throttled_seconds": 1.5,
              "cpu_limit_cores": 1.5, "memory_bytes": 104857600, "memory_working_set_bytes": 100000000,
              "memory_limit_bytes": None, "oom_kills": 2, "pids": 12, "pids_limit": 100}
    equal({key: cgroup[key] for key in wanted}, wanted, "cgroup")
    check(abs(cgroup["memory_peak_bytes"] / 2**63 - 1) < 1e-9, f"more than a signed number holds: {cgroup}")
    check("io_read_bytes" not in cgroup, "there is no io.stat")
    pressure = cgroup["pressure"]
    equal((pressure["scope"], pressure["cpu"]["some_avg10_ratio"], pressure["memory"]["full_seconds"]),
          ("cgroup", 0.125, 0.0005), "pressure")
    check("io" not in pressure and "memory_stall" not in pressure, f"what the kernel does not say: {pressure}")


def samples(text):
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def main():
    sidecar = Sidecar()
    root = pathlib.Path(sidecar.dir)
    make(root)
    sidecar.args += ["--proc-root", str(root / "proc"), "--cgroup-root", str(root / "cgroup")]
    with sidecar:
        Page(sidecar.run_dir, [{"name": "db", "pid": 7}], phase="ready")
        check_status(sidecar.get("/status").json()["cgroup"])
        found = samples(sidecar.get("/metrics").text)
        equal({name: found.get(name) for name in SAMPLES}, SAMPLES, "samples")
        check(not any("io_read" in name or 'resource="io"' in name for name in found), "io is not known")
        # the files of the fixture are as they were: no trigger was written into one
        equal((root / "cgroup/memory.pressure").read_text(), FILES["memory.pressure"], "memory.pressure")
        check("memory:pressure" not in sidecar.get("/health").json()["checks"], "nothing is known of stalls")
        equal(sidecar.get("/status").json()["services"][0]["memory_bytes"], None, "a process that cannot be seen")


main()
