"""The lock files install with any pip, today and when newer versions of what they name are out.

pip before 24 treats `name[extra]` as a requirement of its own. A lock that pins `name` without the extra installs only
while the pinned version is the newest one.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.plugins.tiers import first_usual

ROOT = Path(settings.BASE_DIR)
LOCKS = (
    "base",
    "otel",
    "sentry",
    "dev",
    "mutation",
    "bench",
    "build",
    "audit",
    "kubernetes",
    "docs",
    "client",
    "verify",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def locked(text: str) -> dict[str, Requirement]:
    """Return the requirements that apply here, by name."""
    found = [Requirement(line.removesuffix("\\").strip()) for line in text.splitlines() if re.match(r"\w", line)]
    return {canonicalize_name(one.name): one for one in found if one.marker is None or one.marker.evaluate()}


def asked_for_by_project(lock: str) -> Iterator[Requirement]:
    if lock not in {"build", "audit", "kubernetes", "docs", "client", "verify"}:
        yield from map(Requirement, PROJECT["project"]["dependencies"])
    group = PROJECT["dependency-groups"].get(lock, []) + PROJECT["project"]["optional-dependencies"].get(lock, [])
    yield from (Requirement(one) for one in group if isinstance(one, str))


def asked_for_by_packages(requirements: dict[str, Requirement]) -> Iterator[Requirement]:
    """Yield the requirements of the locked packages that are installed here."""
    for requirement in requirements.values():
        try:
            wanted = metadata.requires(requirement.name) or []
        except metadata.PackageNotFoundError:
            continue
        for one in map(Requirement, wanted):
            extras = requirement.extras | {""}
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
                yield one


def missing_extras(lock: str, text: str) -> set[str]:
    """Return every required `name[extra]` that is not locked."""
    requirements = locked(text)
    wanted = [*asked_for_by_project(lock), *asked_for_by_packages(requirements)]
    return {
        f"{one.name}[{extra}]"
        for one in wanted
        if (found := requirements.get(canonicalize_name(one.name)))
        for extra in one.extras - found.extras
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_each_extra_that_is_asked_for(lock: str) -> None:
    assert missing_extras(lock, lock_text(lock)) == set()


@pytest.mark.parametrize("lock", first_usual("base", "dev", "bench"))
def test_lock_without_one_of_its_extras_is_refused(lock: str) -> None:
    text = lock_text(lock)
    extras = {(one.name, extra) for one in locked(text).values() for extra in one.extras}
    assert extras

    for name, extra in extras:
        left = ", ".join(sorted(locked(text)[canonicalize_name(name)].extras - {extra}))
        rest = f"{name}[{left}]" if left else name
        stripped = re.sub(rf"^{re.escape(name)}\[[^]]*\]", rest, text, flags=re.MULTILINE)
        assert f"{name}[{extra}]" in missing_extras(lock, stripped)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_one_version_with_hashes(lock: str) -> None:
    requirements = re.split(r"\n(?=\w)", lock_text(lock).strip())

    for requirement in requirements:
        line, *hashes = requirement.replace("\\", "").splitlines()
        assert re.fullmatch(r"[\w.-]+(\[[\w, -]+\])?==[\w.]+( ; .*)?", line.strip())
        assert hashes
        assert all(re.fullmatch(r"\s+--hash=sha256:[0-9a-f]{64}\s*", one) for one in hashes)


def test_packages_of_a_lock_are_all_installed() -> None:
    absent = [name for name in locked(lock_text("dev")) if not list(metadata.distributions(name=name))]

    assert absent == []


@pytest.mark.parametrize("lock", ["otel", "sentry", "dev", "bench"])
def test_larger_set_has_the_versions_of_the_smaller(lock: str) -> None:
    base, larger = locked(lock_text("base")), locked(lock_text(lock))

    assert {name: one.specifier for name, one in base.items()} == {name: larger[name].specifier for name in base}
