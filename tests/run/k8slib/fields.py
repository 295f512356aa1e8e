# SPDX-License-Identifier: MIT
"""The fields that objects of Kubernetes may have, as far as our manifests use them: what is not here is a mistake,
or has to be added. A key that ends in `!` must be there. Beside it stands the API's own description, where one is.

A type is str, int, bool; a tuple of types; a set of words; [TYPE], a list; {"*": TYPE}, any keys; {...}, these keys.
"""

STRINGS = {"*": str}
QUANTITIES = {"*": (str, int)}
LABELS = {"matchLabels": STRINGS, "matchExpressions": [{"key!": str, "operator!": str, "values": [str]}]}
METADATA = {"name!": str, "namespace": str, "labels": STRINGS, "annotations": STRINGS}
POD_METADATA = {"labels!": STRINGS, "annotations": STRINGS}
PORT = (int, str)

PROBE = {
    "httpGet": {"path": str, "port!": PORT, "scheme": {"HTTP", "HTTPS"}, "host": str,
                "httpHeaders": [{"name!": str, "value!": str}]},
    "exec": {"command": [str]},
    "tcpSocket": {"port!": PORT, "host": str},
    "initialDelaySeconds": int, "periodSeconds": int, "timeoutSeconds": int,
    "failureThreshold": int, "successThreshold": int,
}
HOOK = {"exec": PROBE["exec"], "httpGet": PROBE["httpGet"]}

SECURITY = {
    "allowPrivilegeEscalation": bool, "readOnlyRootFilesystem": bool, "privileged": bool,
    "runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int,
    "capabilities": {"add": [str], "drop": [str]},
    "seccompProfile": {"type!": {"RuntimeDefault", "Localhost", "Unconfined"}, "localhostProfile": str},
}

CONTAINER = {
    "name!": str, "image": str, "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "command": [str], "args": [str], "workingDir": str,
    "env": [{"name!": str, "value": str, "valueFrom": {"fieldRef": {"apiVersion": str, "fieldPath!": str},
                                                       "secretKeyRef": {"name": str, "key!": str}}}],
    "ports": [{"name": str, "containerPort!": int, "protocol": {"TCP", "UDP", "SCTP"}}],
    "startupProbe": PROBE, "readinessProbe": PROBE, "livenessProbe": PROBE,
    "lifecycle": {"preStop": HOOK, "postStart": HOOK},
    "resources": {"requests": QUANTITIES, "limits": QUANTITIES},
    "securityContext": SECURITY,
    "volumeMounts": [{"name!": str, "mountPath!": str, "subPath": str, "readOnly": bool}],
}

POD = {
    "containers!": [CONTAINER],
    "initContainers": [CONTAINER | {"restartPolicy": {"Always"}}],
    "volumes": [{
        "name!": str,
        "configMap": {"name": str, "items": [{"key!": str, "path!": str, "mode": int}], "defaultMode": int,
                      "optional": bool},
        "secret": {"secretName": str, "items": [{"key!": str, "path!": str, "mode": int}], "defaultMode": int,
                   "optional": bool},
        "emptyDir": {"medium": {"", "Memory"}, "sizeLimit": (str, int)},
    }],
    "securityContext": {key: SECURITY[key] for key in ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")} |
                       {"fsGroup": int, "fsGroupChangePolicy": {"Always", "OnRootMismatch"},
                        "supplementalGroups": [int]},
    "serviceAccountName": str, "automountServiceAccountToken": bool, "enableServiceLinks": bool,
    "terminationGracePeriodSeconds": int, "restartPolicy": {"Always", "OnFailure", "Never"},
    "shareProcessNamespace": bool, "nodeSelector": STRINGS, "runtimeClassName": str, "hostname": str,
    "tolerations": [{"key": str, "operator": {"Exists", "Equal"}, "value": str,
                     "effect": {"NoSchedule", "PreferNoSchedule", "NoExecute"}, "tolerationSeconds": int}],
}

DEPLOYMENT = {
    "replicas": int, "revisionHistoryLimit": int, "minReadySeconds": int, "progressDeadlineSeconds": int,
    "selector!": LABELS,
    "strategy": {"type": {"RollingUpdate", "Recreate"},
                 "rollingUpdate": {"maxSurge": (int, str), "maxUnavailable": (int, str)}},
    "template!": {"metadata!": POD_METADATA, "spec!": POD},
}

SERVICE = {
    "selector": STRINGS, "type": {"ClusterIP", "NodePort", "LoadBalancer"}, "clusterIP": str,
    "publishNotReadyAddresses": bool,
    "ports": [{"name": str, "port!": int, "targetPort": PORT, "nodePort": int, "protocol": {"TCP", "UDP", "SCTP"}}],
}

PEERS = [{"podSelector": LABELS, "namespaceSelector": LABELS,
          "ipBlock": {"cidr!": str, "except": [str]}}]
RULE_PORTS = [{"port": PORT, "protocol": {"TCP", "UDP", "SCTP"}}]
NETWORK_POLICY = {
    "podSelector!": LABELS, "policyTypes": [{"Ingress", "Egress"}],
    "ingress": [{"from": PEERS, "ports": RULE_PORTS}],
    "egress": [{"to": PEERS, "ports": RULE_PORTS}],
}

POD_MONITOR = {
    "jobLabel": str, "podTargetLabels": [str], "selector!": LABELS,
    "namespaceSelector": {"any": bool, "matchNames": [str]},
    "podMetricsEndpoints!": [{"port": str, "path": str, "interval": str, "scrapeTimeout": str, "honorLabels": bool,
                              "scheme": {"http", "https"}}],
}

PROMETHEUS_RULE = {
    "groups": [{
        "name!": str, "interval": str,
        "rules": [({"alert!": str, "expr!": (str, int), "for": str, "keep_firing_for": str, "labels": STRINGS,
                    "annotations": STRINGS},
                   {"record!": str, "expr!": (str, int), "labels": STRINGS})],
    }],
}


def kind(metadata=METADATA, **fields):
    return {"apiVersion!": str, "kind!": str, "metadata!": metadata} | fields


# a key with `!`: the API server would take the object without it, and do nothing of use
KINDS = {
    ("v1", "Namespace"): kind(),
    ("v1", "ServiceAccount"): kind(automountServiceAccountToken=bool),
    ("v1", "ConfigMap"): kind(data=STRINGS, immutable=bool),
    ("v1", "Service"): kind(**{"spec!": SERVICE}),
    ("v1", "Pod"): kind(**{"spec!": POD}),
    ("apps/v1", "Deployment"): kind(**{"spec!": DEPLOYMENT}),
    ("policy/v1", "PodDisruptionBudget"): kind(**{"spec!": {
        "minAvailable": (int, str), "maxUnavailable": (int, str), "selector!": LABELS}}),
    ("networking.k8s.io/v1", "NetworkPolicy"): kind(**{"spec!": NETWORK_POLICY}),
    ("monitoring.coreos.com/v1", "PodMonitor"): kind(**{"spec!": POD_MONITOR}),
    ("monitoring.coreos.com/v1", "PrometheusRule"): kind(**{"spec!": PROMETHEUS_RULE}),
}
