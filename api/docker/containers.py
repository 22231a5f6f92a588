"""`docker ps`, `docker inspect` and `docker logs`."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.docker.listing import listing
from api.docker.logs import log_response, one_stream
from api.docker.params import log_options
from api.docker.seen import Seen, find
from api.docker.states import ZERO_TIME, is_running, may_speak, state, status
from api.questions import services_of
from api.services import Services
from storage.query import Query
from storage.times import SECOND, rfc3339

_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")


async def logs(request: Request) -> Response:
    """The lines of a container. Raises DockerError, StoreUnavailable."""
    options = log_options(request)  # Docker looks at them before it looks for the container
    services = services_of(request)
    one = await find(services.store, request.path_params["name"])
    reading = one_stream(Query(containers=(one.ref,)), lambda: may_speak(services, one))
    return await log_response(request, reading, options)


async def inspect(request: Request) -> Response:
    """A container (moby api/types/types.go, ContainerJSON)."""
    services = services_of(request)
    one = await find(services.store, request.path_params["name"])
    return JSONResponse(inspected(services, one))


def inspected(services: Services, one: Seen) -> dict[str, Any]:
    """What is not known has the value that Docker gives to what is empty."""
    running = is_running(services, one)
    return {
        "Id": one.id, "Created": rfc3339(one.first_seen), "Path": "", "Args": [],
        "State": {
            "Status": state(services, one), "Running": running, "Paused": False, "Restarting": False,
            "OOMKilled": False, "Dead": False, "Pid": 0, "ExitCode": 0, "Error": "",
            "StartedAt": rfc3339(one.first_seen),
            "FinishedAt": ZERO_TIME if running else rfc3339(one.last_seen),
        },
        "Image": one.image, "ResolvConfPath": "", "HostnamePath": "", "HostsPath": "", "LogPath": "",
        "Name": f"/{one.name}", "RestartCount": 0, "Driver": "", "Platform": "linux", "MountLabel": "",
        "ProcessLabel": "", "AppArmorProfile": "", "ExecIDs": None,
        "HostConfig": {"LogConfig": {"Type": "", "Config": {}}, "NetworkMode": "default"},
        "GraphDriver": {"Data": None, "Name": ""}, "Mounts": [],
        "Config": {
            "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False,
            "AttachStderr": False, "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": [],
            "Cmd": None, "Image": one.image, "Volumes": None, "WorkingDir": "", "Entrypoint": None,
            "OnBuild": None, "Labels": dict(one.labels),
        },
        "NetworkSettings": {"Ports": {}, "Networks": {}},
        "Logdock": {
            "Service": one.service, "Host": one.host, "Lines": one.lines,
            "FirstSeen": rfc3339(one.first_seen), "LastSeen": rfc3339(one.last_seen),
        },
    }  # fmt: skip


def listed(services: Services, one: Seen) -> dict[str, Any]:
    """A row of `docker ps` (moby api/types/types.go, Container)."""
    return {
        "Id": one.id, "Names": [f"/{one.name}"], "Image": one.image,
        "ImageID": one.image if _IMAGE_ID.fullmatch(one.image) else "", "Command": "",
        "Created": one.first_seen // SECOND, "Ports": [], "Labels": dict(one.labels),
        "State": state(services, one), "Status": status(services, one),
        "HostConfig": {"NetworkMode": "default"}, "NetworkSettings": {"Networks": {}}, "Mounts": [],
    }  # fmt: skip


async def list_all(request: Request) -> Response:
    """Containers seen."""
    services = services_of(request)
    return JSONResponse([listed(services, one) for one in await listing(request)])
