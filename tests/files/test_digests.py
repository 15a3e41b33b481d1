"""Texts that distinguish values, and functions and classes by their code."""

import types
from functools import partial

import keras
import numpy as np
import pytest

from skcifar.files._digests import digest

SOURCES = {
    "a function": ("def f(x): return x + {}", "f"),
    "a lambda": ("f = lambda x: x + {}", "f"),
    "a default": ("def f(x={}): return x", "f"),
    "a function that another calls": ("def g(x): return x + {}\ndef f(x): return g(x)", "f"),
    "a number that a function uses": ("n = {}\ndef f(x): return x + n", "f"),
    "a list that a function uses": ("n = [{}]\ndef f(x): return n", "f"),
    "a method": ("class F:\n    def f(self): return {}", "F"),
    "a property": ("class F:\n    @property\n    def f(self): return {}", "F"),
    "a static method": ("class F:\n    @staticmethod\n    def f(): return {}", "F"),
    "a constant of a class": ("class F:\n    LAYERS = ({}, 2)", "F"),
    "a base": ("class B:\n    def f(self): return {}\nclass F(B): pass", "F"),
}


def run(source):
    module = types.ModuleType("own")
    exec(source, vars(module))
    return vars(module)


@pytest.mark.parametrize(("source", "name"), SOURCES.values(), ids=SOURCES)
def test_code_is_distinguished(source, name):
    one, same, other = (run(source.format(n))[name] for n in (1, 1, 3))
    assert digest(one) == digest(same) != digest(other)


def test_code_of_another_module_is_distinguished():
    def using(n):
        net = types.ModuleType("net")
        exec(f"def width(): return {n}", vars(net))
        f = run("def f(): return net.width()")
        f["net"] = net
        return f["f"]

    assert digest(using(1)) == digest(using(1)) != digest(using(2))


def test_functions_of_libraries_are_distinguished_by_name():
    assert digest(np.mean) != digest(np.median)
    assert digest(partial(np.mean, axis=0)) != digest(partial(np.mean, axis=1))


def test_optimizers_are_distinguished_by_class_and_configuration_but_not_by_name():
    optimizer = digest(keras.optimizers.Adam(0.1, name="first"))
    assert digest(keras.optimizers.Adam(0.1, name="second")) == optimizer
    assert digest(keras.optimizers.Adam(0.2)) != optimizer
    assert digest(keras.optimizers.Nadam(0.1)) != optimizer
