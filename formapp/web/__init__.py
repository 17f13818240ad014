"""The web side: thin views over forms and submissions.

It never imports the Wix client or the delivery: a form survives an outage of Wix by construction.
"""
