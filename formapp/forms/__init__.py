"""Forms: their definitions, validation, the stateless token, and from answers to a lead.

This room knows a form file, HTML controls and what a visitor may type. It knows nothing of the
database, of HTTP or of Wix: what leaves it are kept answers and a `formapp.lead.Lead`.
"""

from formapp.forms.answers import Reading, read
from formapp.forms.controls import Control
from formapp.forms.definition import FormDefinition
from formapp.forms.faults import Fault, FormFaults
from formapp.forms.fields import FieldDefinition
from formapp.forms.form import Form, compile_form
from formapp.forms.lead_form import FieldFault, LeadForm
from formapp.forms.leads import to_lead
from formapp.forms.loader import check_forms, load_forms
from formapp.forms.parse import parse_form
from formapp.forms.token import (
    Token,
    TokenContext,
    TokenExpired,
    TokenInvalid,
    TokenSigner,
)

__all__ = [
    "Control",
    "Fault",
    "FieldDefinition",
    "FieldFault",
    "Form",
    "FormDefinition",
    "FormFaults",
    "LeadForm",
    "Reading",
    "Token",
    "TokenContext",
    "TokenExpired",
    "TokenInvalid",
    "TokenSigner",
    "check_forms",
    "compile_form",
    "load_forms",
    "parse_form",
    "read",
    "to_lead",
]
