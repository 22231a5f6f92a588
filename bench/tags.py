"""What it costs to run a tag backwards, and how that grows with the tag. Prints two tables.

    python -m bench.tags

First the templates that people use: compiling one, and reading one of its tags. Then tags of 6.4 KiB and of
64 KiB against the nastiest templates that are known here, each with the texts that suit it worst: the ratio
is to stay below 20. Times are process CPU time, the best of some runs; the ratios are of one run.
"""

import os
import platform
import time
from collections.abc import Callable

from parsers.tag import MAX_TAG_LENGTH, TagTemplate

TARGET = 20.0
ID = "4f2a9c17be03d586e1a70b6c5d4e3f2a19788765c0ffee001234567890abcdef"
SERVICE = 'index .ContainerLabels "com.docker.compose.service"'
LABEL = 'index .ContainerLabels "%s"'

USED = (
    ("{{.ID}}", ID[:12]),
    ("docker.{{.Name}}", "docker.shop-web-1"),
    ("{{.Name}}/{{.ID}}", f"shop-web-1/{ID[:12]}"),
    ("{{.ImageName}}/{{.Name}}/{{.ID}}", f"ghcr.io/shop/web:1.27/shop-web-1/{ID[:12]}"),
    ("{{.Hostname}}/{{.Name}}/{{.ID}}", f"node-a.example/shop-web-1/{ID[:12]}"),
    ("{{" + SERVICE + "}}/{{.ID}}", f"web/{ID[:12]}"),
    ("{{with " + SERVICE + "}}s:{{.}}{{else}}n:{{.Name}}{{end}}|{{.ID}}", f"s:web|{ID[:12]}"),
    ("{{json .ContainerLabels}}", '{"com.docker.compose.service":"web","com.docker.compose.project":"shop"}'),
    ("{{.Name}}.{{.ImageName}}", "shop.web.nginx"),
)
NASTY = (
    ".".join(["{{.Name}}", "{{.ImageName}}", "{{.Hostname}}"] * 3),
    "".join("{{" + LABEL % key + "}}" for key in "abc"),
    "{{if .ContainerLabels.a}}{{.ContainerLabels.a}}{{end}}" * 8,
    "{{with .ContainerLabels.a}}{{.}}{{else}}{{.Name}}{{end}}" * 8,
    "{{range .ContainerEnv}}{{.}}a{{end}}",
    "{{range .ContainerEnv}}a{{end}}",
    "{{range .ContainerEnv}}{{range split . `b`}}a{{end}}b{{end}}",
    "{{range $k, $v := .ContainerLabels}}{{$k}}={{$v}},{{end}}" * 3,
    "{{lower .Name}}{{upper .Name}}{{truncate .ImageName 300}}",
    "{{json (" + LABEL % "a" + ")}}{{" + LABEL % "b" + "}}{{json .ContainerLabels}}",
    "{{.Name}}{{.Name}}{{.Name}}",
    "{{join (split .ImageName `/`) `.`}}.{{.Name}}",
)
TEXTS = ("a", "a.b1", "a=b,", 'ab"\\', '{"a":"b"}', "ab")


def cpu(work: Callable[[], object], runs: int) -> float:
    """Seconds of the best run."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def repeated(work: Callable[[], object], times: int) -> float:
    """Seconds of one call."""

    def many() -> None:
        for _ in range(times):
            work()

    return cpu(many, 5) / times


def used() -> None:
    print(f"{'template':78} | compile us | read us\n{'-' * 78} | ---------: | ------:")
    for text, tag in USED:
        template = TagTemplate.compile(text)
        compiling = repeated(lambda text=text: TagTemplate.compile(text), 20)
        reading = repeated(lambda template=template, tag=tag: template.invert(tag), 100)
        print(f"{text:78} | {compiling * 1e6:10.0f} | {reading * 1e6:7.0f}")


def growth(template: TagTemplate, text: str) -> tuple[float, float]:
    """CPU seconds for a tag of 6.4 KiB and for one ten times as long, both made of whole texts."""
    short, long = (text * (length // len(text)) for length in (MAX_TAG_LENGTH // 10, MAX_TAG_LENGTH))
    return cpu(lambda: template.invert(short), 5), cpu(lambda: template.invert(long), 3)


def nasty() -> bool:
    print(f"\n{'worst text for each template':78} | 6.4 KiB ms | 64 KiB ms | ratio")
    print(f"{'-' * 78} | ---------: | --------: | ----:")
    met = True
    for text in NASTY:
        template = TagTemplate.compile(text)
        short, long = max((growth(template, part) for part in TEXTS), key=lambda pair: pair[1] / pair[0])
        met = met and long / short < TARGET
        print(f"{text[:78]:78} | {short * 1e3:10.2f} | {long * 1e3:9.2f} | {long / short:5.1f}")
    return met


def main() -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    used()
    print(f"\nratio below {TARGET:g}: {'met' if nasty() else 'MISSED'}")


if __name__ == "__main__":
    main()
