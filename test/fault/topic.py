"""What stands on a Kafka topic, by the program that topic.c makes."""
import json
import os
import pathlib
import subprocess

from onegate import ROOT

BUILD = pathlib.Path(os.environ.get("ONEGATE_BUILD", ROOT / "build"))
READ_SECONDS = 120


def events(stack, topic, keys):
    """The topic's messages with one of these keys, a partition's in order:
    dicts of partition, offset, key, headers, value."""
    keys = {str(key) for key in keys}
    found = []
    with subprocess.Popen([BUILD / "test" / "fault" / "topic",
            stack.status["kafka"]["address"], topic],
            stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            event = json.loads(line)
            if event["key"] in keys:
                found.append(event)
        assert program.wait(READ_SECONDS) == 0
    return found


def write(stack, topic, key, lines):
    """Puts each line on the topic as a message of KEY, as nobody of us would."""
    subprocess.run([BUILD / "test" / "fault" / "topic_write",
        stack.status["kafka"]["address"], topic, key], check=True, text=True,
        input="".join(line + "\n" for line in lines))
