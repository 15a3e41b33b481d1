"""Documentation of shared parameters and attributes, which is written in the base class alone."""

import json
import re
from dataclasses import fields
from inspect import cleandoc

PARAMETERS = "Parameters\n----------\n"
ATTRIBUTES = "Attributes\n----------\n"
SEE_ALSO = "See Also\n--------\n"


def with_shared_documentation(cls):
    """Insert parameters and attributes of the base class into a subclass's docstring."""
    if cls.__doc__ is None:  # python -OO
        return cls
    summary, own, own_learned, rest = _parts(cls.__doc__)
    _, shared, learned, _ = _parts(cls.__base__.__doc__)
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
    cls.__doc__ = (
        f"{summary}{PARAMETERS}{own}{shared}{ATTRIBUTES}{own_learned}{learned}{SEE_ALSO}{rest}"
    )
    return cls


def _parts(doc):
    """Split a docstring into summary, parameters, attributes, and all from See Also on."""
    doc, _, rest = f"{cleandoc(doc)}\n".partition(SEE_ALSO)
    summary, _, doc = doc.partition(PARAMETERS)
    parameters, _, attributes = doc.partition(ATTRIBUTES)
    return summary, *(f"{part.rstrip()}\n\n".lstrip() for part in (parameters, attributes)), rest
