"""The Django peer's lead: the six fields of the bundled contact form."""

from django.db import models


class Lead(models.Model):  # noqa: DJ008 - nobody reads it
    """One lead as it is kept."""

    name = models.CharField(max_length=200)
    email = models.EmailField()
    phone = models.CharField(max_length=50, blank=True)
    company = models.CharField(max_length=200, blank=True)
    message = models.TextField(max_length=1000)
    privacy = models.BooleanField()
    received_at = models.DateTimeField(auto_now_add=True)
