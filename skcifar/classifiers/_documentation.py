"""Documentation of shared parameters and attributes, which is written in the base class alone."""

import json
import re
from dataclasses import fields
from inspect import cleandoc


def with_shared_documentation(cls):
    """Insert parameters and attributes of the base class into a subclass's docstring."""
    if cls.__doc__ is None:  # python -OO
        return cls
    shared = cleandoc(cls.__base__.__doc__).partition("Parameters\n----------\n")[2]
    for field in fields(cls.__base__):
        if (default := getattr(cls, field.name)) != field.default:
            # strings in double quotes
            default = json.dumps(default) if isinstance(default, str) else repr(default)
            shared = re.sub(rf"(?m)^({field.name} : .*default=).*$", rf"\g<1>{default}", shared)
    shared = shared.replace(f"{cls.__base__._learning_rates}", f"{cls._learning_rates}")
    for name, value in cls._auto.items():
        of_base = cls.__base__._auto.get(name)
        pattern = rf'(?ms)(^{name} : .*?"auto"\s+is\s+){of_base}\b'
        shared = re.sub(pattern, rf"\g<1>{value}", shared, count=1)
    own, heading, rest = cleandoc(cls.__doc__).partition("See Also\n--------\n")
    own, _, attributes = own.partition("Attributes\n----------\n")
    parts = (own, shared, attributes, f"{heading}{rest}")
    cls.__doc__ = "\n\n".join(part.rstrip() for part in parts if part)
    return cls
