"""The manual: one Markdown file for each topic, shown by the demo and by `formapp manual`."""

from pathlib import Path

FOLDER = Path(__file__).parent

ORDER = (
    "forms",
    "embedding",
    "wix",
    "settings",
    "production",
    "inbox",
    "files",
    "notifications",
    "spam",
    "double-opt-in",
    "privacy",
    "delivery",
    "crm",
    "crm-systems",
    "sandbox",
    "troubleshooting",
    "performance",
    "contributing",
)
"""How a newcomer reads; a topic that isn't listed comes last."""


def topics() -> dict[str, str]:
    """Each topic's title by its name, in the order of reading."""
    names = {path.stem for path in FOLDER.glob("*.md")}
    ordered = [name for name in ORDER if name in names]
    return {name: _title(name) for name in [*ordered, *sorted(names - set(ordered))]}


def read(topic: str) -> str:
    """The topic's Markdown; KeyError: there is none of that name."""
    if topic not in topics():
        raise KeyError(topic)
    return (FOLDER / f"{topic}.md").read_text("utf-8")


def _title(name: str) -> str:
    with (FOLDER / f"{name}.md").open(encoding="utf-8") as file:
        return file.readline().removeprefix("# ").strip()
