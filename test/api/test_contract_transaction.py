"""Does transaction keep the contract with the regulators?

What happened in payment is read here, by those with a key, as often as their
limits allow, and every call leaves a row behind.
"""
import itertools
import re
import time

import pytest

from onegate import exact, expect, unique, until

ID = "0190a000-0000-7000-8000-000000000000"
LAG_SECONDS = 10
FIELDS = {"id", "transaction_id", "transaction_type", "transaction_status",
    "amount", "balance_before", "balance_after", "currency",
    "payment_method", "description", "created_at", "is_accessible_external"}
LISTS = ("/api/transaction/histories", "/api/transactions")


@pytest.fixture(scope="module")
def regulator(stack):
    return stack.regulator()


@pytest.fixture(scope="module")
def moved(stack, regulator):
    """Transfers that have arrived in the read model, oldest first."""
    giver, taker = stack.user(balance=100_000), stack.user()
    sent = [expect(giver.transfer(taker, number), 201).data
        for number in range(1, 8)]
    until(lambda: regulator.get("/api/transaction/histories/"
        + sent[-1]["id"]).status == 200, LAG_SECONDS)
    return sent


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_newest_first_with_its_page(regulator, moved, path):
    answer = expect(regulator.get(path + "?size=5"), 200)
    assert answer.meta["size"] == 5 == len(answer.data)
    assert "next_cursor" in answer.meta
    times = [found["created_at"] for found in answer.data]
    assert times == sorted(times, reverse=True)
    for found in answer.data:
        assert set(found) >= FIELDS
    assert re.search(rb'"amount":\d+\.\d\d[,}]', answer.raw)


def test_what_was_sent_is_read(regulator, moved):
    for sent in moved:
        for name in (sent["id"], sent["transaction_id"]):
            for path in LISTS:
                found = expect(regulator.get(f"{path}/{name}"), 200).data
                for field in ("id", "transaction_id", "transaction_type",
                        "transaction_status", "amount", "currency",
                        "balance_before", "balance_after", "created_at"):
                    assert found[field] == sent[field], field


@pytest.mark.parametrize("name", [ID, "TRX-" + "0" * 26, "TRX-", "x", "0",
    "-1", "%00", "a" * 300, "' or 1=1 --".replace(" ", "%20"),
    "TRX-" + "Z" * 26, "TRX-" + "0" * 26 + "-GPX"])
def test_what_is_not_there_is_404(regulator, name):
    for path in LISTS:
        answer = regulator.get(f"{path}/{name}")
        assert answer.status in (404, 400), (path, answer)
        expect(answer, answer.status)


def test_pages_count_from_one_here_and_from_zero_there(regulator, moved):
    first = expect(regulator.get(
        "/api/transaction/histories?page=1&size=3"), 200)
    zeroth = expect(regulator.get("/api/transactions?page=0&size=3"), 200)
    assert [found["id"] for found in first.data] == \
        [found["id"] for found in zeroth.data]
    assert first.meta["page"] == 1 and zeroth.meta["page"] == 0
    assert first.meta["total"] >= 7
    second = expect(regulator.get(
        "/api/transaction/histories?page=2&size=3"), 200)
    assert not {found["id"] for found in first.data} & \
        {found["id"] for found in second.data}


def test_a_cursor_walks_without_gap_or_repeat(regulator, moved):
    seen, cursor = [], ""
    for _ in range(6):
        answer = expect(regulator.get(
            f"/api/transaction/histories?size=2{cursor}"), 200)
        seen += [found["id"] for found in answer.data]
        if answer.meta["next_cursor"] is None:
            break
        cursor = "&cursor=" + answer.meta["next_cursor"]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("query", [
    "size=0", "size=101", "size=-1", "size=x", "size=1.5", "size=", "size=%00",
    "page=0", "page=-1", "page=x", "page=1.5", "page=99999999999999999999",
    "type=NOPE", "type=transfer x", "status=NOPE", "payment_method=OVO",
    "from_date=yesterday", "from_date=2026-13-01", "from_date=2026-02-30",
    "to_date=x", "to_date=2026-01-01T25:00:00Z", "cursor=x", "cursor=%00",
    "cursor=" + "A" * 500, "size=1&size=2", "from_date=' or 1=1",
])
def test_a_bad_query_is_400(regulator, query):
    answer = regulator.get("/api/transaction/histories?"
        + query.replace(" ", "%20"))
    expect(answer, 400)


@pytest.mark.parametrize("query,check", [
    ("type=TRANSFER", lambda row: row["transaction_type"] == "TRANSFER"),
    ("type=TOPUP", lambda row: row["transaction_type"] == "TOPUP"),
    ("status=SUCCESS", lambda row: row["transaction_status"] == "SUCCESS"),
    ("payment_method=GOPAY", lambda row: row["payment_method"] == "GOPAY"),
    ("from_date=2020-01-01&to_date=2099-12-31", lambda row: True),
    ("from_date=2020-01-01T00:00:00Z", lambda row: True),
])
def test_a_filter_filters(regulator, moved, query, check):
    answer = expect(regulator.get(
        "/api/transaction/histories?size=100&" + query), 200)
    assert answer.data
    assert all(check(found) for found in answer.data)


def test_ranges_are_half_open(regulator, moved):
    at = moved[3]["created_at"]
    path = "/api/transaction/histories?size=100&"
    since = {found["id"] for found in expect(
        regulator.get(f"{path}from_date={at}"), 200).data}
    before = {found["id"] for found in expect(
        regulator.get(f"{path}to_date={at}"), 200).data}
    assert moved[3]["id"] in since and moved[3]["id"] not in before
    assert not since & before
    assert expect(regulator.get(path + "from_date=2099-01-01"), 200).data == []


def test_money_is_exact_here_too(stack, regulator):
    giver, taker = stack.user(balance=10_000), stack.user()
    sent = expect(giver.transfer(taker, "0.07"), 201).data
    answer = until(lambda: (found := regulator.get(
        "/api/transaction/histories/" + sent["id"])).status == 200 and found,
        LAG_SECONDS)
    assert b'"amount":0.07' in answer.raw
    assert str(exact(answer)["data"]["balance_after"]) in ("9999.93", "0.07")


# -- keys --------------------------------------------------------------------------------------------

def test_a_key_without_the_permission_is_403(stack, moved):
    client = stack.regulator(None, "--permissions", "READ_REPORTS")
    for path in LISTS:
        expect(client.get(path), 403)
        expect(client.get(f"{path}/{moved[0]['id']}"), 403)
    client = stack.regulator(None, "--permissions", "READ_TRANSACTIONS")
    expect(client.get(LISTS[0]), 200)


def test_an_ended_key_is_401(stack):
    from onegate import command
    key = stack.api_key()
    client = stack.transaction.with_headers(X_API_Key=key)
    expect(client.get(LISTS[0]), 200)
    command("key", "revoke", key)
    until(lambda: client.get(LISTS[0]).status == 401, 5)
    expect(client.get(LISTS[0]), 401)
    past = stack.regulator(None, "--expires", "2020-01-01T00:00:00Z")
    expect(past.get(LISTS[0]), 401)


def test_a_key_almost_right_is_401(stack):
    key = stack.api_key()
    for wrong in (key[:-1], key + "0", key.upper(), key.replace("ogk_", ""),
            key[:-1] + ("0" if key[-1] != "0" else "1"), f"Bearer {key}"):
        answer = stack.transaction.get(LISTS[0],
            headers={"X-API-Key": wrong})
        expect(answer, 401)
        assert key not in answer.raw.decode()


def test_a_person_s_token_opens_nothing_here(stack):
    user = stack.user()
    expect(stack.transaction.get(LISTS[0], headers={
        "Authorization": "Bearer " + user.access_token}), 401)


# -- limits --------------------------------------------------------------------------------------------

def number(answer, name):
    return int(answer.headers[name].split(",")[0].split(";")[0])


def test_the_limit_of_a_minute_is_kept_and_told(stack):
    client = stack.regulator(stack.service(minute=10))
    # Not across the end of a minute, should windows begin with it.
    until(lambda: time.time() % 60 < 50, 15)
    for used in range(1, 11):
        answer = expect(client.get(LISTS[0] + "?size=1"), 200)
        assert number(answer, "RateLimit-Limit") == 10
        assert number(answer, "RateLimit-Remaining") == 10 - used
        assert 0 <= number(answer, "RateLimit-Reset") <= 60
        assert number(answer, "X-RateLimit-Limit-Minute") == 10
    answer = expect(client.get(LISTS[0] + "?size=1"), 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert number(answer, "RateLimit-Remaining") == 0


@pytest.mark.parametrize("window", ["hour", "day"])
def test_every_window_counts(stack, window):
    client = stack.regulator(stack.service(**{window: 3}))
    statuses = [client.get(LISTS[0] + "?size=1").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]


def test_a_key_may_have_a_limit_of_its_own(stack):
    service = stack.service(minute=100)
    free = stack.regulator(service)
    for _ in range(4):
        expect(free.get(LISTS[0] + "?size=1"), 200)
    text = stack.api_key(service)
    with stack.pg() as pg:
        pg.execute("""update transaction.api_keys
            set rate_limit_count = 2, rate_limit_unit = 'minute'
            where left(%s, length(key_prefix)) = key_prefix""", (text,))
    tight = stack.transaction.with_headers(X_API_Key=text)
    for left in ("1", "0"):
        answer = expect(tight.get(LISTS[0] + "?size=1"), 200)
        assert answer.headers["RateLimit-Limit"] == "2"
        assert answer.headers["RateLimit-Remaining"] == left
        assert answer.headers["X-RateLimit-Limit-Minute"] == "100"
    answer = expect(tight.get(LISTS[0] + "?size=1"), 429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    expect(free.get(LISTS[0] + "?size=1"), 200)


def test_two_keys_of_one_consumer_share_its_limit(stack):
    service = stack.service(minute=4)
    clients = [stack.regulator(service) for _ in range(2)]
    until(lambda: time.time() % 60 < 50, 15)
    statuses = [client.get(LISTS[0] + "?size=1").status
        for client in clients * 3]
    assert statuses.count(200) == 4 and statuses.count(429) == 2


# -- who read what --------------------------------------------------------------------------------------

def test_every_call_leaves_a_row_before_its_answer(stack):
    agent = unique("agent-")
    client = stack.regulator(stack.service(day=3)).with_headers(
        User_Agent=agent)
    calls = [("/api/transaction/histories?size=1", 200),
        (f"/api/transaction/histories/{ID}", 404),
        ("/api/transaction/histories?size=0", 400),
        ("/api/transaction/histories", 429)]
    with stack.pg() as pg:
        for count, (path, status) in enumerate(calls, 1):
            assert client.get(path).status == status
            rows = pg.execute("""select endpoint, http_method,
                response_status, external_service_id is not null,
                api_key_id is not null, host(ip_address)
                from transaction.api_access_logs where user_agent = %s
                order by id""", (agent,)).fetchall()
            assert len(rows) == count, "a call left no row"
            assert rows[-1][0].startswith("/api/transaction/histories")
            assert rows[-1][1:] == ("GET", status, True, True, "127.0.0.1")
        stack.transaction.get(LISTS[0], headers={"User-Agent": agent,
            "X-API-Key": "ogk_unknown"})
        stack.transaction.get(LISTS[0], headers={"User-Agent": agent})
        rows = pg.execute("""select response_status, api_key_id
            from transaction.api_access_logs where user_agent = %s
            order by id desc limit 2""", (agent,)).fetchall()
        assert rows == [(401, None), (401, None)]


def test_an_address_that_anybody_could_write_is_not_believed(stack):
    agent = unique("agent-")
    client = stack.regulator().with_headers(User_Agent=agent,
        X_Forwarded_For="203.0.113.7", X_Consumer_Custom_ID="someone")
    expect(client.get(LISTS[0] + "?size=1"), 200)
    with stack.pg() as pg:
        row = pg.execute("""select host(ip_address)
            from transaction.api_access_logs where user_agent = %s""",
            (agent,)).fetchone()
    assert row in (("127.0.0.1",), ("203.0.113.7",))


@pytest.mark.parametrize("path", LISTS)
def test_a_page_past_the_end_is_empty(regulator, moved, path):
    answer = expect(regulator.get(path + "?page=9999&size=100"), 200)
    assert answer.data == [] and answer.meta["next_cursor"] is None
    assert answer.meta["page"] == 9_999
    assert answer.meta["total"] >= len(moved)


@pytest.mark.parametrize("path", LISTS)
def test_nothing_happened_before_the_epoch(regulator, moved, path):
    answer = expect(regulator.get(path + "?to_date=1970-01-01"), 200)
    assert answer.data == [] and answer.meta["total"] == 0


@pytest.mark.parametrize("offset", ["%2B00:00", "+00:00", "Z", "+07:00"])
def test_a_time_has_an_offset(regulator, moved, offset):
    expect(regulator.get(LISTS[0] + "?from_date=2026-01-01T00:00:00"
        + offset), 200)


@pytest.mark.parametrize("path", ["/api/transaction/nothing",
    "/api/transaction/histories/", "/api/transaction/histories/a/b",
    "/api/transactions/", "/api/transaction/reports/nothing"])
def test_a_path_to_nowhere_leaves_a_row_too(stack, path):
    service = stack.service()
    for client, known in ((stack.regulator(service), True),
            (stack.transaction, False)):
        answer = client.get(path)
        status = 401 if "reports" in path and not known else 404
        expect(answer, status)
        with stack.pg() as pg:
            rows = pg.execute("""select l.response_status, s.code
                from transaction.api_access_logs l
                left join transaction.external_services s
                    on s.id = l.external_service_id
                where l.request_id = %s""",
                (answer.headers["X-Request-Id"],)).fetchall()
        assert rows == [(status, service if known else None)]


def test_reports_that_are_none_need_the_permission(stack):
    client = stack.regulator(None, "--permissions", "READ_TRANSACTIONS")
    expect(client.get("/api/transaction/reports/nothing"), 403,
        "permission_missing")


@pytest.mark.parametrize("path", LISTS)
def test_a_wrong_method_is_405_whatever_the_key(stack, path):
    for headers in ({}, {"X-API-Key": "nobody"}):
        answer = expect(stack.transaction.post(path, {}, headers=headers), 405)
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", LISTS)
def test_pages_past_the_bound_are_refused_with_a_hint(regulator, path):
    answer = regulator.get(path + "?page=1000000&size=100")
    expect(answer, 400)
    assert "cursor" in answer.raw.decode().lower()


def test_lists_with_and_without_names_agree(regulator, moved):
    rows = [expect(regulator.get(path + "?size=7&type=TRANSFER"), 200).data
        for path in LISTS]
    for one, two in itertools.pairwise(rows):
        assert [row["id"] for row in one] == [row["id"] for row in two]
