"""What the doctor shows of the settings."""

import pytest

from litevault.doctor.settings import without_password


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://user:pa:ss@w@host:5432/name", "postgresql://user:***@host:5432/name"),
        ("postgresql://user@host/name?password=secret&x=1", "postgresql://user@host/name?password=***&x=1"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("", ""),
    ],
)
def test_passwords_in_addresses_are_blanked(address: str, shown: str) -> None:
    assert without_password(address) == shown
