"""formapp: an embeddable external form backend for Wix."""

__version__ = "0.1.0"
