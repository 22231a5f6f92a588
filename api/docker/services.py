"""`docker service ls`, `ps`, `inspect` and `logs`, and the tasks and nodes that they ask for.

What only a swarm's manager knows is guessed: as many replicas as slots were seen, and a task is running
while its container counts as running (states.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.docker import filters as by
from api.docker.framing import attributes
from api.docker.logs import Reading, log_response
from api.docker.params import boolean, service_log_options, value
from api.docker.states import is_running
from api.docker.swarm import (
    NODE_ID,
    SERVICE_ID,
    TASK_ID,
    Node,
    Service,
    Task,
    all_nodes,
    all_services,
    all_tasks,
    find_node,
    find_service,
    find_task,
    node_id,
    service_id,
    task_id,
)
from api.questions import services_of
from api.services import Services
from parsers.event import Origin
from storage.query import Query
from storage.times import rfc3339

SERVICE_FILTERS = ("id", "label", "mode", "name")
TASK_FILTERS = ("desired-state", "id", "label", "name", "node", "service")
NODE_FILTERS = ("id", "name")
STACK = "com.docker.stack.namespace"


async def list_services(request: Request) -> Response:
    """Services seen."""
    services = services_of(request)
    filters = by.parse(value(request, "filters"), SERVICE_FILTERS)
    found = [
        service
        for service in await all_services(services.store)
        if by.begins(filters, "id", service.id)
        and by.begins(filters, "name", service.name)
        and by.labels(filters, "label", _labels(service.latest))
        and by.exact(filters, "mode", "replicated" if service.replicas else "global")
    ]
    return JSONResponse([service_json(services, service, boolean(request, "status")) for service in found])


async def inspect_service(request: Request) -> Response:
    """One service."""
    services = services_of(request)
    found = await find_service(services.store, request.path_params["id"])
    return JSONResponse(service_json(services, found, False))


def service_json(house: Services, service: Service, with_status: bool) -> dict[str, Any]:
    """moby api/types/swarm/service.go, Service."""
    replicas = service.replicas
    running = sum(is_running(house, task.of) for task in service.tasks)
    spec = {
        "Name": service.name,
        "Labels": _labels(service.latest),
        "TaskTemplate": _task_spec(service.latest),
        "Mode": {"Replicated": {"Replicas": replicas}} if replicas else {"Global": {}},
        "EndpointSpec": {"Mode": "vip"},
    }
    found = {
        "ID": service.id,
        **_moments(min(task.of.first_seen for task in service.tasks), service.latest.of.last_seen),
        "Spec": spec,
        "Endpoint": {"Spec": {}},
    }
    if with_status:
        found["ServiceStatus"] = {
            "RunningTasks": running,
            "DesiredTasks": replicas or running,
            "CompletedTasks": 0,
        }
    return found


def _labels(task: Task) -> dict[str, str]:
    """What of the container's labels is the service's own: the stack's name."""
    return {key: text for key, text in task.of.labels.items() if key == STACK}


def _task_spec(task: Task) -> dict[str, Any]:
    return {
        "ContainerSpec": {"Image": task.of.image, "Labels": dict(task.of.labels), "Isolation": "default"},
        "ForceUpdate": 0,
        "Runtime": "container",
    }


def _moments(first: int, last: int) -> dict[str, Any]:
    return {"Version": {"Index": 1}, "CreatedAt": rfc3339(first), "UpdatedAt": rfc3339(last)}


async def list_tasks(request: Request) -> Response:
    """Tasks seen."""
    services = services_of(request)
    filters = by.parse(value(request, "filters"), TASK_FILTERS)
    found = [
        task
        for task in await all_tasks(services.store)
        if by.begins(filters, "id", task.id)
        and by.begins(filters, "name", task.of.name)
        and by.labels(filters, "label", _labels(task))
        and by.exact(filters, "service", task.service_id, task.service)
        and by.exact(filters, "node", task.node_id, task.of.host)
        and by.exact(filters, "desired-state", _state(services, task))
    ]
    return JSONResponse([task_json(services, task) for task in found])


async def inspect_task(request: Request) -> Response:
    """One task."""
    services = services_of(request)
    return JSONResponse(task_json(services, await find_task(services.store, request.path_params["id"])))


def _state(house: Services, task: Task) -> str:
    return "running" if is_running(house, task.of) else "shutdown"


def task_json(house: Services, task: Task) -> dict[str, Any]:
    """moby api/types/swarm/task.go, Task. Its state holds since its first line, or since its last."""
    state = _state(house, task)
    since = task.of.first_seen if state == "running" else task.of.last_seen
    return {
        "ID": task.id,
        **_moments(task.of.first_seen, task.of.last_seen),
        "Name": task.of.name,
        "Labels": _labels(task),
        "Spec": _task_spec(task),
        "ServiceID": task.service_id,
        "Slot": task.slot,
        "NodeID": task.node_id,
        "Status": {
            "Timestamp": rfc3339(since),
            "State": state,
            "Message": f"last line at {rfc3339(task.of.last_seen)}",
            "ContainerStatus": {"ContainerID": task.of.id, "PID": 0, "ExitCode": 0},
            "PortStatus": {},
        },
        "DesiredState": state,
    }


async def list_nodes(request: Request) -> Response:
    """Hosts seen."""
    services = services_of(request)
    filters = by.parse(value(request, "filters"), NODE_FILTERS)
    found = [
        node
        for node in await all_nodes(services.store)
        if by.begins(filters, "id", node.id) and by.begins(filters, "name", node.host)
    ]
    return JSONResponse([node_json(services, node) for node in found])


async def inspect_node(request: Request) -> Response:
    """One host."""
    services = services_of(request)
    return JSONResponse(node_json(services, await find_node(services.store, request.path_params["id"])))


def node_json(house: Services, node: Node) -> dict[str, Any]:
    """moby api/types/swarm/node.go, Node."""
    last = max(task.of.last_seen for task in node.tasks)
    return {
        "ID": node.id,
        **_moments(min(task.of.first_seen for task in node.tasks), last),
        "Spec": {"Labels": {}, "Role": "worker", "Availability": "active"},
        "Description": {
            "Hostname": node.host,
            "Platform": {"Architecture": "", "OS": "linux"},
            "Resources": {},
            "Engine": {},
            "TLSInfo": {},
        },
        "Status": {
            "State": "ready" if any(is_running(house, task.of) for task in node.tasks) else "unknown",
            "Addr": "",
        },
    }


async def service_logs(request: Request) -> Response:
    """The lines of all tasks of a service, in the order of time."""
    options = service_log_options(request)
    service = await find_service(services_of(request).store, request.path_params["id"])
    return await log_response(request, _reading(service.query, service.tasks), options)


async def task_logs(request: Request) -> Response:
    """The lines of one task."""
    options = service_log_options(request)
    task = await find_task(services_of(request).store, request.path_params["id"])
    return await log_response(request, _reading(Query(containers=(task.of.ref,)), [task]), options)


def _reading(query: Query, tasks: Sequence[Task]) -> Reading:
    """--tail counts the lines of each task."""
    lanes: dict[object, Query] = {
        task.of.ref.id or task.of.ref.name: Query(containers=(task.of.ref,)) for task in tasks
    }
    return Reading(query, lanes, lambda origin: origin.container.id or origin.container.name, task_details)


def task_details(origin: Origin) -> bytes:
    """Labels, and whose line it is: clients cut that out and print it in front of the line.

    moby daemon/cluster/services.go, ServiceLogs.
    """
    labels = origin.labels
    context = {
        NODE_ID: node_id(origin.host, labels),
        SERVICE_ID: service_id(origin.service or "", labels),
        TASK_ID: task_id(origin.container, labels, origin.tag_fields),
    }
    return attributes({**labels, **context}.items())
