"""A local stand-in for the Wix Contacts API V4.

It is written from the contract alone and shares no code with the client, so that a mistake cannot
pass on both sides. `CONTRACT.md` in comments means `formapp/wix/CONTRACT.md`.

`api/` holds the operations, `control/` faults, settings and state under `/_sandbox`, `pages/` what
people see in a browser, `webhooks/` the events that it sends. All of them share the modules beside
this one.
"""

from formapp.sandbox.app import create_sandbox
from formapp.sandbox.options import SandboxOptions, SettingError, Settings, WebhookSettings
from formapp.sandbox.server import SandboxServer
from formapp.sandbox.state import StateFileError

__all__ = [
    "SandboxOptions",
    "SandboxServer",
    "SettingError",
    "Settings",
    "StateFileError",
    "WebhookSettings",
    "create_sandbox",
]
