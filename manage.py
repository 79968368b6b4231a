#!/usr/bin/env python
"""The program `litevault` of a checkout."""

import sys

try:
    from litevault.program import main
except ImportError:
    sys.exit("Django is not installed for this Python. Run: make setup, and then: .venv/bin/python manage.py …")

if __name__ == "__main__":
    main()
