"""Do the documents say what the code does?"""
import re

from onegate import ROOT


def test_the_table_of_errors_is_the_catalogue():
    catalogue = re.findall(r'^ERROR\(\w+, (\d+), "(\w+)", "([^"]*)"',
        (ROOT / "modules/domain/error.def").read_text(), re.M)
    table = re.findall(r"^\| (\d{3}) \| `(\w+)` \| (.*) \|$",
        (ROOT / "docs/API.md").read_text(), re.M)
    assert table == catalogue
