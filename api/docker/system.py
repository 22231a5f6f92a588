"""/_ping, /version and /info: what clients ask before they ask for anything else."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.docker.seen import everything
from api.docker.states import is_running
from api.docker.versions import API_VERSION, MIN_VERSION, text_of
from api.questions import services_of

NAME = "logdock"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Go's names


def headers() -> dict[str, str]:
    """What every answer carries: clients negotiate the version by these (moby api/server/middleware)."""
    return {
        "Api-Version": text_of(API_VERSION),
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"{NAME}/{version(NAME)} (linux)",
    }


async def ping(request: Request) -> Response:
    """OK. Swarm's commands are offered by clients because services can be asked for here."""
    told = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
    body = "" if request.method == "HEAD" else "OK"
    return PlainTextResponse(body, headers=told | {"Swarm": "active/manager"})


async def version_info(_request: Request) -> Response:
    """moby api/types/types.go, Version."""
    own, machine = version(NAME), platform.machine()
    common = {
        "ApiVersion": text_of(API_VERSION), "MinAPIVersion": text_of(MIN_VERSION), "Os": "linux",
        "Arch": _ARCHITECTURES.get(machine, machine), "KernelVersion": platform.release(),
        "GitCommit": "", "GoVersion": "", "BuildTime": "",
    }  # fmt: skip
    details = {**common, "Experimental": "false"}
    return JSONResponse(
        {
            "Platform": {"Name": f"{NAME} (logs of Docker containers, read only)"},
            "Components": [{"Name": "Engine", "Version": own, "Details": details}],
            "Version": own,
            **common,
        }
    )


async def info(request: Request) -> Response:
    """moby api/types/system/info.go: as much as there is to tell."""
    services = services_of(request)
    seen = await everything(services.store)
    running = sum(is_running(services, one) for one in seen)
    return JSONResponse({**_machine(), **_counts(len(seen), running), "Warnings": services.notes()})


# What clients of 20.10 warn of when it is missing; it would be said of logdock's machine.
_USUAL = dict.fromkeys(
    (
        "MemoryLimit", "SwapLimit", "KernelMemory", "OomKillDisable", "CpuCfsPeriod", "CpuCfsQuota",
        "CPUShares", "CPUSet", "PidsLimit", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables",
    ),
    True,
)  # fmt: skip


def _counts(containers: int, running: int) -> dict[str, Any]:
    return {
        "Containers": containers, "ContainersRunning": running, "ContainersPaused": 0,
        "ContainersStopped": containers - running, "Images": 0,
    }  # fmt: skip


def _machine() -> dict[str, Any]:
    return {
        "ID": NAME, "Name": platform.node(), "ServerVersion": version(NAME), "Driver": NAME,
        "DriverStatus": [], "Plugins": {"Volume": [], "Network": [], "Authorization": None, "Log": []},
        "LoggingDriver": "", "CgroupDriver": "", "KernelVersion": platform.release(),
        "OperatingSystem": f"{NAME} (read only)", "OSType": "linux", "Architecture": platform.machine(),
        "NCPU": os.cpu_count() or 1, "MemTotal": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        **_USUAL, "DockerRootDir": "", "IndexServerAddress": "", "RegistryConfig": None, "Labels": [],
        "SecurityOptions": [], "Runtimes": {}, "DefaultRuntime": "", "InitBinary": "",
        "ContainerdCommit": {"ID": ""}, "RuncCommit": {"ID": ""}, "InitCommit": {"ID": ""},
        # a manager's: only of one do clients ask for services (cli/command/system/inspect.go)
        "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "active", "ControlAvailable": True},
    }  # fmt: skip
