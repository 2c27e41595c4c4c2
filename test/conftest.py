"""Fixtures of every suite that needs the running stack (test/lib).

Suites that need nothing of it (test/sandbox) use none of these. A stack that
is not up is a failure, not a skip: a test that did not run proved nothing.
"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

import onegate  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    if not onegate.Stack.is_up():
        pytest.fail("the stack is not up: run ./onegate up first",
            pytrace=False)
    return onegate.Stack()


@pytest.fixture
def sandbox(stack):
    """The provider sandbox; faults a test sets are cleared after it."""
    yield stack.sandbox
    stack.sandbox.faults_clear()


@pytest.fixture(scope="session")
def alice(stack):
    """Somebody signed in, with money, for tests that only read."""
    return stack.user(balance=1_000_000)
