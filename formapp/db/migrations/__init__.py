"""Alembic's folder: carried in the package, so that an installed formapp can upgrade."""
