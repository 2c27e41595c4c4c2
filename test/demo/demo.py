"""The demonstration: two people, two providers, a merchant and a regulator.

    demo.py AUTH_URL PAYMENT_URL TRANSACTION_URL     (ONEGATE_DEMO_KEY: an API key)

Each step is a real request to the running stack and one line of the table.
The first answer that is not what it should be ends it with status 1.
"""
import http.client
import json
import os
import secrets
import sys
import time
import urllib.parse
from decimal import Decimal

WAIT_SECONDS = 20
WIDTH = 27, 44, 6


class Unexpected(Exception):
    """An answer that the demonstration cannot go on with."""


def call(base, method, path, body=None, headers=None):
    """(status, whole answer); nothing is raised for an error status."""
    url = urllib.parse.urlsplit(base)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=15)
    sent = dict(headers or {})
    text = None
    if body is not None:
        sent["Content-Type"] = "application/json"
        text = json.dumps(body)
    try:
        connection.request(method, path, text, sent)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content, parse_float=str)
    finally:
        connection.close()


def rupiah(text):
    """"150000.00" -> "Rp 150,000.00"."""
    whole, _, cents = str(text).partition(".")
    return f"Rp {int(whole):,}.{cents or '00'}"


def step(title, base, method, path, expected, body=None, headers=None,
         told=None):
    """One request, one line. `told` makes the last column of the data."""
    status, answer = call(base, method, path, body, headers)
    data = answer.get("data")
    request = f"{method} {path}"
    if len(request) > WIDTH[1]:
        request = request[:WIDTH[1] - 3] + "..."
    result = answer["meta"]["message"]
    if status == expected and told:
        result = told(data)
    print(f"{title:{WIDTH[0]}} {request:{WIDTH[1]}} {status:<{WIDTH[2]}} "
          f"{result}", flush=True)
    if status != expected:
        raise Unexpected(f"{title}: expected {expected}, got {status}: "
                         f"{json.dumps(answer)}")
    return data


def until(what, base, path, headers, good):
    """Asks again until the data is good; the wait has an end."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        status, answer = call(base, "GET", path, None, headers)
        if status == 200 and good(answer["data"]):
            return answer["data"]
        if time.monotonic() > deadline:
            raise Unexpected(f"{what}: not after {WAIT_SECONDS} s: "
                             f"{json.dumps(answer)}")
        time.sleep(0.1)


class Person:
    """Somebody with a phone and a password."""

    def __init__(self, name, auth):
        tag = secrets.token_hex(3)
        self.username = f"{name}-{tag}"
        self.phone = f"0812{secrets.randbelow(8999) + 1000}0001"
        self.password = secrets.token_urlsafe(18)
        self.auth = auth
        self.headers = {}

    def join(self):
        name = self.username
        step(f"{name} registers", self.auth, "POST", "/api/auth/register", 201,
             {"email": f"{name}@example.id", "username": name,
              "phone": self.phone, "password": self.password},
             told=lambda data: f"welcome {data}")
        tokens = step(f"{name} signs in", self.auth, "POST",
                      "/api/auth/login", 200,
                      {"username": name, "password": self.password},
                      told=lambda _: "access token for 15 minutes")
        self.headers = {"Authorization": "Bearer " + tokens["access_token"]}

    def spend(self):
        """Headers of a request that moves money: safe to repeat."""
        return self.headers | {"Idempotency-Key": secrets.token_urlsafe(16)}


def transaction(data):
    """What a line says about a transaction."""
    text = f"{data['transaction_status']} {rupiah(data['amount'])}"
    if data.get("balance_after") is not None:
        text += f", balance {rupiah(data['balance_after'])}"
    return text


def bring_money_in(payment, budi):
    charged = step("charge GoPay", payment, "POST", "/api/payment/topup", 201,
                   {"amount": "500000.00", "payment_method": "GOPAY",
                    "phone_number": budi.phone}, budi.spend(), transaction)
    path = f"/api/payment/transactions/{charged['transaction_id']}"
    until("GoPay's confirmation", payment, path, budi.headers,
          lambda data: data["transaction_status"] == "SUCCESS")
    step("  GoPay confirms", payment, "GET", path, 200, None, budi.headers,
         transaction)


def pay_merchant(payment, budi):
    merchants = step("who can be paid", payment, "GET",
                     "/api/payment/merchants", 200, None, budi.headers,
                     told=lambda data: f"{len(data)} merchants, such as "
                     + data[0]["name"])
    bill = step("a bill from the first", payment, "POST",
                "/api/payment/payments", 201,
                {"merchant_id": merchants[0]["merchant_id"],
                 "amount": "75000.00", "description": "lunch"},
                budi.spend())
    path = f"/api/payment/payments/{bill['id']}"
    step("pay it", payment, "POST", path + "/process", 200, {}, budi.spend())
    step("refund a part", payment, "POST", path + "/refund", 200,
         {"amount": "25000.00", "reason": "one dish was missing"},
         budi.spend())


def history(payment, person):
    rows = step(f"{person.username}'s history", payment, "GET",
                "/api/payment/transactions", 200, None, person.headers,
                told=lambda data: f"{len(data)} transactions")
    print()
    for row in reversed(rows):
        more = Decimal(row["balance_after"]) > Decimal(row["balance_before"])
        print(f"    {row['transaction_type']:9} {row['transaction_status']:8}"
              f" {'+' if more else '-'} {rupiah(row['amount']):>14}"
              f"  balance {rupiah(row['balance_after']):>14}"
              f"  {row['description'] or '':22} {row['transaction_id']}")
    print()
    return rows


def regulator(url, seen):
    """Bank Indonesia finds the same transactions in the read model."""
    headers = {"X-API-Key": os.environ["ONEGATE_DEMO_KEY"]}
    wanted = {row["transaction_id"] for row in seen}
    path = "/api/transaction/histories?page=1&size=50"
    until("the read model", url, path, headers,
          lambda data: wanted <= {row["transaction_id"] for row in data})
    step("Bank Indonesia reads them", url, "GET", path, 200, None, headers,
         lambda data: f"all {len(wanted)} of them among {len(data)}")
    step("  one in detail", url, "GET",
         f"/api/transaction/histories/{seen[0]['transaction_id']}", 200, None,
         headers, transaction)
    step("  without a key", url, "GET", "/api/transaction/histories", 401)


def main():
    auth, payment, transactions = sys.argv[1:]
    budi, sari = Person("budi", auth), Person("sari", auth)
    print(f"{'step':{WIDTH[0]}} {'request':{WIDTH[1]}} {'status':{WIDTH[2]}} "
          "result")
    print("-" * 110)
    budi.join()
    sari.join()
    bring_money_in(payment, budi)
    step("transfer to " + sari.username, payment, "POST",
         "/api/payment/transfer", 201,
         {"to": sari.username, "amount": "150000.00",
          "description": "thank you"}, budi.spend(), transaction)
    step("  more than there is", payment, "POST", "/api/payment/transfer", 422,
         {"to": sari.username, "amount": "9000000.00"}, budi.spend())
    pay_merchant(payment, budi)
    step("top up a ShopeePay wallet", payment, "POST",
         "/api/payment/wallet/topup", 200,
         {"amount": 50000, "payment_method": "SHOPEE_PAY",
          "phone_number": sari.phone}, budi.spend(), transaction)
    seen = history(payment, budi)
    step(f"{sari.username}'s balance", payment, "GET", "/api/payment/balance",
         200, None, sari.headers, lambda data: rupiah(data["balance"]))
    regulator(transactions, seen)


if __name__ == "__main__":
    try:
        main()
    except (Unexpected, OSError, KeyError, ValueError) as bad:
        said = " ".join(str(bad).split())[:160]
        sys.exit(f"demo: {type(bad).__name__}: {said}; ./onegate logs says more")
