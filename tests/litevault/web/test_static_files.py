"""Names of static files, collected or not."""

from pathlib import Path

from litevault.web.static_files import StaticFilesStorage

PROJECT = Path(__file__).parents[3]
SCRIPTS = ("items/static", "litevault/web/static")


def test_file_that_is_not_collected_keeps_its_name(tmp_path: Path) -> None:
    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")

    assert storage.url("items/pages.css") == "/static/items/pages.css"


def test_collected_file_has_a_name_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "staticfiles.json").write_text(
        '{"version": "1.1", "hash": "", "paths": {"items/pages.css": "items/pages.0123.css"}}'
    )

    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")

    assert storage.url("items/pages.css") == "/static/items/pages.0123.css"


def test_every_fetch_of_a_script_can_be_ended() -> None:
    scripts = [path for app in SCRIPTS for path in (PROJECT / app).rglob("*.js")]

    calls = [line for path in scripts for line in path.read_text().splitlines() if "fetch(" in line]

    assert len(calls) == 5
    assert [call for call in calls if "signal" not in call] == []
