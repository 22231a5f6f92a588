"""What watches the server, and the two pages: /healthz /readyz /metrics /docs and /."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, Response

from api.schemas import answers
from api.services import Services

_PAGES = Path(__file__).parent / "page"

# The pages bring all they need along: many sites have no way out to the internet, and nothing that a page
# here shows may be sent anywhere else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

router = APIRouter(tags=["health"])

_READINESS = answers("Readiness")
_READINESS[503] = {**_READINESS[200], "description": "not yet: `reasons` say why"}


# HEAD too: what probes send that want no body (wget --spider, curl -I)
@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", responses=answers("Health"))
async def healthz() -> dict[str, str]:
    """The process lives and answers."""
    return {"status": "ok"}


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=_READINESS)
async def readyz(request: Request) -> Response:
    """Whether answers come from everything held: 503 with reasons while the journal is replayed."""
    services: Services = request.app.state.services
    state = services.readiness()
    body: dict[str, Any] = {"ready": state.ready, "reasons": state.reasons, **state.details}
    return JSONResponse(body, 200 if state.ready else 503)


@router.get("/metrics", response_class=Response, responses=answers("Metrics", media="text/plain"))
async def metrics(request: Request) -> Response:
    """Counters and gauges in Prometheus' text format."""
    services: Services = request.app.state.services
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """The REST API for people, made from /openapi.json."""
    return _page("docs.html")


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def index() -> Response:
    """What this is, and where to go on."""
    return _page("index.html")


def _page(name: str) -> Response:
    return HTMLResponse((_PAGES / name).read_bytes(), headers={"Content-Security-Policy": _POLICY})
