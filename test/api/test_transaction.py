"""What do the regulators read, who may, how often, and is each call logged?"""
import uuid

import pytest

from onegate import expect, fields, unique, until

LIST = "/api/transaction/histories"
OLD_LIST = "/api/transactions"
REPORT = "/api/transaction/reports/daily"
OBJECT = {"id", "transaction_id", "transaction_type", "transaction_status",
    "amount", "balance_before", "balance_after", "currency", "payment_method",
    "description", "created_at", "user_id", "account_id"}
DETAIL = OBJECT | {"external_reference", "metadata", "is_accessible_external",
    "updated_at"}


@pytest.fixture(autouse=True)
def fresh_limits(stack):
    """Each test begins with unused limits: the suite asks more than 100 a minute."""
    redis = stack.redis()
    for key in redis.scan_iter("*api:*"):
        redis.delete(key)


@pytest.fixture(scope="module")
def ojk(stack):
    return stack.regulator("OJK", "--permissions",
        "READ_TRANSACTIONS,READ_REPORTS")


@pytest.fixture(scope="module")
def moved(stack, ojk):
    """Five transfers of one person, all of them arrived at the regulators'."""
    payer, payee = stack.user(balance=100_000), stack.user()
    rows = [expect(payer.transfer(payee, 1000 + n, description=f"lunch {n}"),
        201).data for n in range(5)]
    until(lambda: ojk.get(f"{LIST}/{rows[-1]['id']}").status == 200)
    return rows


@pytest.mark.parametrize("key", [None, "", "ogk_bi_nobody", "x" * 300, "ogk_", "' or 1=1 --"])
@pytest.mark.parametrize("path", [LIST, OLD_LIST, f"{LIST}/{uuid.uuid4()}", REPORT])
def test_without_a_known_key_there_is_nothing(stack, key, path):
    headers = {} if key is None else {"X-API-Key": key}
    expect(stack.transaction.get(path, headers=headers), 401, "bad_api_key")


def test_a_person_is_no_api_client(stack, alice):
    answer = stack.transaction.get(LIST, headers={"Authorization": "Bearer " + alice.access_token})
    expect(answer, 401)


def test_a_revoked_key_is_refused_at_once(stack):
    key = stack.api_key("OJK")
    client = stack.transaction.with_headers(X_API_Key=key)
    expect(client.get(LIST), 200)
    with stack.pg() as db:
        assert db.execute("update transaction.api_keys set is_active = false where %s like key_prefix || '%%'",
            (key,)).rowcount == 1
    expect(client.get(LIST), 401)


def test_an_expired_key_is_refused(stack):
    key = stack.api_key("OJK")
    client = stack.transaction.with_headers(X_API_Key=key)
    with stack.pg() as db:
        db.execute("update transaction.api_keys set expires_at = now() - interval '1 second'"
            " where %s like key_prefix || '%%'", (key,))
    expect(client.get(LIST), 401)


def test_a_key_itself_is_never_stored(stack):
    key = stack.api_key("OJK")
    with stack.pg() as db:
        assert db.execute("select count(*) from transaction.api_keys k where k::text like %s",
            (f"%{key}%",)).fetchone()[0] == 0


@pytest.mark.parametrize("permissions, path, status", [
    ("READ_TRANSACTIONS", LIST, 200), ("READ_TRANSACTIONS", REPORT + "?from_date=2026-01-01&to_date=2026-01-02", 403),
    ("READ_REPORTS", LIST, 403), ("READ_REPORTS", f"{LIST}/{uuid.uuid4()}", 403),
    ("READ_REPORTS", REPORT + "?from_date=2026-01-01&to_date=2026-01-02", 200)])
def test_a_key_may_what_its_permissions_say(stack, permissions, path, status):
    expect(stack.regulator("OJK", "--permissions", permissions).get(path), status,
        "permission_missing" if status == 403 else None)


@pytest.mark.parametrize("query, field", [
    ("page=0", "page"), ("page=-1", "page"), ("page=x", "page"), ("page=1.5", "page"), ("page=99999", "page"),
    ("page=", "page"), ("size=0", "size"), ("size=101", "size"), ("size=x", "size"), ("size=-5", "size"),
    ("type=GIFT", "type"), ("type=transfer", "type"), ("status=DONE", "status"), ("payment_method=OVO", "payment_method"),
    ("cursor=abc", "cursor"), ("cursor=" + "A" * 39, "cursor"), ("from_date=yesterday", "from_date"),
    ("from_date=2026-13-01", "from_date"), ("to_date=2026-02-30", "to_date"),
    ("from_date=2026-02-02&to_date=2026-02-01", "to_date"), ("size=5&size=6", "size")])
def test_a_wrong_filter_is_named(ojk, query, field):
    assert field in fields(expect(ojk.get(f"{LIST}?{query}"), 400))


def test_all_wrong_filters_are_named_at_once(ojk):
    answer = expect(ojk.get(f"{LIST}?size=0&type=x&status=y&from_date=z&page=0"), 400)
    assert {"size", "type", "status", "from_date", "page"} <= fields(answer)


def test_a_list_has_the_contracts_shape(ojk, moved):
    answer = expect(ojk.get(f"{LIST}?size=3"), 200)
    assert answer.meta["size"] == 3 and answer.meta["page"] == 1
    assert answer.meta["total"] >= 5 and answer.meta["next_cursor"]
    assert len(answer.data) == 3
    assert all(OBJECT <= set(row) for row in answer.data)
    times = [row["created_at"] for row in answer.data]
    assert times == sorted(times, reverse=True)


def test_the_older_path_counts_pages_from_zero(ojk, moved):
    first = expect(ojk.get(f"{OLD_LIST}?size=2"), 200)
    assert first.meta["page"] == 0
    assert expect(ojk.get(f"{OLD_LIST}?size=2&page=0"), 200).data == first.data
    assert expect(ojk.get(f"{LIST}?size=2&page=1"), 200).data == first.data
    assert expect(ojk.get(f"{OLD_LIST}?size=2&page=1"), 200).data \
        == expect(ojk.get(f"{LIST}?size=2&page=2"), 200).data


def test_cursors_walk_the_whole_list_once(ojk, moved):
    # The journal may be long: from the first of these on.
    whole = f"{LIST}?type=TRANSFER&from_date={moved[0]['created_at']}"
    seen, cursor = [], ""
    for _ in range(200):
        answer = expect(ojk.get(f"{whole}&size=3{cursor}"), 200)
        seen += [row["id"] for row in answer.data]
        if answer.meta["next_cursor"] is None:
            break
        cursor = "&cursor=" + answer.meta["next_cursor"]
    assert len(seen) == len(set(seen))
    assert {row["id"] for row in moved} <= set(seen)
    assert len(seen) >= expect(ojk.get(f"{whole}&size=1"), 200).meta["total"]


def test_page_and_cursor_do_not_mix(ojk, moved):
    cursor = expect(ojk.get(f"{LIST}?size=1"), 200).meta["next_cursor"]
    assert "page" in fields(expect(ojk.get(f"{LIST}?page=1&cursor={cursor}"), 400))


def test_ranges_are_half_open(ojk, moved):
    first, last = moved[0], moved[-1]
    found = {row["id"] for row in expect(ojk.get(
        f"{LIST}?size=100&from_date={first['created_at']}&to_date={last['created_at']}"), 200).data}
    assert first["id"] in found and last["id"] not in found


def test_filters_pick_what_they_say(ojk, moved):
    for query, key, value in (("type=TOPUP", "transaction_type", "TOPUP"), ("status=SUCCESS", "transaction_status", "SUCCESS"),
            ("payment_method=GOPAY", "payment_method", "GOPAY")):
        answer = expect(ojk.get(f"{LIST}?{query}&size=100"), 200)
        assert answer.data and all(row[key] == value for row in answer.data)
        assert answer.meta["total"] >= len(answer.data)


def test_one_transaction_by_either_name(ojk, moved):
    row = moved[0]
    by_id = expect(ojk.get(f"{LIST}/{row['id']}"), 200).data
    assert DETAIL <= set(by_id)
    for key in ("id", "transaction_id", "amount", "transaction_type", "created_at"):
        assert by_id[key] == row[key], key
    for path in (f"{LIST}/{row['transaction_id']}", f"{OLD_LIST}/{row['transaction_id']}", f"{OLD_LIST}/{row['id']}"):
        assert expect(ojk.get(path), 200).data == by_id


@pytest.mark.parametrize("name", [str(uuid.uuid4()), "TRX-0", "TRX-" + "0" * 26, "x", "%00", "'", "1;drop"])
def test_an_unknown_transaction_is_not_found(ojk, name):
    expect(ojk.get(f"{LIST}/{name}"), 404)


def test_what_is_not_accessible_does_not_exist(stack, ojk, moved):
    row = moved[1]
    with stack.pg() as db:
        db.execute("update transaction.historical_transactions set is_accessible_external = false where id = %s", (row["id"],))
        try:
            expect(ojk.get(f"{LIST}/{row['id']}"), 404)
            listed = expect(ojk.get(f"{LIST}?size=100"), 200).data
            assert row["id"] not in {found["id"] for found in listed}
        finally:
            db.execute("update transaction.historical_transactions set is_accessible_external = true where id = %s", (row["id"],))


@pytest.mark.parametrize("path, status", [(LIST, 200), (LIST + "?size=0", 400), (f"{LIST}/TRX-nobody", 404)])
def test_each_call_leaves_a_row_before_its_answer(stack, ojk, path, status):
    mark = unique("log")
    expect(ojk.get(path, headers={"X-Request-Id": mark, "User-Agent": "audit/1"}), status)
    with stack.pg() as db:
        row = db.execute("select endpoint, http_method, response_status, user_agent, external_service_id, api_key_id,"
            " host(ip_address) from transaction.api_access_logs where request_id = %s", (mark,)).fetchone()
    assert row[:4] == (path.partition("?")[0], "GET", status, "audit/1")
    assert row[4] and row[5] and row[6] == "127.0.0.1"


def test_a_refused_call_leaves_a_row_too(stack):
    mark = unique("log")
    expect(stack.transaction.get(LIST, headers={"X-Request-Id": mark, "X-API-Key": "ogk_bi_wrong"}), 401)
    with stack.pg() as db:
        assert db.execute("select response_status from transaction.api_access_logs where request_id = %s",
            (mark,)).fetchone() == (401,)


def test_limits_count_down_and_then_refuse(stack):
    client = stack.regulator("Bank Indonesia")
    first = expect(client.get(f"{LIST}?size=1"), 200)
    assert first.headers["X-RateLimit-Limit-Minute"] == "100"
    assert first.headers["X-RateLimit-Limit-Hour"] == "1000"
    assert first.headers["X-RateLimit-Limit-Day"] == "10000"
    assert first.headers["RateLimit-Limit"] == "100"
    left = int(first.headers["RateLimit-Remaining"])
    assert left == 99 and 0 < int(first.headers["RateLimit-Reset"]) <= 60
    statuses = [client.get(f"{LIST}?size=1").status for _ in range(left + 3)]
    assert statuses.count(200) == left
    refused = expect(client.get(LIST), 429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Remaining"] == "0"
    other = stack.transaction.with_headers(X_API_Key=stack.api_key("Bank Indonesia"))
    expect(other.get(LIST), 429)


def test_the_report_adds_up(ojk, moved):
    query = "?from_date=2026-01-01&to_date=2027-01-01"
    rows = expect(ojk.get(REPORT + query), 200).data
    *lines, total = rows
    assert total["day"] == "total"
    assert sum(line["count"] for line in lines) == total["count"] > 0
    csv = ojk.get(REPORT + query + "&format=csv")
    assert csv.status == 200 and csv.headers["Content-Type"].startswith("text/csv")
    assert csv.raw.count(b"\r\n") == len(rows) + 1


@pytest.mark.parametrize("query", ["", "?from_date=2026-01-01", "?from_date=2026-01-01&to_date=2026-01-01",
    "?from_date=2026-01-01&to_date=2028-01-01", "?from_date=2026-01-01T01:00:00Z&to_date=2026-01-02",
    "?from_date=2026-01-01&to_date=2026-01-02&format=pdf"])
def test_a_report_needs_a_sane_range(ojk, query):
    expect(ojk.get(REPORT + query), 400)
