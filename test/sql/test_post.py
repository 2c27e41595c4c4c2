"""Which postings does payment.post take, which does it refuse, and why?"""
import datetime
import uuid

import psycopg
import pytest

CAPITAL = uuid.UUID("00000000-0000-7000-8000-000000000006")
FEE = uuid.UUID("00000000-0000-7000-8000-000000000004")
MAX = 999_999_999_999_999
MILLION = 100_000_000  # one million rupiah in sen

# sql/README.md: the codes
SELF, RANGE, UNKNOWN, SUSPENDED, CLOSED, UNAVAILABLE, CURRENCY, FUNDS, LIMIT, \
    RECEIVER_LIMIT, UNREGISTERED, KEY_REUSED = range(1, 13)


def status(books, account, value):
    books.db.execute("select payment.account_status_set(%s, %s, 'test', 'test')",
        (account, value))


def test_a_transfer_moves_the_amount_and_says_so(books):
    a, b = books.user(1000), books.user(50)
    done = books.transfer(a, b, 300)
    assert (done["code"], done["replayed"], done["amount"]) == (0, False, 300)
    assert (done["debit_balance"], done["credit_balance"]) == (700, 350)
    assert (done["debit_sequence"], done["credit_sequence"]) == (2, 2)
    assert (books.available(a), books.available(b)) == (700, 350)
    row = books.row("select * from payment.transfers where id = %s", done["row_id"])
    assert (row["debit_account"], row["credit_account"], row["state"]) == (a, b, 1)


@pytest.mark.parametrize("amount,code", [
    (1, 0), (1000, 0), (1001, FUNDS), (MAX, FUNDS), (0, RANGE), (-1, RANGE),
    (-MAX, RANGE), (MAX + 1, RANGE), (2**63 - 1, RANGE), (-2**63, RANGE)])
def test_amounts(books, amount, code):
    a, b = books.user(1000), books.user()
    assert books.transfer(a, b, amount)["code"] == code
    assert books.available(a) == 1000 - (amount if code == 0 else 0)


@pytest.mark.parametrize("side,value,code", [
    ("debit", "SUSPENDED", SUSPENDED), ("debit", "CLOSED", CLOSED),
    ("credit", "SUSPENDED", UNAVAILABLE), ("credit", "CLOSED", UNAVAILABLE)])
def test_account_status(books, side, value, code):
    a = books.user(0 if value == "CLOSED" and side == "debit" else 1000)
    b = books.user()
    status(books, a if side == "debit" else b, value)
    assert books.transfer(a, b, 10)["code"] == code


def test_self_transfer(books):
    a = books.user(1000)
    assert books.transfer(a, a, 10)["code"] == SELF


@pytest.mark.parametrize("receiver", [CAPITAL, FEE, uuid.uuid4()])
def test_nobody_pays_the_house_or_nobody(books, receiver):
    assert books.transfer(books.user(1000), receiver, 10)["code"] == UNKNOWN


def test_the_house_cannot_be_debited_by_a_transfer(books):
    assert books.transfer(CAPITAL, books.user(), 10)["code"] == UNKNOWN


def test_currencies_do_not_mix(books):
    a, b = books.user(1000), books.user()
    books.db.execute("update payment.accounts set currency = 'USD' where id = %s", (b,))
    assert books.transfer(a, b, 10)["code"] == CURRENCY


def test_what_is_held_cannot_be_spent(books):
    a, b = books.user(1000), books.user()
    assert books.begin("out", a, 900)["code"] == 0
    assert books.transfer(a, b, 101)["code"] == FUNDS
    assert books.transfer(a, b, 100)["code"] == 0


@pytest.mark.parametrize("tier,balance_cap,month_cap", [
    ("registered", 20 * MILLION, 40 * MILLION), ("unregistered", 2 * MILLION, 20 * MILLION)])
def test_caps_of_the_receiver(books, tier, balance_cap, month_cap):
    a, b = books.user(500 * MILLION), books.user(tier=tier)
    assert books.transfer(a, b, balance_cap + 1)["code"] == RECEIVER_LIMIT
    assert books.transfer(a, b, balance_cap)["code"] == 0
    assert books.transfer(a, b, 1)["code"] == RECEIVER_LIMIT
    received = balance_cap
    while received < month_cap:  # spend it, receive again
        books.db.execute("select payment.adjust(%s, %s, 'test', 'spent')", (b, -balance_cap))
        more = min(balance_cap, month_cap - received)
        assert books.transfer(a, b, more)["code"] == 0
        received += more
    books.db.execute("select payment.adjust(%s, %s, 'test', 'spent')",
        (b, -books.available(b)))
    assert books.transfer(a, b, 1)["code"] == RECEIVER_LIMIT
    assert books.account(b)["incoming"] == month_cap


def test_a_new_month_counts_from_zero(broken_books):
    a, b = broken_books.user(500 * MILLION), broken_books.user()
    broken_books.db.execute("update payment.accounts set incoming = %s, month = '2020-01-01' "
        "where id = %s", (40 * MILLION, b))
    assert broken_books.transfer(a, b, 10)["code"] == 0
    assert broken_books.account(b)["incoming"] == 10


def test_merchants_have_no_caps(books):
    a = books.user(500 * MILLION)
    _, shop = books.merchant()
    assert books.transfer(a, shop, 100 * MILLION)["code"] == 0


def test_a_rule_counts_from_its_day(books):
    a, b = books.user(500 * MILLION), books.user()
    books.db.execute("insert into payment.limit_rules values "
        "('registered', 'balance', 1000, now() + interval '1 hour', 'later')")
    assert books.transfer(a, b, 1001)["code"] == 0
    books.db.execute("insert into payment.limit_rules values "
        "('registered', 'balance', 1000, now() - interval '1 second', 'now')")
    assert books.transfer(a, b, 1)["code"] == RECEIVER_LIMIT


def test_an_unregistered_person_pays_but_does_not_transfer(books):
    a, b = books.user(1000, tier="unregistered"), books.user()
    merchant, _ = books.merchant()
    assert books.transfer(a, b, 10)["code"] == UNREGISTERED
    payment = books.payment(a, merchant, 100)
    assert books.process(payment["id"], a)["state"] == "SUCCESS"
    assert books.begin("out", a, 100)["code"] == 0


def test_a_fee_and_the_house(books):
    a = books.user(1000)
    done = books.post([dict(debit=a, credit=FEE, amount=30, kind=8),
        dict(debit=a, credit=FEE, amount=971, kind=8),
        dict(debit=FEE, credit=a, amount=5, kind=8)])
    assert [d["code"] for d in done] == [0, FUNDS, UNKNOWN]
    assert books.available(FEE) == 30


@pytest.mark.parametrize("amount,code", [(500, 0), (-500, 0), (-1001, FUNDS), (0, RANGE)])
def test_an_operator_adjusts_and_leaves_a_trace(books, amount, code):
    a = books.user(1000)
    assert books.value("select payment.adjust(%s, %s, 'op', 'why')", a, amount) == code
    kept = books.rows("select operator, reason, new_value from payment.account_changes "
        "where operator = 'op'")
    assert kept == ([dict(operator="op", reason="why", new_value=str(amount))] if code == 0 else [])


# -- batches ------------------------------------------------------------------

def test_items_are_decided_in_order_and_harm_no_other(books):
    a, b, c = books.user(100), books.user(), books.user()
    done = books.post([
        dict(debit=a, credit=b, amount=60), dict(debit=a, credit=b, amount=60),
        dict(debit=b, credit=c, amount=60), dict(debit=c, credit=a, amount=61),
        dict(debit=c, credit=a, amount=60)])
    assert [d["code"] for d in done] == [0, FUNDS, 0, FUNDS, 0]
    assert [d["item"] for d in done] == [1, 2, 3, 4, 5]
    assert [books.available(x) for x in (a, b, c)] == [100, 0, 0]


def test_a_batch_of_the_largest_size(books):
    a, people = books.user(100_000), [books.user() for _ in range(5)]
    done = books.post([dict(debit=a, credit=people[n % 5], amount=n + 1) for n in range(256)])
    assert {d["code"] for d in done} == {0}
    assert [d["debit_sequence"] for d in done] == list(range(2, 258))
    assert books.available(a) == 100_000 - sum(range(1, 257))


@pytest.mark.parametrize("change", [
    dict(accounts="reversed"), dict(accounts="doubled"), dict(debits=[9]), dict(debits=[0]),
    dict(debits=[None]), dict(kinds=[13]), dict(kinds=[0]), dict(kinds=[None]), dict(amounts=[None]),
    dict(ids=[uuid.UUID("00000000-0000-7000-8000-000000000009")]), dict(ids=[None]),
    dict(ids=[uuid.UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")]), dict(keys=[]),
    dict(keys=["k"], scopes=["s"], fingerprints=[None])])
def test_a_malformed_call_changes_nothing(books, change):
    a, b = sorted([books.user(1000), books.user()], key=lambda u: u.bytes)
    call = dict(accounts=[a, b], ids=[books.new_id()], kinds=[5], debits=[1], credits=[2],
        amounts=[1], operations=[None], descriptions=[None], scopes=[None], keys=[None],
        fingerprints=[None])
    call.update(change)
    call["accounts"] = {"reversed": [b, a], "doubled": [a, a, b]}.get(call["accounts"],
        call["accounts"]) if isinstance(call["accounts"], str) else call["accounts"]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        books.db.execute("""select * from payment.post(%s::uuid[], %s::uuid[], %s::int2[],
            %s::int[], %s::int[], %s::bigint[], %s::uuid[], %s::text[], %s::text[],
            %s::text[], %s::bytea[])""", list(call.values()))
    assert books.account(a)["sequence"] + books.account(b)["sequence"] == 1


# -- keys ---------------------------------------------------------------------

def test_a_repeat_gets_the_first_answer(books):
    a, b = books.user(1000), books.user()
    first = books.transfer(a, b, 300, key="k")
    books.transfer(a, b, 5)
    again = books.transfer(a, b, 300, key="k")
    assert again["replayed"] and not first["replayed"]
    assert {k: v for k, v in again.items() if k != "replayed"} == \
        {k: v for k, v in first.items() if k != "replayed"}
    assert books.available(b) == 305


@pytest.mark.parametrize("change", [dict(fingerprint=b"g" * 32),
    dict(fingerprint=b"g" * 32, amount=2)])
def test_another_body_under_the_key(books, change):
    a, b = books.user(1000), books.user()
    books.transfer(a, b, 300, key="k")
    assert books.post([dict(dict(debit=a, credit=b, amount=300, key="k"), **change)]
        )[0]["code"] == KEY_REUSED
    assert books.available(b) == 300


def test_keys_of_two_scopes_do_not_meet(books):
    a, b = books.user(1000), books.user()
    for scope in ("ann:transfer", "bob:transfer", "ann:topup"):
        assert not books.transfer(a, b, 10, key="k", scope=scope)["replayed"]
    assert books.available(b) == 30


@pytest.mark.parametrize("key", ["~" * 255, " ", "a\u001fb", "'; drop table x; --"])
def test_any_key_is_a_key(books, key):
    a, b = books.user(1000), books.user()
    books.transfer(a, b, 10, key=key)
    assert books.transfer(a, b, 10, key=key)["replayed"]


def test_a_refusal_is_repeated_even_when_it_would_pass_now(books):
    a, b = books.user(10), books.user()
    assert books.transfer(a, b, 300, key="k")["code"] == FUNDS
    books.fund(a, 1000)
    again = books.transfer(a, b, 300, key="k")
    assert (again["code"], again["replayed"]) == (FUNDS, True)
    assert books.transfer(a, b, 300, key="k", fingerprint=b"g" * 32)["code"] == KEY_REUSED
    assert books.transfer(a, b, 300, key="other")["code"] == 0


def test_a_kept_refusal_ends_after_a_day(books):
    a, b = books.user(10), books.user()
    books.transfer(a, b, 300, key="k")
    books.db.execute("update payment.refusals set created_at = now() - interval '25 hours'")
    books.fund(a, 1000)
    assert books.transfer(a, b, 300, key="k")["code"] == 0
    assert books.value("select payment.purge(100)") == 1
    assert books.transfer(a, b, 300, key="k")["replayed"]


def test_a_refusal_that_the_caller_found_is_kept_too(books):
    a, b = books.user(1000), books.user()
    done = books.transfer(a, a, 300, key="k", refuse=UNKNOWN)
    assert (done["code"], done["replayed"]) == (UNKNOWN, False)
    again = books.transfer(a, b, 300, key="k")
    assert (again["code"], again["replayed"]) == (UNKNOWN, True)


def test_a_hash_of_the_caller_is_the_one_made_here(books):
    a, b = books.user(1000), books.user()
    item = dict(debit=a, credit=b, amount=10, key="k")
    made = books.value("select payment.key_hash('me:transfer', 'k')")
    assert not books.post([item], hashes=[made])[0]["replayed"]
    assert books.post([item])[0]["replayed"]
    assert books.post([item], hashes=[made])[0]["replayed"]
    assert books.available(b) == 10


@pytest.mark.parametrize("key,hashes", [("k", [None]), (None, [uuid.uuid4()]),
    ("k", []), ("k", [uuid.uuid4()] * 2)])
def test_a_key_and_its_hash_come_together(books, key, hashes):
    a, b = books.user(1000), books.user()
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        books.post([dict(debit=a, credit=b, amount=10, key=key)], hashes=hashes)
    assert books.available(a) == 1000


def test_copies_of_a_key_in_one_batch(books):
    a, b = books.user(1000), books.user()
    item = dict(debit=a, credit=b, amount=300, key="k")
    done = books.post([item, dict(item), dict(item, fingerprint=b"g" * 32),
        dict(item, amount=5000, key="poor"), dict(item, amount=5000, key="poor")])
    assert [(d["code"], d["replayed"]) for d in done] == [
        (0, False), (0, True), (KEY_REUSED, False), (FUNDS, False), (FUNDS, True)]
    assert done[1]["row_id"] == done[0]["row_id"] and done[1]["debit_balance"] == 700
    assert books.available(b) == 300


def test_a_lost_answer_is_found_by_the_ids(books):
    a, b = books.user(1000), books.user()
    items = [dict(debit=a, credit=b, amount=1, id=books.new_id()),
        dict(debit=a, credit=b, amount=2, id=books.new_id(), key="k"),
        dict(debit=a, credit=b, amount=9999, id=books.new_id(), key="poor")]
    first = books.post(items)
    assert books.post(items, lost=True) == first
    assert books.available(b) == 3
    with pytest.raises(psycopg.errors.UniqueViolation):
        books.post(items[:1])


def test_a_key_is_remembered_over_the_turn_of_a_month(books):
    """The look-up reaches as far as an id of two days ago can lie."""
    a, b = books.user(1000), books.user()
    old = books.value("select meta.uuid_floor(now() - interval '23 hours')")
    assert books.transfer(a, b, 300, key="k", id=old)["code"] == 0
    assert books.transfer(a, b, 300, key="k")["replayed"]


# -- months -------------------------------------------------------------------

def test_months_are_made_ahead_and_made_once(books):
    assert books.value("select payment.make_partitions()") == 0
    assert books.value("select payment.make_partitions(5)") == 2
    assert books.value("select payment.make_partitions(5)") == 0
    month = (datetime.datetime.now(datetime.timezone.utc).replace(day=1)
        + datetime.timedelta(days=31 * 4)).strftime("%Y_%m")
    for index in ("key", "pkey"):
        assert books.value("select to_regclass(%s) is not null",
            f"payment.transfers_{month}_{index}")


def test_a_look_at_the_months_does_not_wait_for_writers(books):
    a, b = books.user(1000), books.user()
    writer = books.connect(autocommit=False)
    books.post([dict(debit=a, credit=b, amount=1, id=books.new_id())], db=writer)
    books.db.execute("set statement_timeout = '2s'")
    assert books.value("select payment.make_partitions()") == 0
    writer.commit()
    writer.close()


def test_money_does_not_wait_for_a_month(books):
    """Without this month's partition rows go to the one that takes all; the
    self-check says so, and the rows and keys work as elsewhere."""
    month = books.value("select 'payment.transfers_' || to_char(now() at time zone 'UTC', 'YYYY_MM')")
    books.db.execute(f"alter table payment.transfers detach partition {month}")
    a, b = books.user(1000), books.user()
    assert books.transfer(a, b, 300, key="k")["code"] == 0
    assert books.transfer(a, b, 300, key="k")["replayed"]
    assert {r["check_name"] for r in books.breaks()} == {"no row without its month"}
    books.db.execute("set session_replication_role = replica")
    books.db.execute("with moved as (delete from payment.transfers_other returning *) "
        f"insert into {month} select * from moved")
    books.db.execute("reset session_replication_role")
    low, high = books.db.execute("""select meta.uuid_floor(m at time zone 'UTC'),
        meta.uuid_floor((m + interval '1 month') at time zone 'UTC')
        from date_trunc('month', now() at time zone 'UTC') m""").fetchone()
    books.db.execute(f"alter table payment.transfers attach partition {month} "
        f"for values from ('{low}') to ('{high}')")
