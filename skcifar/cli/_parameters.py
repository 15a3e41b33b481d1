"""Options that are parameters of networks, as the classes of these declare and document them."""

import argparse
import re
from dataclasses import fields
from numbers import Integral

from ._arguments import sizes

# They have options of their own, or none that could be typed.
LEFT_OUT = frozenset(
    {"callbacks", "checkpoint", "random_state", "schedule_moves", "verbose", "warm_start"}
)
SHORT_FORMS = {"max_minutes": ["--minutes"]}


def add_network_parameters(parser):
    """Add the network, and an option for each of its parameters; what is not typed is left to it.

    Importing the networks is slow, so this is done when the options are needed.
    """
    from ..classifiers import CLASSIFIERS

    group = parser.add_argument_group("network and its parameters")
    summaries = [f"{name}: {_first_sentence(cls.__doc__)}" for name, cls in CLASSIFIERS.items()]
    group.add_argument(
        "--network",
        choices=tuple(CLASSIFIERS),
        default="dense",
        help=f"{'; '.join(summaries)} (default: %(default)s)",
    )
    owners = {}
    for network, cls in CLASSIFIERS.items():
        for field in fields(cls):
            if field.name not in LEFT_OUT:
                owners.setdefault(field.name, {})[network] = cls
    for name, classes in owners.items():
        first, *_ = classes.values()
        group.add_argument(
            f"--{name.replace('_', '-')}",
            *SHORT_FORMS.get(name, ()),
            help=f"{_summary(first, name)} ({_defaults(name, classes)})".replace("%", "%%"),
            **_kind(first._parameter_constraints[name]),
        )


def typed_parameters(arguments):
    """Return the parameters of the network that were typed."""
    from ..classifiers import CLASSIFIERS

    names = {f.name for cls in CLASSIFIERS.values() for f in fields(cls)} - LEFT_OUT
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


def _kind(constraints):
    """Return how argparse reads what such constraints allow."""
    typed = [c for c in constraints if c is not None and not isinstance(c, type)]
    constraint, *others = sorted(typed, key=lambda c: hasattr(c, "options"))
    if constraint == "boolean" and others:
        return _yes_no_or(*others[0].options)
    if constraint == "boolean":
        return {"action": argparse.BooleanOptionalAction}
    if constraint == "array-like":
        return {"type": sizes, "metavar": "N,N"}
    if hasattr(constraint, "options"):
        type_ = int if constraint.type is Integral else str
        return {"choices": sorted(constraint.options), "type": type_}
    is_integer = constraint.type is Integral
    words = [word for other in others if hasattr(other, "options") for word in other.options]
    return {
        "type": _number_in(constraint, words),
        "metavar": "|".join(["N" if is_integer else "R", *words]),
    }


def _yes_no_or(*words):
    values = {"yes": True, "no": False} | dict(zip(words, words, strict=True))

    def parse(text):
        if text not in values:
            raise argparse.ArgumentTypeError(f"must be {', '.join(values)}, got {text!r}")
        return values[text]

    return {"type": parse, "metavar": "|".join(values)}


def _number_in(interval, words):
    def parse(text):
        if text in words:
            return text
        is_integer = interval.type is Integral or text.isdecimal()
        try:
            value = int(text) if is_integer else float(text)
        except ValueError:
            value = None
        if not interval.is_satisfied_by(value):
            allowed = " or ".join(map(str, (interval, *words)))
            raise argparse.ArgumentTypeError(f"must be {allowed}, got {text!r}")
        return value

    return parse


def _summary(cls, name):
    """Return the first sentence on a parameter in a class's docstring."""
    found = re.search(rf"(?m)^{name} : .*\n((?:    .*\n)+)", cls.__doc__ or "")
    return _first_sentence(found[1] if found else "")


def _first_sentence(text):
    sentence = re.split(r"(?<=[^.\d])\. ", " ".join((text or "").split()))[0].rstrip(".")
    return re.sub(r":\w+:|`", "", sentence[:1].lower() + sentence[1:])


def _defaults(name, classes):
    """Return what a parameter is where it is not typed; the first network speaks for the others."""
    texts = {network: _text(_default(cls, name)) for network, cls in classes.items()}
    (network, common), *others = texts.items()
    only = "" if network == "dense" else f"{'/'.join(classes)} only, "
    return f"{only}default: " + "; ".join(
        [common, *(f"{network}: {text}" for network, text in others if text != common)]
    )


def _default(cls, name):
    """Return a parameter's default, or what it stands for if that is "auto"."""
    default = getattr(cls, name)
    return cls._auto.get(name, default) if default == "auto" else default


def _text(value):
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value}"
