"""Templates as people write them, for one container, and what Go 1.26 gives; tests/real asks it."""

from __future__ import annotations

from typing import Any, Final

CONTAINER: Final[dict[str, Any]] = {
    "config": {b"tag": b"x", b"labels": b"tier,none", b"env": b"STAGE"},
    "container_id": b"4f2a9c17be03d586e1a70b6c5d4e3f2a19788765c0ffee001234567890abcdef",
    "container_name": b"/shop-web-1",
    "container_entrypoint": b"/bin/server",
    "container_args": [b"--port", b"8080"],
    "container_image_id": b"sha256:9d8e7c6b5a4f3e2d1c0ba9f8e7d6c5b4a39281700badcafefedcba0987654321",
    "container_image_name": b"registry.example:5000/shop/web:1.27",
    "container_created": "2024-05-06T07:08:09.123Z",
    "container_env": [b"PATH=/bin", b"STAGE=prod"],
    "container_labels": {
        b"com.docker.compose.project": b"shop",
        b"com.docker.compose.service": b"web",
        b"tier": b"front",
        b"raw": b"\xff<&>",
    },
    "log_path": b"",
    "hostname": b"node-a",
}

GIVES: Final[tuple[tuple[str, bytes], ...]] = (
    ("plain", b"plain"),
    ("{{.ID}}", b"4f2a9c17be03"),
    ("{{.FullID}}", b"4f2a9c17be03d586e1a70b6c5d4e3f2a19788765c0ffee001234567890abcdef"),
    ("{{.Name}}", b"shop-web-1"),
    ("{{.ImageID}}", b"9d8e7c6b5a4f"),
    ("{{.ImageFullID}}", b"sha256:9d8e7c6b5a4f3e2d1c0ba9f8e7d6c5b4a39281700badcafefedcba0987654321"),
    ("{{.ImageName}}", b"registry.example:5000/shop/web:1.27"),
    ("{{.Command}}", b"/bin/server --port 8080"),
    ("{{.Hostname}}", b"node-a"),
    ("{{.DaemonName}}", b"docker"),
    ("{{.ContainerName}}", b"/shop-web-1"),
    ("{{.ContainerCreated}}", b"2024-05-06 07:08:09.123 +0000 UTC"),
    ('{{.ContainerCreated.Format "2006-01-02"}}', b"2024-05-06"),
    ("{{.ContainerLabels.tier}}", b"front"),
    ("{{.ContainerLabels.none}}", b"<no value>"),
    ('{{index .ContainerLabels "com.docker.compose.service"}}', b"web"),
    ('{{index .ContainerLabels "none"}}', b""),
    (
        (
            '{{index .ContainerLabels "com.docker.compose.project"}}/{{index .ContainerLabels'
            ' "com.docker.compose.service"}}'
        ),
        b"shop/web",
    ),
    (
        "{{.ContainerLabels}}",
        (b"map[com.docker.compose.project:shop com.docker.compose.service:web raw:\xff<&> tier:front]"),
    ),
    ("{{.ContainerArgs}}", b"[--port 8080]"),
    ("{{(.ExtraAttributes nil).STAGE}}", b"prod"),
    (
        "{{json .ContainerLabels}}",
        (
            b'{"com.docker.compose.project":"shop","com.docker.compose.service":"web","raw":"\\'
            b'ufffd<&>","tier":"front"}'
        ),
    ),
    ("{{json .ContainerArgs}}", b'["--port","8080"]'),
    ('{{upper .Name}} {{title .Name}} {{lower "ABC"}}', b"SHOP-WEB-1 Shop-Web-1 abc"),
    ("{{truncate .Name 4}}|{{pad .Name 2 1}}|", b"shop|  shop-web-1 |"),
    ("{{slice .ID 0 6}}", b"4f2a9c"),
    ('{{printf "%-14s|%.3s|%q" .Name .Name .Name}}', b'shop-web-1    |sho|"shop-web-1"'),
    ('{{.Name | printf "%s-%d" "a"}}', b"a-%!d(string=shop-web-1)"),
    ('{{join (split .Name "-") "_"}}', b"shop_web_1"),
    ('{{index (split .Name "-") 1}}', b"web"),
    ("{{if .ContainerLabels.tier}}{{.ContainerLabels.tier}}{{else}}none{{end}}", b"front"),
    ('{{if eq .DaemonName "docker"}}yes{{end}}', b"yes"),
    ('{{with index .ContainerLabels "none"}}{{.}}{{else}}no{{end}}', b"no"),
    ("{{with .ContainerLabels.none}}a{{else with .Name}}{{.}}{{end}}", b"shop-web-1"),
    (
        "{{range $k, $v := .ContainerLabels}}{{$k}},{{end}}",
        b"com.docker.compose.project,com.docker.compose.service,raw,tier,",
    ),
    ("{{range $i, $a := .ContainerArgs}}{{if $i}} {{end}}{{$a}}{{end}}", b"--port 8080"),
    ("{{range 3}}{{.}}{{else}}none{{end}}", b"012"),
    ("{{range .ContainerEnv}}{{.}};{{break}}{{end}}", b"PATH=/bin;"),
    ("{{$n := .Name}}{{$n}}/{{$.ID}}", b"shop-web-1/4f2a9c17be03"),
    ("a {{- .Name -}} b", b"ashop-web-1b"),
    ("{{- /* c */ -}} x", b"x"),
    ('{{define "t"}}<{{.}}>{{end}}{{template "t" .Name}}', b"<shop-web-1>"),
    ('{{block "b" .}}{{.Name}}{{end}}', b"shop-web-1"),
    ('{{len .Name}} {{not .Name}} {{and .Name .ID}} {{or "" .Name}}', b"10 false 4f2a9c17be03 shop-web-1"),
    ('{{eq 1 1}} {{ne "a" "b"}} {{lt 1 2}} {{ge 2.5 2.5}}', b"true true true true"),
    ('{{html "<a>"}} {{js "it\'s"}} {{urlquery "a b/c"}}', b"&lt;a&gt; it\\'s a+b%2Fc"),
    ('{{print 1 2 "x" 3 4}} {{println "end"}}', b"1 2x3 4 end\n"),
    ("{{1.5}} {{0x1F}} {{'a'}} {{1e3}} {{true}} {{1+2i}}", b"1.5 31 97 1000 true (1+2i)"),
    (
        '{{printf "%d %s" .Name 7}} {{printf "%s"}} {{printf "%s" 1 2}}',
        b"%!d(string=shop-web-1) %!s(int=7) %!s(MISSING) %!s(int=1)%!(EXTRA int=2)",
    ),
    (
        '{{printf "%+v" .ContainerArgs}} {{printf "%#v" .Config}}',
        b'[--port 8080] map[string]string{"env":"STAGE", "labels":"tier,none", "tag":"x"}',
    ),
    ("{{.ContainerLabels.raw}} {{json .ContainerLabels.raw}}", b'\xff<&> "\\ufffd<&>"'),
    ("{{.ContainerLabels.com.docker.compose.service}}", b"<no value>"),
    ("{{.Name | }}", b"shop-web-1"),
)
# What Docker says when it does not start the container.
REFUSES: Final[tuple[tuple[str, str], ...]] = (
    (
        "{{.FullName}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <.FullName>: can\'t evaluate field '
            "FullName in type *logger.Info"
        ),
    ),
    (
        "{{.Name.First}}",
        (
            'template: log-tag:1:7: executing "log-tag" at <.Name.First>: can\'t evaluate fiel'
            "d First in type string"
        ),
    ),
    (
        "{{.Labels}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <.Labels>: can\'t evaluate field La'
            "bels in type *logger.Info"
        ),
    ),
    (
        "{{lower .ContainerLabels.none}}",
        (
            'template: log-tag:1:24: executing "log-tag" at <.ContainerLabels.none>: invalid '
            "value; expected string"
        ),
    ),
    (
        "{{index .ContainerArgs 9}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <index .ContainerArgs 9>: error ca'
            "lling index: index out of range: 9"
        ),
    ),
    (
        "{{truncate .Name -1}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <truncate .Name -1>: error calling'
            " truncate: runtime error: slice bounds out of range [:-1]"
        ),
    ),
    (
        "{{pad .Name -1 0}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <pad .Name -1 0>: error calling pa'
            "d: strings: negative Repeat count"
        ),
    ),
    (
        '{{join .Name ","}}',
        (
            'template: log-tag:1:7: executing "log-tag" at <.Name>: wrong type for value; exp'
            "ected []string; got string"
        ),
    ),
    (
        "{{eq .Name 1}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <eq .Name 1>: error calling eq: in'
            "compatible types for comparison: string and int"
        ),
    ),
    (
        '{{template "none"}}',
        ('template: log-tag:1:11: executing "log-tag" at <{{template "none"}}>: template "none" not defined'),
    ),
    (
        "{{range .Name}}{{end}}",
        ('template: log-tag:1:8: executing "log-tag" at <.Name>: range can\'t iterate over shop-web-1'),
    ),
    (
        "{{.ExtraAttributes}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <.ExtraAttributes>: wrong number o'
            "f args for ExtraAttributes: want 1 got 0"
        ),
    ),
    (
        "{{.Name 1}}",
        (
            'template: log-tag:1:2: executing "log-tag" at <.Name>: wrong number of args for '
            "Name: want 0 got 1"
        ),
    ),
    ("{{nil}}", 'template: log-tag:1:2: executing "log-tag" at <nil>: nil is not a command'),
    (
        "{{len 3}}",
        'template: log-tag:1:2: executing "log-tag" at <len 3>: error calling len: len of type int',
    ),
    ("{{foo .Name}}", 'template: log-tag:1: function "foo" not defined'),
    ("{{.Name", "template: log-tag:1: unclosed action"),
    ("{{if .Name}}", "template: log-tag:1: unexpected EOF"),
    ("{{.Name}}{{end}}", "template: log-tag:1: unexpected {{end}}"),
    ("{{}}", "template: log-tag:1: missing value for command"),
    ("{{$x}}", 'template: log-tag:1: undefined variable "$x"'),
    ('{{"a}}', "template: log-tag:1: unterminated quoted string"),
    ('{{.Name | "x"}}', "template: log-tag:1: non executable command in pipeline stage 2"),
    ("{{break}}", "template: log-tag:1: {{break}} outside {{range}}"),
    ("{{else}}", "template: log-tag:1: unexpected {{else}}"),
    ("{{if}}{{end}}", "template: log-tag:1: missing value for if"),
    ("{{range $a, $b, $c := .}}{{end}}", "template: log-tag:1: too many declarations in range"),
    ("{{08}}", 'template: log-tag:1: integer overflow: "08"'),
    ("{{99999999999999999999}}", 'template: log-tag:1: integer overflow: "99999999999999999999"'),
    ("{{.Name}", "template: log-tag:1: bad character U+007D '}'"),
    ("{{-.Name}}", 'template: log-tag:1: bad number syntax: "-.N"'),
    (
        '{{define "a"}}1{{end}}{{define "a"}}2{{end}}',
        'template: log-tag:1: template: multiple definition of template "a"',
    ),
    ("{{.Container-Name}}", "template: log-tag:1: bad character U+002D '-'"),
    ("{{/* open", "template: log-tag:1: unclosed comment"),
    ("{{(.Name}}", "template: log-tag:1: unclosed left paren"),
    ("{{.Name)}}", "template: log-tag:1: unexpected right paren"),
)
