"""The money side of a benchmark: who pays whom, and whether the books agree.

People of the benchmark are real rows made in bulk by the database's owner, and
their first money is a posting like any other, so that an audit holds. They
cannot sign in: their password is a hash of nothing.
"""
import secrets

FUNDS_SEN = 500_000_000
PASSWORD = "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43

MAKE_USERS = """
with missing as (
	select i, meta.uuid_new() as id, 'bench-' || lpad(i::text, 7, '0') as name
	from generate_series(1, %(count)s) i
	where not exists (select from auth.users u
		where u.username_key = 'bench-' || lpad(i::text, 7, '0'))
), made as (
	insert into auth.users (id, username, username_key, email, email_key, phone, password)
	select id, name, name, name || '@bench.test', name || '@bench.test',
		'0899' || lpad(i::text, 8, '0'), %(password)s
	from missing
	returning id, username, email, phone
)
insert into auth.user_events (user_id, kind, username, username_key, email, phone)
select id, 'registered', username, username, email, phone from made
"""

FUND = """
select count(payment.adjust(a.id, %(sen)s - a.balance, 'bench', 'funds for a benchmark'))
from (
	select a.id, a.balance
	from payment.accounts a join auth.users u on u.id = a.user_id
	where u.username_key like 'bench-%%' and a.balance < %(sen)s / 2
	limit 1000
) a
"""

ACCOUNTS = """
select u.id::text, u.username, a.id::text
from payment.accounts a join auth.users u on u.id = a.user_id
where u.username_key like 'bench-%%' order by u.username_key limit %s
"""


def prepare(db, count):
    """COUNT funded accounts of people."""
    with db.cursor() as cur:
        cur.execute(MAKE_USERS, {"count": count, "password": PASSWORD})
        cur.execute("select payment.open_accounts('registered')")
        funded = 1
        while funded:
            cur.execute(FUND, {"sen": FUNDS_SEN})
            funded = cur.fetchone()[0]
        cur.execute("analyze auth.users, payment.accounts, payment.account_holders, payment.transfers")


def write_lists(db, mint, senders, tokens_path, receivers_path, count=1_000_000):
    """Files for the load generator: senders' accounts and tokens, receivers."""
    rows = db.execute(ACCOUNTS, (count,)).fetchall()
    # a different part of the people each time: nobody meets a month's cap
    start = secrets.randbelow(max(len(rows) - senders, 1))
    with open(tokens_path, "w", encoding="ascii") as out:
        for user_id, username, account in rows[start:start + senders]:
            out.write("%s %s\n" % (account, mint.token(user_id, username)))
    with open(receivers_path, "w", encoding="ascii") as out:
        out.writelines(account + "\n" for _, _, account in rows)


def write_phones(db, phones_path):
    """The same people's phones, each the number of a wallet at a provider."""
    with open(phones_path, "w", encoding="ascii") as out:
        for phone, in db.execute("select phone from auth.users where username_key like 'bench-%'"):
            out.write(phone + "\n")


def open_operations(db):
    """Provider operations without an outcome."""
    return db.execute("select count(*) from payment.provider_operations where state = 'PENDING'").fetchone()[0]


def merchant_account(db):
    return db.execute("select account_id::text from payment.merchants where status = 'ACTIVE'"
                      " order by name limit 1").fetchone()[0]


def agree(db, result, keys_path):
    """The validity gate: every acknowledged posting is stored once, nothing is
    stored that was not sent, and the books follow from the journal."""
    with db.cursor() as cur:
        cur.execute("create temporary table acknowledged (key text)")
        try:
            with cur.copy("copy acknowledged from stdin") as copy, open(keys_path, "rb") as keys:
                while data := keys.read(1 << 20):
                    copy.write(data)
            cur.execute("select count(*), count(distinct key) from acknowledged")
            promised, distinct = cur.fetchone()
            cur.execute("select count(*), count(distinct key) from payment.transfers where key like %s",
                        (result["run"] + "-%",))
            stored, stored_keys = cur.fetchone()
            cur.execute("select count(*) from acknowledged a left join (select key from payment.transfers"
                        " where key like %s) t using (key) where t.key is null", (result["run"] + "-%",))
            lost = cur.fetchone()[0]
            cur.execute("select count(*) from payment.audit()")
            breaks = cur.fetchone()[0]
        finally:
            cur.execute("drop table acknowledged")
    problems = []
    if lost:
        problems.append("%d acknowledged postings are not stored" % lost)
    if stored != stored_keys or promised != distinct:
        problems.append("a key was posted twice")
    if not promised <= stored <= result["sent"]:
        problems.append("stored %d, acknowledged %d, sent %d" % (stored, promised, result["sent"]))
    if result["refused"] or result["failed"]:
        problems.append("%d refused, %d failed" % (result["refused"], result["failed"]))
    if breaks:
        problems.append("the audit found %d breaks" % breaks)
    if problems:
        raise SystemExit("bench: not valid: " + "; ".join(problems))
    print("gate: %d acknowledged = stored, %d replays, audit without a break" % (promised, result["replayed"]))
