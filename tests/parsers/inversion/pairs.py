"""Random templates that people could write, and random containers, for running tags backwards.

Seeded, so a failure can be made again. `clear` templates keep their fields apart by what none of them can
hold: each must be told. `wild` ones do anything: what is told must be true.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

LABELS = ("com.docker.compose.service", "com.docker.compose.project", "app", "a-b", "team/name", "x")
_WORD = "abcdefghijklmnopqrstuvwxyz0123456789"
_NAME = _WORD + "ABCXYZ_.-"
_FREE = _WORD + "ABCXYZ _.-/:@|=,{}[]\"'\\<>&%$é한\t"


@dataclass
class Container:
    """The facts of one container, as text."""

    id: str
    name: str
    image: str
    image_id: str
    hostname: str
    command: list[str]
    labels: dict[str, str] = field(default_factory=dict)

    def truth(self) -> dict[str, str]:
        """What each path of a template stands for."""
        return {
            "ID": self.id[:12], "FullID": self.id, "ContainerID": self.id,
            "Name": self.name, "ContainerName": "/" + self.name,
            "ImageName": self.image, "ContainerImageName": self.image,
            "ImageID": self.image_id[7:19], "ImageFullID": self.image_id, "ContainerImageID": self.image_id,
            "Hostname": self.hostname, "DaemonName": "docker", "LogPath": "",
            "Command": " ".join(self.command), "ContainerEntrypoint": self.command[0],
            **{f"ContainerLabels.{key}": value for key, value in self.labels.items()},
        }  # fmt: skip


def container(rng: random.Random) -> Container:
    return Container(
        "".join(rng.choices("0123456789abcdef", k=64)),
        _name(rng),
        _image(rng),
        "sha256:" + "".join(rng.choices("0123456789abcdef", k=64)),
        rng.choice(("node-a", "db1.example.com", "h", _name(rng))),
        ["/bin/server", *rng.choices(("--port", "80", "a b", "-c"), k=rng.randrange(3))],
        {key: _free(rng) for key in LABELS if rng.random() < 0.6},
    )


def _name(rng: random.Random) -> str:
    kinds: tuple[Callable[[], str], ...] = (
        lambda: rng.choice(_WORD) + "".join(rng.choices(_NAME, k=rng.randrange(1, 12))),
        lambda: f"shop-{rng.choice(('web', 'api-gateway', 'db'))}-{rng.randrange(1, 12)}",
        lambda: "web.1." + "".join(rng.choices(_WORD, k=25)),
        lambda: ".".join(rng.choices(("ab", "cd", "e"), k=rng.randrange(2, 5))),
    )
    return rng.choice(kinds)()


def _image(rng: random.Random) -> str:
    host = rng.choice(("", "", "ghcr.io/", "registry.example.com:5000/", "localhost:5000/"))
    path = "/".join(rng.choices(("nginx", "shop", "web-app", "a_b", "x.y"), k=rng.randrange(1, 4)))
    tag = rng.choice(("", ":1.27", ":latest", ":v1.2.3-alpine_X"))
    digest = "@sha256:" + "".join(rng.choices("0123456789abcdef", k=64)) if rng.random() < 0.2 else ""
    return host + path + tag + digest


def _free(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return rng.choice(("web", "shop", "api", "1", "true", "a.b", "a/b", ""))
    return "".join(rng.choices(_FREE, k=rng.randrange(1, 10)))


def label(key: str) -> str:
    return f'index .ContainerLabels "{key}"'


# Fields that hold neither "/" nor "|".
_TIGHT = (
    "ID",
    "FullID",
    "Name",
    "ImageID",
    "ImageFullID",
    "Hostname",
    "DaemonName",
    "ContainerID",
    "ContainerImageID",
)


def clear(rng: random.Random) -> tuple[str, set[str]]:
    """A template, and the paths that any tag of it must tell."""
    parts, told = [], set()
    for name in rng.sample(_TIGHT, rng.randrange(1, 4)):
        parts.append(_exact(rng, name))
        told.add(name)
    if rng.random() < 0.5:
        parts.append(
            rng.choice(("{{.ImageName}}", '{{join (split .ImageName "/") ","}}', "{{json .ImageName}}"))
        )
        told.add("ImageName")
    for key in rng.sample(LABELS, rng.randrange(0, 3)):
        parts.append("{{json (" + label(key) + ")}}")
        told.add(f"ContainerLabels.{key}")
    if rng.random() < 0.3:
        key = rng.choice(LABELS)
        parts.append("{{" + label(key) + "}}")
        told.add(f"ContainerLabels.{key}")
    text = rng.choice(("", "docker.", "x/")) + "|".join(parts)
    return text, told


def _exact(rng: random.Random, name: str) -> str:
    """An action that prints a field in a way that can be undone."""
    forms = [
        "{{.@}}", "{{ .@ }}", "{{print .@}}", '{{printf "%s" .@}}', "{{json .@}}", "{{$x := .@}}{{$x}}",
        "{{with .@}}{{.}}{{end}}", "{{if .@}}{{.@}}{{else}}none{{end}}", "{{pad .@ 1 2}}", "{{.@ | print}}",
        "{{printf `%q` .@}}", "{{with $y := .@}}<{{$y}}>{{end}}",
    ]  # fmt: skip
    if name in ("ID", "FullID", "ImageID", "ContainerID"):
        forms += [
            "{{upper .@}}",
            "{{lower .@}}",
            "{{title .@}}",
            "{{.@ | upper | lower}}",
            '{{printf "%x" .@}}',
        ]
    return rng.choice(forms).replace("@", name)


def wild(rng: random.Random) -> str:
    """Any template that can be written down and that Docker accepts for most containers."""
    return "".join(_piece(rng, 0) for _ in range(rng.randrange(1, 6)))


def _piece(rng: random.Random, depth: int) -> str:
    roll = rng.random()
    if roll < 0.3:
        return rng.choice(("/", "|", ".", "-", "_", ":", " ", "", "docker.", "a", "<no value>", "é"))
    if roll < 0.75 or depth > 2:
        return "{{" + rng.choice(("", "", "- ")) + _pipeline(rng, 0) + "}}"
    inner, other = (_body(rng, depth) for _ in range(2))
    return rng.choice((
        f"{{{{if {_condition(rng)}}}}}{inner}{{{{else}}}}{other}{{{{end}}}}",
        f"{{{{if {_condition(rng)}}}}}{inner}{{{{end}}}}",
        f"{{{{if {_condition(rng)}}}}}{inner}{{{{else if {_condition(rng)}}}}}{other}{{{{end}}}}",
        f"{{{{with {label(rng.choice(LABELS))}}}}}{{{{.}}}}{{{{else}}}}{other}{{{{end}}}}",
        "{{range $k, $v := .ContainerLabels}}{{$k}}={{$v}},{{end}}",
        f"{{{{range .ContainerArgs}}}}{{{{.}}}};{{{{else}}}}{other}{{{{end}}}}",
        '{{range split .ImageName "/"}}{{.}}+{{end}}',
        f'{{{{$v := .Name}}}}{{{{if {_condition(rng)}}}}}{{{{$v = .ID}}}}{{{{end}}}}{{{{$v}}}}',
        f'{{{{block "b" .}}}}{inner}{{{{end}}}}',
    ))  # fmt: skip


def _body(rng: random.Random, depth: int) -> str:
    return "".join(_piece(rng, depth + 1) for _ in range(rng.randrange(0, 3)))


def _condition(rng: random.Random) -> str:
    one, two = _string(rng, 1), _string(rng, 1)
    return rng.choice((
        one, f"not ({one})", f'eq ({one}) "web"', f'ne ({one}) "1"', f"eq ({one}) ({two})",
        f"and ({one}) ({two})",
        f"or ({one}) ({two})", f"gt (len ({one})) 5", ".ContainerLabels", ".ContainerArgs", f'lt ({one}) "m"',
        f'or (eq ({one}) "web") (eq ({two}) "api")', "true",
    ))  # fmt: skip


def _pipeline(rng: random.Random, depth: int) -> str:
    if rng.random() < 0.1:
        return rng.choice((
            "json .ContainerLabels", "json .ContainerArgs", ".ContainerLabels", "len .Name",
            "json .", "eq .Name .ID",
            ".ContainerCreated", ".ContainerLabels.app", ".ContainerLabels.x", "/* nothing */",
        ))  # fmt: skip
    return _string(rng, depth)


def _string(rng: random.Random, depth: int) -> str:
    """An expression that is a string."""
    if depth > 2 or rng.random() < 0.5:
        return rng.choice((
            ".Name", ".ID", ".FullID", ".ImageName", ".Hostname", ".ContainerName", ".ImageID",
            ".Command", ".ImageFullID",
            ".ContainerEntrypoint", label(rng.choice(LABELS)), label(rng.choice(LABELS)), '"web"', "`a.b`",
        ))  # fmt: skip
    one, two = _string(rng, depth + 1), _string(rng, depth + 1)
    number = rng.choice((0, 1, 3, 8, 12, 64, 100))
    return rng.choice((
        f"lower ({one})", f"upper ({one})", f"title ({one})", f"truncate ({one}) {number}",
        f"pad ({one}) {number % 4} {number % 3}", f"json ({one})", f"print ({one}) ({two})",
        f'printf "%s-%s" ({one}) ({two})',
        f'printf "%-{number}s" ({one})', f'printf "%{number}.5s" ({one})', f'printf "%q" ({one})',
        f'printf "%x" ({one})',
        f'join (split ({one}) "/") "."', f'join (split ({one}) ".") "|"', f'index (split ({one}) "/") 0',
        f"slice ({one}) 0 1", f"or ({one}) ({two})", f"and ({one}) ({two})", f"html ({one})",
        f"urlquery ({one})",
        f"js ({one})", "slice .ContainerName 1", 'index (split .ContainerName "/") 1', f"({one}) | lower",
    ))  # fmt: skip
