"""Spam: signals that make a post suspicious, and challenges that are hard for programs.

No reason repeats an answer.
"""
