# SPDX-License-Identifier: MIT
"""What must hold between the objects of an overlay, and of pods that run muster: no API server looks at it."""

import re

PATHS = {"/livez", "/readyz", "/startupz"}
SECONDS = {"s": 1, "m": 60, "h": 3600}


def pods(objects):
    """(title, labels, spec) of everything that makes pods."""
    for each in objects:
        if each["kind"] == "Pod":
            yield f"Pod {each['metadata']['name']}", each["metadata"].get("labels", {}), each["spec"]
        elif each["kind"] == "Deployment":
            template = each["spec"]["template"]
            yield f"Deployment {each['metadata']['name']}", template["metadata"]["labels"], template["spec"]


def containers(spec):
    return spec.get("initContainers", []) + spec["containers"]


def probes(container):
    return {name: container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe") if name in container}


# ---- between objects ----


def selects(selector, labels):
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selector_of(each):
    spec = each["spec"]
    if each["kind"] == "Service":
        return spec.get("selector")
    if each["kind"] == "NetworkPolicy":
        return spec["podSelector"].get("matchLabels")
    return spec["selector"].get("matchLabels")


def selections(objects):
    """Each selector selects pods that are there."""
    for each in objects:
        if each["kind"] in ("Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor", "Deployment"):
            if not any(selects(selector_of(each), labels) for _, labels, _ in pods(objects)):
                yield f"{each['kind']} {each['metadata']['name']}: selects no pod"


def port_names(objects):
    return {port.get("name") for _, _, spec in pods(objects) for container in containers(spec)
            for port in container.get("ports", [])}


def ports_of(each):
    spec = each["spec"]
    if each["kind"] == "Service":
        return [port.get("targetPort", port["port"]) for port in spec["ports"]]
    if each["kind"] == "PodMonitor":
        return [endpoint["port"] for endpoint in spec["podMetricsEndpoints"]]
    rules = spec.get("ingress", [])
    return [port["port"] for rule in rules for port in rule.get("ports", [])]


def ports(objects):
    names = port_names(objects)
    for each in objects:
        if each["kind"] in ("Service", "PodMonitor", "NetworkPolicy"):
            for port in ports_of(each):
                if isinstance(port, str) and port not in names:
                    yield f"{each['kind']} {each['metadata']['name']}: no pod has a port {port}"


def references(objects):
    """ConfigMaps and service accounts that pods name are among the objects."""
    there = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for title, _, spec in pods(objects):
        wanted = [("ConfigMap", volume["configMap"]["name"]) for volume in spec.get("volumes", [])
                  if "configMap" in volume]
        if "serviceAccountName" in spec:
            wanted.append(("ServiceAccount", spec["serviceAccountName"]))
        for kind, name in wanted:
            if (kind, name) not in there:
                yield f"{title}: there is no {kind} {name}"


# ---- pods ----


def volumes(objects):
    for title, _, spec in pods(objects):
        there = {volume["name"] for volume in spec.get("volumes", [])}
        used = {mount["name"] for container in containers(spec) for mount in container.get("volumeMounts", [])}
        for name in sorted(there ^ used):
            yield f"{title}: volume {name} is {'not used' if name in there else 'not there'}"


def probe_ports(objects):
    for title, _, spec in pods(objects):
        for container in containers(spec):
            own = {port.get("name") for port in container.get("ports", [])}
            for name, probe in probes(container).items():
                get = probe.get("httpGet", {})
                if len({"httpGet", "exec", "tcpSocket"} & set(probe)) != 1:
                    yield f"{title}: {name} of {container['name']}: expected one way to ask"
                if isinstance(get.get("port"), str) and get["port"] not in own:
                    yield f"{title}: {name} of {container['name']}: it has no port {get['port']}"
                if get and get["path"].partition("?")[0] not in PATHS:
                    yield f"{title}: {name} of {container['name']}: the sidecar has no {get['path']}"


def restricted(objects):
    """Pod Security, profile `restricted`, and a read-only root besides."""
    for title, _, spec in pods(objects):
        pod = spec.get("securityContext", {})
        if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
            yield f"{title}: is not of its own"
        for container in containers(spec):
            own = pod | container.get("securityContext", {})
            capabilities = own.get("capabilities", {})
            wanted = {
                "runAsNonRoot": own.get("runAsNonRoot") is True,
                "runAsUser": own.get("runAsUser", 1) != 0,
                "seccompProfile": own.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
                "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
                "capabilities": capabilities.get("drop") == ["ALL"] and not capabilities.get("add"),
                "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
                "privileged": not own.get("privileged"),
            }
            for key, good in wanted.items():
                if not good:
                    yield f"{title}: {container['name']}: {key} is not restricted"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{title}: gets a token of the API server"


# ---- times ----


def duration(text):
    return sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"([\d.]+)([smh])", text))


def setting(config, key, default):
    found = re.search(rf"^{key}\s*=\s*(\S+)", config, re.M)
    return duration(found[1] if found else default)


def configuration(objects, spec):
    """The muster.ini that a pod gets."""
    for volume in spec.get("volumes", []):
        for each in objects:
            if each["kind"] == "ConfigMap" and each["metadata"]["name"] == volume.get("configMap", {}).get("name"):
                return each["data"].get("muster.ini", "")
    return ""


def times(objects):
    for title, _, spec in pods(objects):
        config = configuration(objects, spec)
        shutdown = setting(config, "drain", "0s") + setting(config, "stop_timeout", "9s") + 1
        if spec.get("terminationGracePeriodSeconds", 30) <= shutdown:
            yield f"{title}: terminationGracePeriodSeconds: muster-init may need {shutdown:g} s"
        probe = main_container(spec)[0]["startupProbe"]
        patience = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
        if patience < setting(config, "start_timeout", "5m"):
            yield f"{title}: startupProbe: gives up after {patience} s, before muster-init's start_timeout"


# ---- the runtime directory, and the sidecar as a container ----


def main_container(spec):
    """The one with muster-init, and its environment."""
    main = next(each for each in spec["containers"] if each["name"] == "muster")
    return main, {each["name"]: each.get("value") for each in main.get("env", [])}


def runtime_directory(objects):
    """A volume may be written to by its group and others, so muster-init makes a directory in it."""
    for title, _, spec in pods(objects):
        main, told = main_container(spec)
        if not any(told.get("MUSTER_RUN_DIR", "").startswith(mount["mountPath"] + "/")
                   for mount in main["volumeMounts"]):
            yield f"{title}: MUSTER_RUN_DIR is no directory in a volume"


def external(objects):
    """It and muster-init are told of each other, it may not write, and it waits for nobody."""
    for title, _, spec in pods(objects):
        _, told = main_container(spec)
        sidecar = next((each for each in containers(spec) if each["name"] == "sidecar"), None)
        if (told.get("MUSTER_SIDECAR_EXTERNAL") == "yes") != (sidecar is not None):
            yield f"{title}: MUSTER_SIDECAR_EXTERNAL does not say how the sidecar runs"
        if not sidecar:
            continue
        if told.get("MUSTER_SIDECAR_USER") != str(sidecar["securityContext"]["runAsUser"]):
            yield f"{title}: muster-init takes a sidecar of another user than it runs as"
        place = told.get("MUSTER_RUN_DIR")
        if place not in sidecar["args"]:
            yield f"{title}: the sidecar looks elsewhere than in {place}"
        if not all(mount.get("readOnly") for mount in sidecar["volumeMounts"]):
            yield f"{title}: the sidecar may write to the runtime directory"
        for name, probe in probes(sidecar).items():
            if name != "readinessProbe" and probe["httpGet"]["path"] != "/livez":
                yield f"{title}: {name} of the sidecar waits for what starts behind it"


RULES = (selections, ports, references, volumes, probe_ports, restricted, times, runtime_directory, external)


def rule_problems(objects):
    return [problem for rule in RULES for problem in rule(objects)]
