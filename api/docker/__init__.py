"""Docker's own API, read only: `DOCKER_HOST=tcp://127.0.0.1:8080 docker logs web`, also of what is long gone.

The paths, parameters, bodies, errors and their statuses are those of Docker's API 1.45
(moby api/server/router, docs/api/v1.45.yaml). What asks for anything but reading is refused.
"""
