"""Names of environment variables that hold secrets, as people really call them."""

from __future__ import annotations

import re

# What a wide env-regex is tried on.
NAMES = (
    "PASSWORD", "DB_PASSWORD", "MYSQL_ROOT_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "SMTP_PASS",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SECRET_KEY", "SECRET_KEY_BASE", "DJANGO_SECRET_KEY",
    "APP_SECRET", "APP_KEY", "JWT_SECRET", "API_KEY", "API_TOKEN", "GITHUB_TOKEN", "SLACK_TOKEN",
    "STRIPE_SECRET_KEY", "PRIVATE_KEY", "CLIENT_SECRET", "DATABASE_URL", "password", "db_password", "api_key",
    "token", "secret",
)  # fmt: skip

_SECRET = re.compile(
    r"passw(or)?d|passphrase|(^|_)pass(_|$)|secret|token|credential|(api|private|access|encryption|signing)_?key|"
    r"(^|_)(pwd|auth)(_|$)|^(app|django)_key$|database_url|connection_string",
    re.IGNORECASE,
)


def looks_secret(name: str) -> bool:
    return _SECRET.search(name) is not None
