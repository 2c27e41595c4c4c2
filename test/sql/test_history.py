"""Is a person's own history exact, ordered and complete?"""
import uuid

import pytest


@pytest.fixture
def story(books):
    a, b = books.user(10_000), books.user()
    merchant, _ = books.merchant()
    out = books.begin("out", a, 100)["id"]
    books.transfer(a, b, 300)
    came = books.begin("in", a, 50)["id"]
    payment = books.payment(a, merchant, 700)["id"]
    books.process(payment, a)
    books.refund(payment, a, 200)
    books.transfer(b, a, 20)
    books.decide("topup_settle", out, "G-1")
    return books, a, b, dict(out=out, came=came, payment=payment)


CALL = "select * from payment.transactions_of(%s, %s, %s, %s, %s, %s, %s)"


def test_each_transaction_stands_once_where_it_began(story):
    books, a, b, ids = story
    rows = books.rows(CALL, a, None, None, None, None, None, 50)
    assert [(r["type"], r["status"], r["amount"], r["direction"]) for r in rows] == [
        ("TRANSFER", "SUCCESS", 20, "credit"), ("REFUND", "SUCCESS", 200, "credit"),
        ("PAYMENT", "SUCCESS", 700, "debit"), ("TOPUP", "PENDING", 50, "credit"),
        ("TRANSFER", "SUCCESS", 300, "debit"), ("TOPUP", "SUCCESS", 100, "debit"),
        ("TRANSFER", "SUCCESS", 10_000, "credit")]
    assert [r["id"] for r in rows[2:4]] == [ids["payment"], ids["came"]]
    assert [(r["balance_before"], r["balance_after"]) for r in rows] == [
        (9100, 9120), (8900, 9100), (9600, 8900), (9600, 9600), (9900, 9600),
        (10_000, 9900), (0, 10_000)]


def test_pages_meet_without_gap_or_double(story):
    books, a, _, _ = story
    whole = books.rows(CALL, a, None, None, None, None, None, 50)
    paged, after = [], None
    while True:
        page = books.rows(CALL, a, after, None, None, None, None, 2)
        if not page:
            break
        paged += page
        after = page[-1]["row_id"]
    assert paged == whole


@pytest.mark.parametrize("kind,status,count", [("TOPUP", None, 2), ("TOPUP", "PENDING", 1),
    (None, "SUCCESS", 6), ("REFUND", "FAILED", 0), ("TRANSFER", "SUCCESS", 3)])
def test_filters(story, kind, status, count):
    books, a, _, _ = story
    assert len(books.rows(CALL, a, None, kind, status, None, None, 50)) == count


def test_times_are_half_open(story):
    books, a, _, _ = story
    moment = books.value("select payment.transfers.created_at from payment.transfers "
        "order by position limit 1")
    books_ms = books.value("select meta.ms(%s::timestamptz)", moment)
    assert len(books.rows(CALL, a, None, None, None, books_ms, None, 50)) == 7
    assert books.rows(CALL, a, None, None, None, None, books_ms, 50) == []


def test_one_in_detail_and_only_ones_own(story):
    books, a, b, ids = story
    call = "select * from payment.transaction_of(%s, %s)"
    for row in books.rows(CALL, a, None, None, None, None, None, 50):
        assert books.row(call, a, row["id"]) == row
        assert books.row(call, b, row["id"]) is None
    got = books.rows(CALL, b, None, None, None, None, None, 50)[-1]
    assert (got["type"], got["direction"], got["amount"]) == ("TRANSFER", "credit", 300)
    assert books.row(call, b, got["id"]) == got
    assert books.row(call, a, got["id"]) is None
    assert books.row(call, a, uuid.uuid4()) is None


def test_a_page_reads_by_index_only(story):
    """However long the journal is: no scan, no sort of all of it."""
    books, a, b, _ = story
    for _ in range(20):
        books.post([dict(debit=a, credit=b, amount=1) for _ in range(100)])
    books.db.execute("analyze payment.transfers")
    books.db.execute("select * from payment.transactions_of(%s, null, null, null, null, null, 10)", (a,))
    books.db.execute("begin")
    before = books.value("select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from "
        "pg_stat_xact_user_tables where relname like 'transfers%%'")
    books.rows(CALL, a, None, None, None, None, None, 10)
    read = books.value("select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from "
        "pg_stat_xact_user_tables where relname like 'transfers%%'") - before
    books.db.execute("commit")
    assert read < 100
