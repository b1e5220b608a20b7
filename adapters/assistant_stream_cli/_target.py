"""What a command line calls a graph, `module:graph` or `path/agent.py:graph`, as text alone."""

from __future__ import annotations

from pathlib import Path

__all__ = ("dotted_name", "folder_of", "is_file_name", "split_target")


def folder_of(target: str) -> Path:
    """Return the folder that holds the sources of `target`, without importing it.

    A package is watched whole. For an installed module, or one that is not there, it is the
    current folder.
    """
    place, _ = split_target(target)
    if not is_file_name(place):
        first = Path.cwd() / place.partition(".")[0]
        return first if first.is_dir() else Path.cwd()
    path = Path(place).resolve()
    root, name = dotted_name(path)
    return root / name.partition(".")[0] if "." in name else path.parent


def split_target(target: str) -> tuple[str, str | None]:
    """Return the file or module, and the name in it if there is one."""
    place, colon, name = target.rpartition(":")
    # `C:\agent.py` has a colon too, but what follows it is no name.
    if colon and (not name or name.isidentifier()):
        return place, name or None
    return target, None


def is_file_name(place: str) -> bool:
    """Whether it is a file, not a module."""
    return place.endswith(".py") or "/" in place or "\\" in place


def dotted_name(path: Path) -> tuple[Path, str]:
    """The folder to import from and the module's name: a file in a package is imported as part
    of it, so that its relative imports work."""
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)
