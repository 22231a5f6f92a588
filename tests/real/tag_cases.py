"""Tag templates for containers of a real dockerd, each with the fields that logdock must tell.

All are given to one server, so those that would print the same kind of tag begin with words of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

APP = "registry.example:5000/team/app:1.2"
DASHED = "team/my-app"
ODD = "Reg-1.Example.com:443/te__am/a-b.c_d/x--y:V1.2_x-Y"
DIGEST = "pulled by digest"  # its reference holds the port of the registry, which the test makes
BY_ID, BY_FULL_ID = "the image's short id", "the image's full id"

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
SWARM = "com.docker.swarm.service.name"
# Of compose, of swarm, and whatever else Docker takes; the number keeps them apart.
NAMES = (
    "shop.web-{}", "a-b-c-{}", "my_shop_web_{}", "Shop.Web_{}--x..y_", "agent.{}.abcdefghijklmnopqrstuvwxy"
)  # fmt: skip
COMPOSE = {
    PROJECT: "shop", SERVICE: "web", "com.docker.compose.container-number": "1",
    "com.docker.compose.oneoff": "False",
}  # fmt: skip
NASTY = {**COMPOSE, "a-b": 'quote " and \\', "team/name": "<Ünï&> 한", "lines": "one\ntwo\t", "empty": ""}
LABELS = "ContainerLabels."


@dataclass(frozen=True)
class Case:
    """`tells`: the paths that are told whichever driver sends the tag; `fluentd`, `gelf`: those that only one
    of them tells beside, most of them because a GELF record has image and host. `ambiguous`: the drivers
    whose events are flagged. `service`: what the tag says it is. `name`: what the container is called,
    else it is by one of NAMES.
    """

    key: str
    template: str
    tells: str
    name: str = ""
    image: str = APP
    labels: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    fluentd: str = ""
    gelf: str = ""
    ambiguous: tuple[str, ...] = ()
    service: str | None = None


def entry(key: str) -> str:
    """An entry of the labels, which is empty where there is none."""
    return f'index .ContainerLabels "{key}"'


FIELDS = (
    Case("default", "{{.ID}}", "ID"),
    Case("full id", "{{.FullID}}", "FullID"),
    Case("name", "{{.Name}}", "Name", name="a-b-c"),
    Case("name like an id", "{{.Name}}", "Name", name="deadbeefcafe"),
    Case("name like a full id", "{{.Name}}", "Name", name="0123456789abcdef" * 4),
    Case("name/id", "{{.Name}}/{{.ID}}", "Name ID"),
    Case("prefix", "docker.{{.Name}}", "Name", name="docker.docker.a_b"),
    Case("image/name/id", "{{.ImageName}}/{{.Name}}/{{.ID}}", "ImageName Name ID"),
    Case("odd image", "{{.ImageName}}/{{.Name}}/{{.ID}}", "ImageName Name ID", image=ODD, name="te__am.a-b"),
    Case("digest", "{{.ImageName}}@{{.Name}}", "ImageName Name", image=DIGEST),
    Case("image by id", "by {{.ImageName}} {{.ImageID}}", "ImageName ImageID", image=BY_ID),
    Case("image by full id", "by {{.ImageName}} {{.ImageID}}", "ImageName ImageID", image=BY_FULL_ID),
    Case("image ids", "i {{.ImageFullID}} {{.ImageID}} {{.FullID}}", "ImageFullID ImageID FullID"),
    Case("host", "on {{.Hostname}}/{{.Name}}/{{.ID}}", "Hostname Name ID"),
    Case(
        "daemon", "{{.DaemonName}}:{{.ImageName}}/{{.Name}}/{{.ID}}",
        "DaemonName ImageName Name ID",
    ),
    Case("name with its slash", "n {{.ContainerName}}!{{.DaemonName}}", "ContainerName Name DaemonName"),
    Case(
        "names of the fields",
        "raw {{.ContainerID}} {{.ContainerImageID}} {{.ContainerImageName}}[{{.LogPath}}]",
        "ContainerID FullID ContainerImageID ImageFullID ContainerImageName ImageName LogPath",
    ),
    Case("command", "{{.Hostname}} runs {{.Command}}", "Hostname Command", arguments=("a  b", "é", "|")),
    Case("entrypoint", "{{.ContainerEntrypoint}} of {{.Name}}", "ContainerEntrypoint Name"),
    Case("created", "{{.ID}} of {{.ContainerCreated}}", "ID ContainerCreated"),
    Case("arguments", "args {{.ContainerArgs}} {{.ID}}", "ID", arguments=("x y", "]")),
    Case(
        "option", 'cfg {{index .Config "labels"}} {{.ID}}', "Config.labels ID",
        options=("--log-opt", "labels=tier,none"),
    ),
    Case("nothing", "constant", ""),
    Case("beyond ascii", "ünï→{{.Name}}", "Name"),
)  # fmt: skip

MAPS = (
    Case(
        "compose service", f"s={{{{{entry(SERVICE)}}}}}/{{{{.ID}}}}", f"{LABELS}{SERVICE} ID",
        labels=COMPOSE, service="web",
    ),
    Case("no such label", f"s={{{{{entry(SERVICE)}}}}}/{{{{.ID}}}}", "ID"),
    Case(
        "project/service", f"{{{{{entry(PROJECT)}}}}}/{{{{{entry(SERVICE)}}}}}|{{{{.ID}}}}",
        f"{LABELS}{PROJECT} {LABELS}{SERVICE} ID", labels=COMPOSE, service="web",
    ),
    Case(
        "two labels", f"_{{{{{entry(PROJECT)}}}}}_{{{{{entry(SERVICE)}}}}}_{{{{.ID}}}}", "ID",
        labels={**COMPOSE, PROJECT: "my_shop"}, ambiguous=("fluentd", "gelf"),
    ),
    Case(
        "two labels in json", f"j{{{{json ({entry(PROJECT)})}}}}_{{{{{entry(SERVICE)}}}}}_{{{{.ID}}}}",
        f"{LABELS}{PROJECT} {LABELS}{SERVICE} ID", labels={**COMPOSE, PROJECT: "my_shop"}, service="web",
    ),
    Case(
        "label by field", "tier {{.ContainerLabels.tier}}~{{.Name}}", f"{LABELS}tier Name",
        labels={"tier": "front ~ end"},
    ),
    Case("no value", "tier {{.ContainerLabels.tier}}~{{.Name}}", "Name"),
    Case(
        "json of labels", "all {{json .ContainerLabels}}", " ".join(LABELS + key for key in NASTY),
        labels=NASTY, service="web",
    ),
    Case("json of no labels", "all {{json .ContainerLabels}}", ""),
    Case("json of names", "{{json .Name}}:{{json .ImageName}}", "Name ImageName"),
    Case(
        "json of everything", "{{json .}}",
        "FullID ID Name ImageName ImageFullID ContainerEntrypoint ContainerArgs ContainerEnv DaemonName "
        "LogPath Config.tag " + " ".join(LABELS + key for key in NASTY),
        fluentd="Config.fluentd-address", gelf="Config.gelf-address Hostname", labels=NASTY, service="web",
    ),
    Case(
        "extra attribute", "x {{(.ExtraAttributes nil).TIER}} {{.Name}}", "ExtraAttributes.TIER Name",
        labels={"TIER": "a b"}, options=("--log-opt", "labels=TIER"),
    ),
    Case(
        "extra variable", "x {{(.ExtraAttributes nil).TIER}} {{.Name}}", "ExtraAttributes.TIER Name",
        options=("--env", "TIER=gold", "--log-opt", "env-regex=^TI"),
    ),
    Case(
        "cut within a letter", f"cut {{{{truncate ({entry('city')}) 2}}}} {{{{.ID}}}}", "ID",
        labels={"city": "Zürich"},
    ),
)  # fmt: skip

FUNCTIONS = (
    Case(
        "upper and lower", "U {{upper .Name}} {{lower .ID}} {{upper .FullID}}", "Name ID FullID",
        name="Shop.Web_1",
    ),
    Case("upper of an image", "I {{upper .ImageName}}", "", image=ODD, gelf="ImageName"),
    Case("title", f"{{{{title ({entry(SERVICE)})}}}} T {{{{.ID}}}}", "ID", labels=COMPOSE),
    Case(
        "title without letters", f"{{{{title ({entry('n')})}}}} T# {{{{.ID}}}}", f"{LABELS}n ID",
        labels={"n": "12.3"},
    ),
    Case("truncate", "t={{truncate .ImageName 12}};{{.ID}}", "ID", gelf="ImageName"),
    Case("truncate what is short", "t={{truncate .ImageName 12}};{{.ID}}", "ImageName ID", image=DASHED),
    Case("pad", "pad:{{pad .Name 2 3}}:{{.ID}}", "Name ID"),
    Case("printf", '{{printf "%-50s|%q|%x" .ImageName .Name .ID}}', "ImageName Name ID"),
    Case("printf of two", '{{printf "%s-%s~" .Name .ID}}', "Name ID", name="a-b-c-d"),
    Case("split", 'p {{index (split .ImageName ":") 0}} {{slice .FullID 0 20}}', "FullID", gelf="ImageName"),
    Case("join", 'J {{join (split .ImageName "/") "|"}} {{.Name}}', "ImageName Name"),
    Case("slice", "sl {{slice .ID 0 6}} {{slice .ContainerName 1}}", "ID ContainerName Name"),
    Case("urlquery", "q {{urlquery .ImageName}} {{.Name}}", "Name ImageName"),
    Case("len", "{{len .ContainerLabels}} labels of {{.Name}}", "Name", labels=COMPOSE),
    Case("println", "ln {{println .Name}}{{.ID}}", "Name ID"),
)  # fmt: skip

_SWARM_OR_NAME = f"{{{{with {entry(SWARM)}}}}}s:{{{{.}}}}{{{{else}}}}n:{{{{$.Name}}}}{{{{end}}}}|{{{{.ID}}}}"
_APP_OR_OTHER = f'{{{{if eq .ImageName "{APP}"}}}}app{{{{else}}}}other{{{{end}}}}={{{{.Name}}}}'
_TIERS = (
    '{{if and .ContainerLabels.tier (ne .ContainerLabels.tier "x")}}tier>{{.ContainerLabels.tier}}'
    "{{else if .ContainerLabels.zone}}zone>{{.ContainerLabels.zone}}{{else}}tier<{{end}}>{{.ID}}"
)
_SET = (
    "{{$n := .Name}}{{$i := .ImageName}}{{if .ContainerLabels.tier}}{{$i = `tiered`}}{{end}}v {{$n}} {{$i}}"
)
CONTROL = (
    Case("with", _SWARM_OR_NAME, f"{LABELS}{SWARM} Name ID", labels={SWARM: "my_job"}, service="my_job"),
    Case("with, else", _SWARM_OR_NAME, "Name ID"),
    Case("eq", _APP_OR_OTHER, "ImageName Name"),
    Case("eq, else", _APP_OR_OTHER, "Name", image=DASHED, gelf="ImageName"),
    Case("if", _TIERS, f"{LABELS}tier ID", labels={"tier": "front"}),
    # whether tier is "x" or none is not said
    Case("if, else if", _TIERS, f"{LABELS}zone ID", labels={"zone": "b"}, ambiguous=("fluentd", "gelf")),
    Case(
        "range", "r {{range $k, $v := .ContainerLabels}}{{$k}}={{$v}},{{end}}#{{.ID}}", "ID", labels=COMPOSE
    ),
    Case("range, else", "R {{range .ContainerLabels}}{{.}}{{else}}none{{end}}#{{.ID}}", "ID"),
    Case(
        "range of constants", '{{$i := .ID}}{{range split "a,b" ","}}{{.}}{{$i}};{{end}}{{.Name}}', "Name ID"
    ),
    Case(
        "define", '{{define "p"}}[{{.}}]{{end}}d{{template "p" .Name}}{{template "p" .ImageName}}',
        "Name ImageName",
    ),
    Case("block", '{{block "b" .}}b {{.Name}} {{$.ID}}{{end}}', "Name ID"),
    Case("variables", _SET, "Name ImageName"),
    Case("trim markers", "\n trim {{- .Name -}} \n / \t{{- /* no */ -}} {{.ID -}} \n", "Name ID"),
)  # fmt: skip

# Only the record decides between the readings of these.
SETTLED = (
    Case("dot between", "{{.Name}}.{{.ImageName}}", "Name ImageName", name="shop.web", image=DASHED),
    Case(
        "dash between", "at {{.ImageName}}-{{.Hostname}}", "", image=DASHED, gelf="ImageName Hostname",
        ambiguous=("fluentd",),
    ),
)  # fmt: skip

# What the Go that Docker 20.10 was built with does not take.
NEWER = Case(
    "else with",
    f"{{{{with {entry('no')}}}}}W{{{{else with .Name}}}}w {{{{.}}}}{{{{end}}}} {{{{.ID}}}}",
    "Name ID",
)  # fmt: skip

CASES = (*FIELDS, *MAPS, *FUNCTIONS, *CONTROL, *SETTLED)

# What Docker refuses when a container is started, in the words of all versions: for every container ...
REFUSED = (
    "{{.FullName}}", "{{.Labels}}", "{{foo}}", "{{lower .Name .ID}}", "{{.Name", "{{if .Name}}",
    "{{if}}x{{end}}", "{{.Name.First}}", '{{join .Name ","}}', "{{.ExtraAttributes}}",
    '{{template "none"}}', "{{$x}}",
)  # fmt: skip
# ... and for this one.
REFUSED_HERE = (
    "{{slice .Name 0 200}}", "{{index .ContainerArgs 99}}", "{{lower .ContainerLabels.none}}",
    "{{range .Name}}{{end}}",
)  # fmt: skip
# log-opts.tag of daemon.json, for containers of compose
FOR_A_DAEMON = (
    Case(
        "the service", f"{{{{{entry(SERVICE)}}}}}/{{{{.ID}}}}", f"{LABELS}{SERVICE} ID", labels=COMPOSE,
        service="web",
    ),
    Case(
        "all of it", "{{.DaemonName}}/{{.ImageName}}/{{.Name}}/{{.ID}}", "DaemonName ImageName Name ID",
        labels=COMPOSE,
    ),
)  # fmt: skip
