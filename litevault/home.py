"""The folder of `.env`, `var/` and `staticfiles/`: the checkout, or the current folder for an installed package."""

from pathlib import Path

CODE = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (CODE / "manage.py").is_file()
HOME = CODE if IS_CHECKOUT else Path.cwd()
VAR = HOME / "var"
POSTGRES = VAR / "postgres"
