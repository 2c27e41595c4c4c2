"""Does a message that is no event harm any other?

They go into the partition of a person who then pays: what comes behind them is
read all the same, and each stands with the dead letters with its reason.
"""
import json
import uuid

import topic
from onegate import expect, until

LAG_SECONDS = 15


def bad_events(account):
    """(value, a word of the reason)"""
    good = {"event_id": str(uuid.uuid4()), "sequence": 1_000_000,
        "id": str(uuid.uuid4()), "user_id": str(uuid.uuid4()),
        "account_id": account, "transaction_id": "TRX-X",
        "transaction_type": "TRANSFER", "transaction_status": "SUCCESS",
        "amount": 1.00, "balance_before": 2.00, "balance_after": 1.00,
        "currency": "IDR", "direction": "debit",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z"}
    without = {name: value for name, value in good.items() if name != "id"}
    return [([], "event_id"), ({}, "event_id"), (without, "id"),
        ({**good, "sequence": "7"}, "sequence"),
        ({**good, "sequence": -7}, "sequence"),
        ({**good, "account_id": "me"}, "account_id"),
        ({**good, "description": {}}, "description"),
        ({**good, "transaction_type": "GIFT"}, "transaction_type"),
        ({**good, "amount": "much"}, "much"),
        ({**good, "created_at": "today at noon"}, "created_at")]


def test_what_is_no_event_goes_aside_and_nothing_waits_for_it(stack):
    giver, taker = stack.user(balance=10_000), stack.user()
    account = giver.account()["id"]
    events = bad_events(account)
    with stack.pg() as pg:
        def letters():
            return [reason for reason, in pg.execute(
                "select reason from transaction.dead_letters order by id")]

        before = len(letters())
        topic.write(stack, "transaction-events", account,
            [json.dumps(value) for value, _ in events])
        sent = expect(giver.transfer(taker, 100), 201).data
        regulator = stack.regulator()
        until(lambda: regulator.get("/api/transaction/histories/"
            + sent["id"]).status == 200, LAG_SECONDS)
        reasons = letters()[before:]
    assert len(reasons) == len(events), reasons
    for (value, word), reason in zip(events, reasons):
        assert word in reason, (value, reason)


def test_a_database_that_refuses_the_call_makes_no_dead_letters(stack):
    """As in the middle of an upgrade: the events wait, and are stored afterwards."""
    giver, taker = stack.user(balance=10_000), stack.user()
    with stack.pg() as pg:
        def letters():
            return pg.execute("select count(*) from transaction.dead_letters").fetchone()[0]

        before = letters()
        pg.execute("revoke execute on function transaction.store_events from onegate_transaction")
        try:
            sent = expect(giver.transfer(taker, 100), 201).data
            until(lambda: b'"kafka":"down"' in stack.client("transaction").get("/health").raw,
                LAG_SECONDS)
        finally:
            pg.execute("grant execute on function transaction.store_events to onegate_transaction")
        regulator = stack.regulator()
        until(lambda: regulator.get("/api/transaction/histories/"
            + sent["id"]).status == 200, LAG_SECONDS)
        assert letters() == before
