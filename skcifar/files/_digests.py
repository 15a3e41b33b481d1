"""Texts that distinguish values: parameters and data of one computation from those of another.

Functions and classes of one's own are distinguished by their code, so that another body under the
same name is noticed, and those of libraries by their names.
"""

import sys
import sysconfig
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

import joblib
import numpy as np

LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
SIMPLE = bool | int | float | complex | str | bytes | None
CONSTANT = SIMPLE | list | tuple | dict | np.ndarray
METHOD = FunctionType | staticmethod | classmethod | property


def digest(value, *, name="data"):
    """Return a text that is another for other values; arrays are equal in any order of memory."""
    try:
        return joblib.hash(_parts(value, set()), coerce_mmap=True)
    except Exception as error:  # pickling raises in many ways
        raise ValueError(
            f"{name} cannot be distinguished from others: a {type(value).__qualname__} cannot be"
            f" pickled ({' '.join(str(error).split())}). Give what can be, or leave out the"
            " journal or checkpoint."
        ) from error


def class_digest(cls):
    """Return a text that is another for other classes, and for other code of the same one."""
    return _name(cls) if _is_of_library(cls) else f"{_name(cls)} {digest(cls)}"


def _parts(value, seen):
    """Return a value with functions and classes in it taken apart, each of them once."""
    if isinstance(value, FunctionType | type):
        if value in seen or _is_of_library(value):
            return _name(value)
        seen.add(value)

    def all_of(values):
        return [_parts(one, seen) for one in values]

    match value:
        case np.ndarray():
            return value.ravel(), value.shape
        case list() | tuple():
            return type(value).__name__, all_of(value)
        case dict():
            return {key: _parts(one, seen) for key, one in value.items()}
        case partial():
            return all_of([value.func, value.args, value.keywords])
        case MethodType():
            return all_of([value.__func__, value.__self__])
        case FunctionType():
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            used = _used_globals(value.__code__.co_names, value.__globals__)
            return all_of([value.__code__, value.__defaults__, value.__kwdefaults__, cells, used])
        case CodeType():
            return value.co_code, value.co_names, all_of(value.co_consts)
        case type():
            return [_name(value), *all_of(value.__bases__), *all_of(_members(value))]
        case staticmethod() | classmethod():
            return _parts(value.__func__, seen)
        case property():
            return _parts(value.fget, seen)
        case ModuleType() | BuiltinFunctionType():
            return value.__name__
        case _ if hasattr(value, "get_config"):  # Keras' objects, whose names count them up
            config = {key: v for key, v in value.get_config().items() if key != "name"}
            return all_of([type(value), config])
        case _ if isinstance(value, SIMPLE) or _is_of_library(type(value)):
            return value
        case _:  # an object of a class of one's own
            return joblib.hash(value), _parts(type(value), seen)


def _members(cls):
    """Return what a class computes: its methods and constants, less what Python adds."""
    return [
        (name, member)
        for name, member in vars(cls).items()
        if isinstance(member, METHOD) or (isinstance(member, CONSTANT) and name[:2] != "__")
    ]


def _used_globals(names, known):
    """Return the values of one's own that code refers to by these names, in modules too."""
    used = [known[name] for name in names if name in known]
    modules = [m for m in used if isinstance(m, ModuleType) and not _is_in_library(m)]
    used += [vars(module)[name] for module in modules for name in names if name in vars(module)]
    return [value for value in used if isinstance(value, FunctionType | type | partial | CONSTANT)]


def _is_of_library(function_or_class):
    return _is_in_library(sys.modules.get(function_or_class.__module__))


def _is_in_library(module):
    name = getattr(module, "__name__", "")
    path = getattr(module, "__file__", None) or ""
    return name.split(".")[0] in {"builtins", "skcifar"} or path.startswith(LIBRARIES)


def _name(function_or_class):
    return f"{function_or_class.__module__}.{function_or_class.__qualname__}"
