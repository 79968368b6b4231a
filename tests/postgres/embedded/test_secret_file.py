"""Files with a secret: whole or absent, and readable by their owner only."""

from pathlib import Path

import pytest

from postgres.embedded.secret_file import write_secret


def test_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old")
    file.chmod(0o644)

    write_secret(file, "new")

    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_left_over_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "password.unfinished").write_text("")

    write_secret(tmp_path / "password", "new")

    assert (tmp_path / "password").read_text() == "new"


def test_secret_is_not_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, target = tmp_path / "password", tmp_path / "target"
    delete = Path.unlink

    def put_a_link_there(path: Path, *, missing_ok: bool = False) -> None:
        delete(path, missing_ok=missing_ok)
        path.symlink_to(target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", put_a_link_there)
        with pytest.raises(FileExistsError):
            write_secret(file, "new")

    assert not target.exists()
    assert not file.exists()
