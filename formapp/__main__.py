"""`python -m formapp`."""

from formapp.cli import main

main()
