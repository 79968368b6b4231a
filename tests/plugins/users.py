"""Two users stand in every test: the owner, and a stranger who must see nothing."""

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User


class QuickHasher(PBKDF2PasswordHasher):
    """Its hashes can be checked by a web server that was started as a process, too."""

    iterations = 1


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger")
