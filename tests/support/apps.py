"""Apps by the thousand: what libraries would make anew for each is made once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

if TYPE_CHECKING:
    from types import CodeType

Builder = Callable[..., tuple[str, str]]


class _CodeOfTemplates(BytecodeCache):
    """The code of a template in memory, for all apps."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._codes[bucket.key, bucket.checksum] = bucket.code


def build_apps_quickly() -> None:
    """Let all apps of this process share the code of their templates and of their rules for URLs.

    Half the time of a test that opens a site would go into compiling these.
    """
    Flask.jinja_options["bytecode_cache"] = _CodeOfTemplates()
    builders: dict[Any, Builder] = {}
    compile_builder = Rule._compile_builder

    def compile_once(rule: Rule, *arguments: bool) -> Builder:
        defaults = tuple((rule.defaults or {}).items())
        key = (rule.rule, tuple(rule._trace), defaults, arguments)
        if key not in builders:
            builders[key] = compile_builder(rule, *arguments)
        return builders[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign,assignment]
