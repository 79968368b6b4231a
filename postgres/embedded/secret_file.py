"""Files with a secret."""

import os
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Write the file atomically, readable by its owner only.

    Fails if a link or a file of another account takes the place of the unfinished file.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(unfinished, flags, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
