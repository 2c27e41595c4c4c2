"""Does money wait, arrive or come back once, whatever a provider does?"""
import uuid

import pytest

GOPAY = uuid.UUID("00000000-0000-7000-8000-000000000001")
SHOPEEPAY = uuid.UUID("00000000-0000-7000-8000-000000000002")
SUSPENSE = uuid.UUID("00000000-0000-7000-8000-000000000005")
MILLION = 100_000_000


def books_say(books, account):
    kept = books.account(account)
    return kept["balance"], kept["held"]


def test_out_hold_and_settle(books):
    a = books.user(1000)
    begun = books.begin("out", a, 300)
    assert (begun["code"], begun["state"], begun["balance_before"], begun["balance_after"]) == \
        (0, "PENDING", 1000, 700)
    assert books_say(books, a) == (1000, 300)
    done = books.decide("topup_settle", begun["id"], "G-1")
    assert (done["state"], done["external_id"], done["balance_after"]) == ("SUCCESS", "G-1", 700)
    assert books_say(books, a) == (700, 0)
    assert books.available(GOPAY) == 300


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_out_release(books, state):
    a = books.user(1000)
    begun = books.begin("out", a, 300, provider="SHOPEE_PAY")
    done = books.decide("topup_release", begun["id"], state, "no such wallet")
    assert (done["state"], done["last_error"]) == (state, "no such wallet")
    assert (done["balance_before"], done["balance_after"]) == (1000, 1000)
    assert books_say(books, a) == (1000, 0) and books.available(SHOPEEPAY) == 0


def test_in_credits_once(books):
    a = books.user(1000)
    begun = books.begin("in", a, 300)
    assert (begun["state"], books_say(books, a)) == ("PENDING", (1000, 0))
    done = books.decide("charge_credit", begun["id"], "S-1")
    assert (done["code"], done["state"], done["balance_before"], done["balance_after"]) == \
        (0, "SUCCESS", 1000, 1300)
    assert books.account(a)["incoming"] == 300
    again = books.decide("charge_credit", begun["id"], "S-1")
    assert (again["code"], again["state"]) == (20, "SUCCESS")
    assert books_say(books, a) == (1300, 0)


DECISIONS = {"out": [("topup_settle", ("x",)), ("topup_release", ("FAILED", "x")),
        ("topup_release", ("CANCELLED", "x"))],
    "in": [("charge_credit", ("x",)), ("charge_fail", ("FAILED", "x")),
        ("charge_fail", ("CANCELLED", "x"))]}


@pytest.mark.parametrize("direction", DECISIONS)
@pytest.mark.parametrize("first", range(3))
@pytest.mark.parametrize("second", range(3))
def test_the_first_decision_stands(books, direction, first, second):
    a = books.user(1000)
    begun = books.begin(direction, a, 300)
    call, arguments = DECISIONS[direction][first]
    decided = books.decide(call, begun["id"], *arguments)
    assert decided["code"] == 0
    call, arguments = DECISIONS[direction][second]
    late = books.decide(call, begun["id"], *arguments)
    assert (late["code"], late["state"]) == (20, decided["state"])


@pytest.mark.parametrize("direction", DECISIONS)
def test_a_decision_of_the_other_direction_finds_nothing(books, direction):
    begun = books.begin(direction, books.user(1000), 300)
    other = DECISIONS["in" if direction == "out" else "out"]
    for call, arguments in other:
        assert books.decide(call, begun["id"], *arguments)["code"] == 19


@pytest.mark.parametrize("direction,balance,amount,status,code", [
    ("out", 100, 101, "ACTIVE", 8), ("out", 100, 0, "ACTIVE", 2),
    ("out", 100, -5, "ACTIVE", 2), ("out", 100, 10, "SUSPENDED", 4),
    ("in", 0, 10, "SUSPENDED", 4), ("in", 0, 0, "ACTIVE", 2), ("in", 0, 10, "CLOSED", 5),
    ("in", 0, 20 * MILLION + 1, "ACTIVE", 9), ("in", 0, 20 * MILLION, "ACTIVE", 0)])
def test_what_is_refused_at_once(books, direction, balance, amount, status, code):
    a = books.user(balance)
    books.db.execute("select payment.account_status_set(%s, %s, 'test', 'test')", (a, status))
    begun = books.begin(direction, a, amount)
    assert begun["code"] == code
    assert books.value("select count(*) from payment.provider_operations") == (code == 0)


def test_unknown_account(books):
    assert books.begin("out", uuid.uuid4(), 5)["code"] == 3
    assert books.begin("in", uuid.uuid4(), 5)["code"] == 3


def test_a_charge_that_the_caps_refuse_later_goes_to_suspense(books):
    a, rich = books.user(), books.user(100 * MILLION)
    begun = books.begin("in", a, 15 * MILLION)
    assert books.transfer(rich, a, 10 * MILLION)["code"] == 0
    done = books.decide("charge_credit", begun["id"], "S-1")
    assert (done["code"], done["state"], done["escalated"]) == (0, "FAILED", True)
    assert books.available(a) == 10 * MILLION and books.available(SUSPENSE) == 15 * MILLION


def test_charges_under_way_have_taken_their_room(books):
    a = books.user()
    first = books.begin("in", a, 15 * MILLION)
    assert books.begin("in", a, 5 * MILLION + 1)["code"] == 9
    second = books.begin("in", a, 5 * MILLION)
    assert (first["code"], second["code"]) == (0, 0)
    assert books.decide("charge_fail", first["id"], "FAILED", "no")["state"] == "FAILED"
    third = books.begin("in", a, 15 * MILLION)
    assert third["code"] == 0
    for begun in (second, third):
        assert books.decide("charge_credit", begun["id"], "S")["state"] == "SUCCESS"
    assert books.available(a) == 20 * MILLION and books.available(SUSPENSE) == 0


def test_a_charge_into_a_suspended_account_arrives(books):
    a = books.user()
    begun = books.begin("in", a, 500)
    books.db.execute("select payment.account_status_set(%s, 'SUSPENDED', 'test', 'test')", (a,))
    assert books.decide("charge_credit", begun["id"], "S-1")["state"] == "SUCCESS"


@pytest.mark.parametrize("call,arguments,state,available", [
    ("topup_settle", ("late",), "SUCCESS", 700),
    ("topup_release", ("FAILED", "late"), "FAILED", 1000)])
def test_an_escalated_top_up_is_decided_out_of_suspense(books, call, arguments, state, available):
    a = books.user(1000)
    begun = books.begin("out", a, 300)
    up = books.decide("operation_escalate", begun["id"], "nobody answers")
    assert (up["code"], up["state"], up["escalated"]) == (0, "PENDING", True)
    assert (books_say(books, a), books.available(SUSPENSE)) == ((700, 0), 300)
    assert books.breaks() == []
    assert books.decide("operation_escalate", begun["id"], "again")["code"] == 20
    done = books.decide(call, begun["id"], *arguments)
    assert (done["code"], done["state"]) == (0, state)
    assert books_say(books, a) == (available, 0) and books.available(SUSPENSE) == 0
    assert books.decide(call, begun["id"], *arguments)["code"] == 20


def test_an_escalated_charge_can_still_be_credited(books):
    a = books.user()
    begun = books.begin("in", a, 300)
    assert books.decide("operation_escalate", begun["id"], "?")["escalated"]
    assert books.decide("charge_credit", begun["id"], "late")["state"] == "SUCCESS"
    assert books.available(a) == 300


def test_a_repeated_key_finds_its_operation(books):
    a = books.user(1000)
    first = books.begin("out", a, 300, key="k")
    running = books.begin("out", a, 300, key="k")
    assert (running["code"], running["replayed"], running["id"]) == (21, True, first["id"])
    books.decide("topup_settle", first["id"], "G-1")
    assert books.value("select payment.operation_answer_keep(%s, 200::int2, '{}')", first["id"])
    assert not books.value("select payment.operation_answer_keep(%s, 500::int2, '')", first["id"])
    again = books.begin("out", a, 300, key="k")
    assert (again["code"], again["replayed"], again["id"], again["answer_status"],
        again["answer_body"]) == (0, True, first["id"], 200, "{}")
    assert books_say(books, a) == (700, 0)


def test_a_key_whose_worker_died_is_not_in_progress_for_ever(books):
    a = books.user(1000)
    first = books.begin("out", a, 300, key="k")
    books.db.execute("update payment.provider_operations set created_at = now() - interval '1 minute'")
    again = books.begin("out", a, 300, key="k")
    assert (again["code"], again["state"], again["id"]) == (0, "PENDING", first["id"])


def test_a_reference_is_used_once(books):
    a = books.user(1000)
    books.begin("out", a, 10, reference="R")
    assert books.begin("out", a, 10, reference="R")["code"] == 24
    assert books_say(books, a) == (1000, 10)


def test_the_janitor_takes_what_is_due_and_each_once(books):
    a = books.user(1000)
    due = {books.begin("out", a, 1, first=-1)["id"] for _ in range(5)}
    books.begin("out", a, 1, first=60)
    one = books.connect(autocommit=False)
    taken = {row[2] for row in one.execute("select * from payment.operations_claim(3, 30)")}
    rest = {row["id"] for row in books.rows("select * from payment.operations_claim(10, 30)")}
    one.commit()
    one.close()
    assert len(taken) == 3 and taken | rest == due and not taken & rest
    assert books.rows("select * from payment.operations_claim(10, 30)") == []
    tried = books.decide("operation_attempt", due.pop(), "timeout", -1, "G-9")
    assert (tried["attempts"], tried["last_error"], tried["external_id"]) == (1, "timeout", "G-9")
    assert len(books.rows("select * from payment.operations_claim(10, 30)")) == 1


def test_by_reference(books):
    begun = books.begin("in", books.user(), 10, reference="R-7")
    assert books.row("select * from payment.operation_by_reference('R-7')")["id"] == begun["id"]
    assert books.row("select * from payment.operation_by_reference('R-8')") is None
    assert books.row("select * from payment.operation(%s)", begun["id"])["amount"] == 10


def test_a_notification_is_new_once(books):
    assert [books.value("select payment.notification_first('GOPAY', '\\x01')")
        for _ in range(2)] == [True, False]
    assert books.value("select payment.notification_first('SHOPEE_PAY', '\\x01')")
