"""Imports what a user names on the command line: a Python file, or an importable module."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

__all__ = ("import_file", "import_from", "told")


def import_from(where: str) -> ModuleType:
    """The module of a name, or of the path of a `.py` file; whatever importing it raises."""
    path = Path(where)
    return import_file(path) if path.suffix == ".py" else importlib.import_module(where)


def import_file(path: Path) -> ModuleType:
    """Import a file under a name that no other module has; its folder can be imported from."""
    name = f"tcrypt_from_{path.stem}"
    while name in sys.modules:
        name += "_"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError("no such file")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def told(error: BaseException) -> str:
    """An exception with the place in the user's code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    # The first is who asked; frames of the import itself say nothing.
    own = [f for f in frames[1:] if "importlib" not in f.filename and f.filename != __file__]
    place = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{place}"
