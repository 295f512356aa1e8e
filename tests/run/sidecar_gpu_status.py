# SPDX-License-Identifier: MIT
"""/status and /metrics tell of each GPU and each MIG instance what the driver tells, in base units; what it
does not tell is absent, never 0; an old library is no hindrance, and CUDA_VISIBLE_DEVICES has no say."""

from lib import check, equal
from sidecarlib.gpu import Gpus, library
from sidecarlib.metrics import scrape, value

CALLS = {
    "DeviceGetUUID": ["uuid"], "DeviceGetName": ["name"], "DeviceGetCudaComputeCapability": ["compute_capability"],
    "DeviceGetUtilizationRates": ["utilization_ratio"], "DeviceGetMemoryInfo": ["memory_used_bytes", "memory_total_bytes"],
    "DeviceGetTemperature": ["temperature_celsius"], "DeviceGetPowerUsage": ["power_watts"],
    "DeviceGetTotalEnergyConsumption": ["energy_joules"], "DeviceGetTotalEccErrors": ["ecc_errors"],
    "DeviceGetComputeRunningProcesses": ["processes"], "SystemGetDriverVersion": ["driver"],
    "EventSetCreate": ["xid_errors"],
}
WHOLE = {"index": 1, "uuid": "GPU-00000000-0001-0000", "name": "NVIDIA Fake 4090", "compute_capability": "8.9",
         "driver": "550.54.15", "utilization_ratio": 0.42, "memory_used_bytes": 4500000000,
         "memory_total_bytes": 25769803776, "temperature_celsius": 90, "power_watts": 123.456, "energy_joules": 7654.321,
         "ecc_errors": {"corrected": 3, "uncorrected": 0}, "xid_errors": [], "processes": [], "mig": []}


def whole():
    with Gpus("gpus 2", "set temperature 1 90", env={"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}) as gpus:
        status = gpus.status("ok")
        equal(status["gpu"]["reason"], None, "reason")
        check(0 <= status["gpu"]["age_seconds"] < 60, status["gpu"])
        equal([gpu["index"] for gpu in status["gpus"]], [0, 1], "indices")
        equal(status["gpus"][1], WHOLE, "a GPU")
        equal(status["gpus"][0]["temperature_celsius"], 61, "the other")
        gpus.scenario("gpus 2", "set utilization 0 7", "set energy 1 9000000000100")
        fresh = gpus.fresh()["gpus"]
        equal((fresh[0]["utilization_ratio"], fresh[1]["energy_joules"]), (0.07, 9000000000.1), "newer numbers")
        for opened in (False, True):
            found = scrape(gpus, opened)
            equal(value(found, "muster_gpu_collector_up"), 1, "collector")
            equal([value(found, "muster_gpu_collector_state", muster_gpu_collector_state=state)
                   for state in ("ok", "none", "unavailable", "stuck")], [1, 0, 0, 0], "state")
            equal(value(found, "muster_gpu_info", gpu="1", uuid=WHOLE["uuid"], name=WHOLE["name"],
                        compute_capability="8.9", driver="550.54.15"), 1, "info")
            for name, number in (("utilization_ratio", 0.07), ("memory_used_bytes", 4.5e9), ("memory_total_bytes", 25769803776),
                                 ("temperature_celsius", 61), ("power_watts", 123.456), ("energy_joules_total", 7654.321),
                                 ("up", 1)):
                equal(value(found, f"muster_gpu_{name}", gpu="0", mig=""), number, name)
            equal(value(found, "muster_gpu_ecc_errors_total", gpu="1", mig="", type="corrected"), 3, "ECC")


def parts():
    """One call after the other is not supported: just what it tells is missing."""
    with Gpus("gpus 2") as gpus:
        gpus.status("ok")
        for call, missing in CALLS.items():
            if call in ("SystemGetDriverVersion", "EventSetCreate"):
                continue  # made once, at the start
            gpus.scenario("gpus 2", f"fail {call} 3")
            gpu = gpus.fresh()["gpus"][1]
            equal(sorted(set(WHOLE) - set(gpu)), sorted(missing), f"without {call}")
        gpus.scenario("gpus 2", *(f"fail {call} 3" for call in CALLS))
        equal(gpus.fresh()["gpus"][1], {"index": 1, "driver": "550.54.15", "xid_errors": [], "mig": []}, "with nothing")
        found = scrape(gpus)
        equal(sorted(name for name, labels in found if "gpu" in dict(labels)),
              sorted(["muster_gpu_info", "muster_gpu_up"] * 2), "series of GPUs that tell nothing")
    with Gpus("fail SystemGetDriverVersion 3", "fail EventSetCreate 3") as gpus:
        gpu = gpus.status("ok")["gpus"][0]
        equal(sorted(set(WHOLE) - set(gpu)), ["driver", "xid_errors"], "without version and events")


def old_libraries():
    with Gpus("process 0 1 4096", nvml=library("fake-v1")) as gpus:
        gpu = gpus.status("ok")["gpus"][0]
        equal(sorted(set(WHOLE) - set(gpu)), ["ecc_errors", "energy_joules", "xid_errors"], "an old library")
        equal((gpu["memory_used_bytes"], gpu["processes"][0]["memory_bytes"]), (5000000000, 4096), "in old layouts")
    with Gpus("gpus 2", nvml=library("fake-bare")) as gpus:
        equal(gpus.status("ok")["gpus"], [{"index": 0, "mig": []}, {"index": 1, "mig": []}], "a bare library")


def instances():
    with Gpus("gpus 2", "mig 1 2", "process 1/0 1 111", "process 1 1 999", "process 0 1 5") as gpus:
        plain, cut = gpus.status("ok")["gpus"]
        equal((plain["mig"], plain["utilization_ratio"]), ([], 0.42), "without MIG")
        check("utilization_ratio" not in cut and "processes" not in cut, f"with MIG: {cut}")
        first, second = cut["mig"]
        equal({key: first[key] for key in ("index", "uuid", "name", "gpu_instance", "compute_instance", "memory_total_bytes")},
              {"index": 0, "uuid": "MIG-00000000-0001-0001", "name": "NVIDIA Fake MIG 1g.10gb", "gpu_instance": 3,
               "compute_instance": 0, "memory_total_bytes": 10737418240}, "an instance")
        check("utilization_ratio" not in first and "energy_joules" not in first, first)
        equal(([process["memory_bytes"] for process in first["processes"]], second["processes"]), ([111], []), "processes")
        found = scrape(gpus)
        equal(value(found, "muster_gpu_memory_total_bytes", gpu="1", mig="1"), 10737418240, "metric of an instance")
        equal(value(found, "muster_gpu_mig_info", gpu="1", mig="1", uuid=second["uuid"], name=second["name"]), 1, "its info")
    with Gpus("mig 0 0") as gpus:
        equal(gpus.status("ok")["gpus"][0]["mig"], [], "MIG on, and no instance")


def layouts():
    """A list of processes in either of the layouts that drivers have under one name."""
    for count in (1, 2, 3, 127, 128):
        lines = [f"process 0 {pid} {pid * 10}" for pid in range(4190001, 4190001 + count)]
        for wide in ("no", "yes"):
            with Gpus("gpus 1", f"wide {wide}", *lines) as gpus:
                found = gpus.status("ok")["gpus"][0]["processes"]
                equal(found, [{"host_pid": pid, "memory_bytes": pid * 10} for pid in range(4190001, 4190001 + count)],
                      f"{count} processes, wide: {wide}")


def bounds():
    """More than there is room for is cut, and text is whatever it is."""
    lines = [f"process 0 {pid} 1" for pid in range(1, 200)]
    with Gpus("gpus 80", *lines, 'set name N\t"\\<b>' + "x" * 200 + "\xff") as gpus:
        status = gpus.status("ok", seconds=120)
        equal(len(status["gpus"]), 64, "GPUs")
        equal((status["gpus"][0]["processes"], status["gpus"][0]["processes_more"]), ([], 199), "processes")
        check(status["gpus"][0]["name"].startswith('N\t"\\<b>xxx'), status["gpus"][0]["name"])
        scrape(gpus)
        scrape(gpus, True)


whole()
parts()
old_libraries()
instances()
layouts()
bounds()
