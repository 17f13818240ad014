"""A local stand-in for the Wix Contacts API V4.

It is written from the Wix Contacts contract alone and shares no code with the client, so that
a mistake cannot pass on both sides.
"""

from formapp.sandbox.app import create_sandbox
from formapp.sandbox.options import SandboxOptions, SettingError, Settings
from formapp.sandbox.persistence import StateFileError
from formapp.sandbox.server import SandboxServer

__all__ = [
    "SandboxOptions",
    "SandboxServer",
    "SettingError",
    "Settings",
    "StateFileError",
    "create_sandbox",
]
