"""A file that somebody names, which has to be there."""

from pathlib import Path


def there(name: str, remedy: str) -> Path:
    """Where the file of that name is. Raises ValueError with the remedy for a folder, and where nothing is."""
    path = Path(name).expanduser()
    if not path.is_file():
        raise ValueError(f"{name!r} is a folder and no file: {remedy}" if path.is_dir()
                         else f"there is no file {name!r}: {remedy}")
    return path
