"""The failure to listen on a port, for every process that does."""


class PortInUseError(Exception):
    """The address can't be listened on."""
