"""The keys of daemon.json: which dockerd knows them, and what their values are.

dockerd (daemon/config/config.go) refuses a key that is neither the name of one of its flags nor what a flag
is called in the file (`insecure-registry`, `insecure-registries`). Then it reads the file into a structure
which has only the second kind: a key that is only a flag's name is taken and ignored. An object under a name
that is not in FLAT is taken apart: its inner keys are looked at instead of its own.

Made from the source of every minor version; what 20.10 and 26.1 refuse is also asked of the real ones by
tests/real/test_doctor.py.
"""

from __future__ import annotations

from api.doctor.versions import Version

_V23, _V24, _V25, _V26 = Version(23), Version(24), Version(25), Version(26)
_V28, _V28_2, _V29, _V29_2, _V29_7 = Version(28), Version(28, 2), Version(29), Version(29, 2), Version(29, 7)

# key -> kind of its value: text, bool, number, list, object
KEYS: dict[str, str] = {
    **dict.fromkeys(
        (
            "api-cors-header", "bip", "bip6", "bridge", "bridge-accept-fwmark", "cgroup-parent",
            "cluster-advertise", "cluster-store", "containerd", "containerd-namespace", "data-root",
            "default-cgroupns-mode", "default-gateway", "default-gateway-v6", "default-ipc-mode",
            "default-runtime", "deprecated-key-path", "exec-root", "firewall-backend", "fixed-cidr",
            "fixed-cidr-v6", "graph", "group", "host-gateway-ip", "http-proxy", "https-proxy", "init-path",
            "ip", "log-driver", "log-format", "log-level", "metrics-addr", "min-api-version", "no-proxy",
            "pidfile", "seccomp-profile", "storage-driver", "swarm-default-advertise-addr", "tlscacert",
            "tlscert", "tlskey", "userland-proxy-path", "userns-remap",
        ),
        "text",
    ),
    **dict.fromkeys(
        (
            "allow-direct-routing", "cri-containerd", "debug", "experimental", "icc", "init",
            "ip-forward", "ip-forward-no-drop", "ip-masq", "ip6tables", "iptables", "ipv6", "live-restore",
            "no-new-privileges", "raw-logs", "rootless", "selinux-enabled", "tls", "tlsverify",
            "userland-proxy",
        ),
        "bool",
    ),
    **dict.fromkeys(
        (
            "cpu-rt-period", "cpu-rt-runtime", "default-stop-timeout", "max-concurrent-downloads",
            "max-concurrent-uploads", "max-download-attempts", "mtu", "network-control-plane-mtu",
            "network-diagnostic-port", "oom-score-adjust", "shutdown-timeout",
        ),
        "number",
    ),
    **dict.fromkeys(
        (
            "allow-nondistributable-artifacts", "authorization-plugins", "cdi-spec-dirs",
            "default-address-pools", "dns", "dns-opts", "dns-search", "exec-opts", "host-gateway-ips",
            "hosts", "insecure-registries", "labels", "node-generic-resources", "registry-mirrors",
            "storage-opts",
        ),
        "list",
    ),
    **dict.fromkeys(
        (
            "builder", "cluster-store-opts", "default-network-opts", "default-ulimits", "features",
            "log-opts", "nri-opts", "proxies", "runtimes",
        ),
        "object",
    ),
    "default-shm-size": "size",  # a number of bytes, or a text such as 64M
}  # fmt: skip

SINCE: dict[str, Version] = {
    "http-proxy": _V23, "https-proxy": _V23, "no-proxy": _V23, "proxies": _V23,
    "default-network-opts": _V24,
    "cdi-spec-dirs": _V25, "log-format": _V25,
    "bip6": _V28, "host-gateway-ips": _V28, "ip-forward-no-drop": _V28,
    "allow-direct-routing": _V28_2,
    "bridge-accept-fwmark": _V29, "firewall-backend": _V29, "min-api-version": _V29,
    "nri-opts": _V29_2,
    "default-stop-timeout": _V29_7,
}  # fmt: skip

# the first version that refuses it
UNTIL: dict[str, Version] = {
    "graph": _V24, "cluster-advertise": _V24, "cluster-store": _V24, "cluster-store-opts": _V24,
    "oom-score-adjust": _V26,
    "api-cors-header": _V29,
}  # fmt: skip

# What a removed key is called now.
SUCCESSORS = {"graph": "data-root"}

# Flags that the file calls otherwise, and what it calls them: taken under this name, and ignored.
FLAG_NAMES = {
    "add-runtime": "runtimes", "authorization-plugin": "authorization-plugins",
    "cdi-spec-dir": "cdi-spec-dirs", "cluster-store-opt": "cluster-store-opts",
    "default-address-pool": "default-address-pools", "default-network-opt": "default-network-opts",
    "default-ulimit": "default-ulimits", "dns-opt": "dns-opts", "exec-opt": "exec-opts",
    "feature": "features", "host": "hosts", "insecure-registry": "insecure-registries", "label": "labels",
    "log-opt": "log-opts", "node-generic-resource": "node-generic-resources",
    "registry-mirror": "registry-mirrors", "storage-opt": "storage-opts",
}  # fmt: skip
_FLAGS_SINCE = {
    "cdi-spec-dir": _V25, "default-network-opt": _V24, "feature": Version(27, 3), "validate": _V23,
}  # fmt: skip
_FLAGS_UNTIL = {"cluster-store-opt": _V24}

# Flags that have no place in the file at all, and are taken and ignored there.
ONLY_FLAGS = frozenset(
    {"config-file", "containerd-plugins-namespace", "help", "restart", "validate", "version"}
)

# Objects that dockerd does not take apart.
FLAT = frozenset(
    {
        "builder", "cluster-store-opts", "default-network-opts", "default-ulimits", "features", "log-opts",
        "nri-opts", "runtimes",
    }
)  # fmt: skip


def known(key: str, version: Version) -> bool:
    """dockerd of that version reads this key of the file."""
    return key in KEYS and SINCE.get(key, version) <= version < UNTIL.get(key, Version(9999))


def ignored(key: str, version: Version) -> bool:
    """dockerd of that version takes this key and does nothing with it."""
    if key not in FLAG_NAMES and key not in ONLY_FLAGS:
        return False
    return _FLAGS_SINCE.get(key, version) <= version < _FLAGS_UNTIL.get(key, Version(9999))


def all_keys(version: Version) -> list[str]:
    """What that version knows, in alphabetical order."""
    return sorted(key for key in KEYS if known(key, version))
