"""Names of static files, collected or not."""

from pathlib import Path

from litevault.web.static_files import StaticFilesStorage


def test_file_that_is_not_collected_keeps_its_name(tmp_path: Path) -> None:
    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")

    assert storage.url("items/pages.css") == "/static/items/pages.css"


def test_collected_file_has_a_name_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "staticfiles.json").write_text(
        '{"version": "1.1", "hash": "", "paths": {"items/pages.css": "items/pages.0123.css"}}'
    )

    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")

    assert storage.url("items/pages.css") == "/static/items/pages.0123.css"
