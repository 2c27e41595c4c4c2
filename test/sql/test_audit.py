"""Does the self-check see every kind of break?"""
import pytest

SUSPENSE = "00000000-0000-7000-8000-000000000005"
# what somebody with the owner's rights does to the books -> what must be said
BREAKS = {
    "update payment.accounts set balance = balance + 1 where id = %(a)s":
        {"balance", "all accounts sum to zero", "float equals customer liabilities"},
    "update payment.accounts set held = held + 1 where id = %(a)s":
        {"held", "holds equal open top-ups"},
    "update payment.accounts set sequence = sequence + 1 where id = %(a)s": {"sequence"},
    "update payment.accounts set last_row = null where id = %(a)s": {"last row"},
    "update payment.accounts set incoming = incoming + 1 where id = %(b)s":
        {"incoming of the month"},
    "update payment.accounts set month = '2020-01-01' where id = %(b)s":
        {"month of the account", "incoming of the month"},
    "update payment.transfers set amount = amount + 1 where kind = 5":
        {"balance written in the row", "balance", "incoming of the month"},
    "update payment.transfers set debit_balance = debit_balance + 1 where kind = 5":
        {"balance written in the row"},
    "update payment.transfers set idempotency = id where key is not null":
        {"key is found by its hash"},
    "update payment.transfers set debit_held = 7 where kind = 5": {"held written in the row"},
    "update payment.transfers set debit_previous = null where kind = 5":
        {"row before it in an account"},
    "update payment.transfers set credit_previous = id where kind = 5":
        {"row before it in an account"},
    "update payment.transfers set position = 0 - position where kind = 5":
        {"position grows in an account"},
    "delete from payment.transfers where kind = 5":
        {"sequence without a gap", "row before it in an account", "last row",
            "balance written in the row", "balance", "incoming of the month"},
    "update payment.provider_operations set state = 'SUCCESS', deciding_row = opening_row":
        {"operation has its rows", "holds equal open top-ups"},
    "update payment.provider_operations set amount = amount + 1":
        {"operation has its rows", "holds equal open top-ups"},
    "update payment.payment_intents set refunded = refunded + 1": {"payment has its rows"},
    "update payment.payment_intents set state = 'PENDING', deciding_row = null, refunded = 0":
        {"payment has its rows"},
    "alter table payment.transfers disable trigger transfers_grow_only":
        {"journal cannot be changed"},
    "update payment.accounts set balance = balance + 1 where id = '" + SUSPENSE + "'":
        {"balance", "suspense equals what was set aside", "all accounts sum to zero",
            "float equals customer liabilities"},
}


@pytest.mark.parametrize("command", BREAKS)
def test_a_break_is_named(broken_books, command):
    books = broken_books
    a, b = books.user(1000), books.user()
    merchant, _ = books.merchant()
    books.transfer(a, b, 300, key="k")
    books.begin("out", a, 100)
    payment = books.payment(a, merchant, 200)["id"]
    books.process(payment, a)
    books.refund(payment, a, 50)
    assert books.breaks() == []
    if command.startswith(("update payment.transfers", "delete")):
        books.db.execute("set session_replication_role = replica")
    books.db.execute(command.replace("%(a)s", f"'{a}'").replace("%(b)s", f"'{b}'"))
    books.db.execute("reset session_replication_role")
    assert BREAKS[command] <= {row["check_name"] for row in books.breaks()}


def test_the_auditor_may_run_it_and_nothing_else(books):
    books.transfer(books.user(1000), books.user(), 10)
    db = books.connect("onegate_audit")
    assert db.execute("select * from payment.audit()").fetchall() == []
    figures = dict(db.execute("select * from payment.audit_figures()").fetchall())
    assert figures["journal rows"] == 2 and figures["balance of user IDR"] == 10
    db.close()
