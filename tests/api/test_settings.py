from pathlib import Path

import pytest

from api.address import Address
from api.settings import Settings, SettingsError, flag, load_settings, unknown_variables

DAY = 86_400 * 1_000_000_000


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LOGDOCK_{name.upper()}", raising=False)


def test_defaults_stay_on_loopback() -> None:
    settings = load_settings()
    assert str(settings.http) == "127.0.0.1:8080"
    assert [str(a) for a in settings.forward] == ["127.0.0.1:24224"]
    assert [str(a) for a in settings.gelf_udp] == ["127.0.0.1:12201"]
    assert [str(a) for a in settings.gelf_tcp] == ["127.0.0.1:12201"]
    assert (settings.store, settings.data, settings.sync) == ("local", Path("logdock-data"), "interval")
    assert settings.tag_template == ("{{.ID}}",)
    assert (settings.retention, settings.retention_size) == (30 * DAY, 20 * 10**9)
    assert settings.on_full == "block"
    assert settings.hostname


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_FORWARD", "127.0.0.1:1, unix:///run/x.sock")
    monkeypatch.setenv("LOGDOCK_GELF_UDP", "off")
    monkeypatch.setenv("LOGDOCK_TAG_TEMPLATE", "{{.Name}},{{.ID}}/a")
    monkeypatch.setenv("LOGDOCK_RETENTION", "off")
    monkeypatch.setenv("LOGDOCK_RETENTION_SIZE", "1GiB")
    monkeypatch.setenv("LOGDOCK_JOURNAL_SIZE", "64MB")
    monkeypatch.setenv("LOGDOCK_INSECURE", "true")
    monkeypatch.setenv("LOGDOCK_SYNC", "")
    settings = load_settings()
    assert settings.forward == (Address("tcp", "127.0.0.1", 1), Address("unix", path="/run/x.sock"))
    assert settings.gelf_udp == ()
    assert settings.tag_template == ("{{.Name}}", "{{.ID}}/a")
    assert (settings.retention, settings.retention_size, settings.journal_size) == (None, 1024**3, 64_000_000)
    assert settings.insecure is True
    assert settings.sync == "interval"


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_HTTP", "127.0.0.1:1")
    assert load_settings(http="127.0.0.1:2").http.port == 2
    assert load_settings(http=None).http.port == 1


def test_a_comma_inside_a_template_separates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGDOCK_TAG_TEMPLATE", '{{join .A ","}}/x,{{.ID}}')
    assert load_settings().tag_template == ('{{join .A ","}}/x', "{{.ID}}")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"http": "8080"}, "--http (LOGDOCK_HTTP): '8080' has no port"),
        ({"http": "unix:///x"}, "--http (LOGDOCK_HTTP): unix:///x is not possible here"),
        ({"forward": ["nonsense"]}, "--forward (LOGDOCK_FORWARD): 'nonsense' has no port"),
        ({"forward": ["off", "127.0.0.1:1"]}, "--forward (LOGDOCK_FORWARD): off cannot stand beside"),
        ({"gelf_tcp": ["unix:///x"]}, "--gelf-tcp (LOGDOCK_GELF_TCP): unix:///x is not possible here"),
        ({"store": "ftp://x"}, "--store (LOGDOCK_STORE): is not a store: write local"),
        ({"store": "http://"}, "--store (LOGDOCK_STORE): is not a store"),
        ({"store": "http://x:port"}, "--store (LOGDOCK_STORE): is not a store"),
        ({"sync": "never"}, "--sync (LOGDOCK_SYNC): input should be 'interval' or 'always'"),
        (
            {"on_full": "panic"},
            "--on-full (LOGDOCK_ON_FULL): input should be 'block', 'drop-oldest' or 'drop-new'",
        ),
        ({"retention": "soon"}, "--retention (LOGDOCK_RETENTION): 'soon' is not a duration"),
        ({"retention": "0s"}, "--retention (LOGDOCK_RETENTION): would delete every line at once"),
        ({"retention_size": "0"}, "--retention-size (LOGDOCK_RETENTION_SIZE): would delete every line"),
        ({"journal_size": "big"}, "--journal-size (LOGDOCK_JOURNAL_SIZE): 'big' is not a size"),
        ({"journal_size": "0"}, "--journal-size (LOGDOCK_JOURNAL_SIZE): input should be greater than 0"),
        ({"daemon_json": "/does/not/exist"}, "--daemon-json (LOGDOCK_DAEMON_JSON): there is no file"),
        (
            {"elasticsearch_ca": "/does/not/exist"},
            "--elasticsearch-ca (LOGDOCK_ELASTICSEARCH_CA): there is no file",
        ),
        ({"tag_template": []}, "--tag-template (LOGDOCK_TAG_TEMPLATE): needs at least one template"),
    ],
)
def test_errors_are_one_line_that_names_the_flag(given: dict[str, object], expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http", "0.0.0.0:8080"),
        ("http", ":8080"),
        ("http", "example.com:8080"),
        ("forward", "[::]:24224"),
        ("gelf_udp", "192.168.1.1:12201"),
        ("gelf_tcp", "10.0.0.1:12201"),
    ],
)
def test_beyond_loopback_needs_insecure(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="add --insecure") as caught:
        load_settings(**{name: value})
    assert str(caught.value).startswith(flag(name))
    assert load_settings(**{name: value}, insecure=True)


def test_localhost_and_unix_need_nothing() -> None:
    settings = load_settings(http="localhost:0", forward=["[::1]:0", "unix:///run/x.sock"])
    assert settings.http.port == 0
    assert settings.forward[1].path == "/run/x.sock"


def test_passwords_are_not_shown() -> None:
    settings = load_settings(
        store="https://elastic:hunter2@example.com:9200/", elasticsearch_api_key="c2VjcmV0"
    )
    assert settings.store == "https://elastic:hunter2@example.com:9200"
    assert settings.store_name == "https://example.com:9200"
    assert load_settings(store="http://a,b:1").store_name == "http://a:9200,http://b:1"
    assert "hunter2" not in repr(settings)
    assert "c2VjcmV0" not in repr(settings)
    assert settings.elasticsearch_api_key is not None
    assert settings.elasticsearch_api_key.get_secret_value() == "c2VjcmV0"


def test_the_floor_is_small_on_a_small_disk() -> None:
    assert load_settings().floor(4 * 10**9) == 200_000_000
    assert load_settings().floor(10**12) == 10**9
    assert load_settings(disk_floor="3GB").floor(4 * 10**9) == 3 * 10**9


def test_misspelt_variables_are_found() -> None:
    environment = {"LOGDOCK_HTPP": "1", "LOGDOCK_HTTP": "1", "LOGDOCK_SERVER": "1", "PATH": "1"}
    assert unknown_variables(environment) == ["LOGDOCK_HTPP"]
