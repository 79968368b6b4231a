"""`make release`, in a repository of its own whose Makefile writes down what is called."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

SCRIPT = Path(settings.BASE_DIR) / ".ci" / "release"
MAKEFILE = """\
check:
\t@echo check >> ../calls; test ! -e ../broken
dist:
\t@echo dist >> ../calls
"""
HEADING = "## 1.2.3 - 2026-01-31\n"
GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clean tree that may be released."""
    folder = tmp_path / "repository"
    for name, text in {
        "Makefile": MAKEFILE,
        "CHANGELOG.md": f"# Changelog\n\n{HEADING}",
        "litevault/__init__.py": '"""LiteVault."""\n\n__version__ = "1.2.3"\n',
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".ci").mkdir()
    shutil.copy(SCRIPT, folder / ".ci")
    git(folder, "init", "--quiet", "--initial-branch=main")
    for setting, value in (("user.name", "A"), ("user.email", "a@example.com"), ("tag.gpgsign", "false")):
        git(folder, "config", setting, value)
    commit(folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run([*GIT, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Change")


def release(folder: Path, tested: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [".ci/release"],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TESTED": tested},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def calls(folder: Path) -> list[str]:
    path = folder.parent / "calls"
    return path.read_text().split() if path.exists() else []


def test_release_checks_builds_and_makes_the_tag(repository: Path) -> None:
    released = release(repository)

    assert released.returncode == 0, released.stderr
    assert calls(repository) == ["check", "dist"]
    assert git(repository, "describe", "--exact-match") == "v1.2.3"
    assert "git push origin main v1.2.3" in released.stdout


def test_checks_that_passed_elsewhere_are_not_repeated(repository: Path) -> None:
    released = release(repository, tested=git(repository, "rev-parse", "--short", "HEAD"))

    assert released.returncode == 0, released.stderr
    assert calls(repository) == ["dist"]


def change_a_file(folder: Path) -> None:
    (folder / "Makefile").write_text(f"{MAKEFILE}\n")


def add_a_file(folder: Path) -> None:
    (folder / "new").touch()


def switch_branch(folder: Path) -> None:
    git(folder, "switch", "--quiet", "--create", "other")


def leave_the_commit_of_main(folder: Path) -> None:
    git(folder, "switch", "--quiet", "--detach")


def forget_the_heading(folder: Path) -> None:
    (folder / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n## 1.2.30 - 2026-01-31\n\n## 1.203 - 2026-01-31\n"
    )
    commit(folder)


def release_before(folder: Path) -> None:
    git(folder, "tag", "v1.2.3")


def break_the_checks(folder: Path) -> None:
    (folder.parent / "broken").touch()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (change_a_file, "this tree has changes that are not committed"),
        (add_a_file, "this tree has changes that are not committed"),
        (switch_branch, "releases are made from the branch main"),
        (leave_the_commit_of_main, "releases are made from the branch main"),
        (forget_the_heading, "CHANGELOG.md has no section ## 1.2.3 - "),
        (release_before, "the tag v1.2.3 exists"),
        (break_the_checks, "check"),
    ],
)
def test_release_is_refused(repository: Path, change: object, sentence: str) -> None:
    assert callable(change)
    change(repository)
    tags = git(repository, "tag")

    refused = release(repository)

    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert "dist" not in calls(repository)
    assert git(repository, "tag") == tags


@pytest.mark.parametrize("tested", ["HEAD~1", "yes"])
def test_other_commit_does_not_count_as_tested(repository: Path, tested: str) -> None:
    add_a_file(repository)
    commit(repository)

    refused = release(repository, tested)

    assert "TESTED names another commit" in refused.stderr
    assert calls(repository) == []
    assert git(repository, "tag") == ""
