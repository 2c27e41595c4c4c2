"""Values as they travel: JSON with exact numbers, money, phones and times.

Money is an int of sen inside the sandbox and never a float. Phones are kept in
the national form 08..., whatever form came in.
"""
import datetime
import json
import re
import time
from decimal import Decimal

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
PHONE = re.compile(r"(?:0|\+?62)(8[0-9]{7,13})")
VALUE = re.compile(r"[0-9]{1,13}\.[0-9]{2}")
TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+07:00")
# A string, kept, or white space between tokens, dropped.
MINIFY = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


class Number(str):
    """A number that is written to JSON exactly as its text stands."""


def parse(raw):
    """Bytes -> dict. ValueError for anything but one strict JSON object."""
    def pairs(items):
        found = dict(items)
        if len(found) != len(items):
            raise ValueError("a name stands twice")
        return found

    def constant(name):
        raise ValueError(name)

    try:
        value = json.loads(raw.decode("utf-8"), parse_float=Decimal,
            parse_constant=constant, object_pairs_hook=pairs)
    except RecursionError as deep:
        raise ValueError("too deep") from deep
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def dump(value):
    """A value of dict, list, str, int, bool, None and Number -> str."""
    kind = type(value)
    if kind is Number:
        return value
    if kind is dict:
        return "{" + ",".join(
            f"{json.dumps(k)}:{dump(v)}" for k, v in value.items()) + "}"
    if kind is list:
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


def minify(raw):
    """JSON bytes without the white space between tokens."""
    return MINIFY.sub(rb"\1", raw)


def phone_national(text):
    """Any accepted form of a phone -> 08..., None when it is no phone."""
    match = PHONE.fullmatch(text) if isinstance(text, str) else None
    return "0" + match.group(1) if match else None


def sen_text(sen):
    """Sen -> rupiah with two decimals, 1000050 -> '10000.50'."""
    return f"{sen // 100}.{sen % 100:02d}"


def number_sen(value):
    """A JSON number of rupiah -> sen; None when not exact or not a number."""
    if type(value) is int:
        return value * 100
    if type(value) is Decimal and value.is_finite():
        sen = value * 100
        return int(sen) if sen == sen.to_integral_value() else None
    return None


def value_sen(value):
    """SNAP's amount text '10000.00' -> sen, None when not of that form."""
    if isinstance(value, str) and VALUE.fullmatch(value):
        return int(value.replace(".", ""))
    return None


def utc_text(seconds=None):
    """RFC 3339 in UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ",
        time.gmtime(time.time() if seconds is None else seconds))


def jakarta_text(seconds=None):
    """SNAP's time stamp: ISO 8601 with +07:00."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+07:00",
        time.gmtime((time.time() if seconds is None else seconds) + 25200))


def jakarta_seconds(text):
    """SNAP's time stamp -> Unix seconds, None when it is not one."""
    if not isinstance(text, str) or not TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
