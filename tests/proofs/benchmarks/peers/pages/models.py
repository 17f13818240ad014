"""The Wagtail peer's form page, as Wagtail's own guide has it."""

from django.db import models
from modelcluster.fields import ParentalKey
from wagtail.contrib.forms.models import AbstractForm, AbstractFormField


class FormPage(AbstractForm):
    """A page with a form that an editor put together; submissions are kept by Wagtail."""

    template = "form.html"
    landing_page_template = "landing.html"


class FormField(AbstractFormField):
    """One field of it."""

    page = ParentalKey(FormPage, on_delete=models.CASCADE, related_name="form_fields")
