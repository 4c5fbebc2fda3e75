"""Environment variables as settings want them: a value that can't be meant ends the start and says which it was."""

import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_FALSE = ("false", "off", "n", "no", "0", "")
_RATE = re.compile(r"\d+/[smhd]")


class Environment(environ.Env):
    """`environ.Env` with its traps closed.

    There, `X=True # note` is False, a value that starts with `$` is another variable's, list entries keep their
    spaces, and a wrong number is a ValueError that names no variable.

    A variable may be given by file: `X_FILE=/run/secrets/x` is `X` with the text of that file. What is in a file is not
    in the environment, which every child process and many a crash report shows.
    """

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False):
        text = self.ENVIRON.get(var)
        if path := self.ENVIRON.get(f"{var}_FILE"):
            if text:
                raise ImproperlyConfigured(f"{var} and {var}_FILE are both set: keep one of them")
            return self._convert(var, _read_secret(f"{var}_FILE", path), cast)
        if text is not None and text.startswith("$"):
            return self.parse_value(text, cast)
        if cast is bool and text is not None and text.strip().lower() not in (*self.BOOLEAN_TRUE_STRINGS, *_FALSE):
            raise ImproperlyConfigured(f"{var} is {text!r}: say true or false")
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is {text!r}: {error}") from error

    def _convert(self, var: str, text: str, cast: Any) -> Any:
        try:
            return self.parse_value(text, cast)
        except ValueError:
            # The error quotes the value, and this one is a secret.
            raise ImproperlyConfigured(f"the file of {var}_FILE holds no value that {var} can have") from None

    def texts(self, var: str, *, default: list[str]) -> list[str]:
        """Comma-separated texts, without the spaces around them."""
        return [stripped for text in self.list(var, default=default) if (stripped := text.strip())]

    def address(self, var: str, *schemes: str, default: str) -> str:
        """An address that begins with one of `schemes`; a wrong one is not quoted, it may hold a password."""
        address = self.str(var, default=default)
        if address.partition("://")[0] not in schemes:
            raise ImproperlyConfigured(f"{var} must begin with {'://, '.join(schemes)}://")
        return address

    def mapping(self, var: str, *, default: dict) -> dict:
        """A JSON object."""
        mapping = self.json(var, default=default)
        if not isinstance(mapping, dict):
            raise ImproperlyConfigured(f"{var} must be a JSON object")
        return mapping

    def positive(self, var: str, *, default: int) -> int:
        """A whole number of at least one."""
        number = self.int(var, default=default)
        if number < 1:
            raise ImproperlyConfigured(f"{var} is {number}: it must be at least 1")
        return number

    def one_of(self, var: str, default: str, *others: str) -> str:
        """One of a few words."""
        word = self.str(var, default=default)
        if word not in (default, *others):
            raise ImproperlyConfigured(f"{var} is {word!r}: use one of {default}, {', '.join(others)}")
        return word

    def port(self, var: str, *, default: int) -> int:
        """The number of a port; 0 is none."""
        number = self.int(var, default=default)
        if not 0 <= number < 65_536:
            raise ImproperlyConfigured(f"{var} is {number}: it must be a port, or 0 for none")
        return number

    def levels(self, var: str, *others: str) -> dict[str, str]:
        """Logger -> level, of text such as `life=WARNING,daphne=DEBUG`."""
        levels = dict(text.partition("=")[::2] for text in self.texts(var, default=[]))
        if wrong := {name: level for name, level in levels.items() if not name or level not in others}:
            raise ImproperlyConfigured(f"{var} holds {wrong}: use logger=LEVEL, with one of {', '.join(others)}")
        return levels

    def rate(self, var: str, *, default: str) -> str:
        """Requests per second, minute, hour or day, such as 60/m."""
        rate = self.str(var, default=default)
        if not _RATE.fullmatch(rate):
            raise ImproperlyConfigured(f"{var} is {rate!r}: use a number per s, m, h or d, such as 60/m")
        return rate


def _read_secret(var: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{var} is {path!r}, which can't be read: {error}") from error
