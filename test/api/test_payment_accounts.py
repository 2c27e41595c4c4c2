"""What does a user see of the account, and of nobody else's?"""
import re
import uuid

import pytest

from onegate import exact, expect

MONEY = re.compile(r'"balance":(-?[0-9]+\.[0-9]{2})[,}]')
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_a_new_user_has_an_empty_active_account(stack):
    user = stack.user()
    account = user.account()
    assert uuid.UUID(account["id"]).version == 7
    assert account["currency"] == "IDR"
    assert account["account_status"] == "ACTIVE"
    assert account["balance"] == 0
    for name in ("created_at", "updated_at"):
        assert TIME.fullmatch(account[name])
    me = expect(user.auth.get("/api/auth/me"), 200).data
    assert account["user_id"] == me["id"]


def test_money_is_printed_with_two_decimals(stack, alice):
    for path in ("/api/payment/account", "/api/payment/balance"):
        answer = expect(alice.payment.get(path), 200)
        assert MONEY.search(answer.raw.decode()), answer
    assert expect(alice.payment.get("/api/payment/balance"),
        200).data["currency"] == "IDR"


def test_account_and_balance_agree(alice):
    balance = exact(alice.payment.get("/api/payment/balance"))
    account = exact(alice.payment.get("/api/payment/account"))
    assert balance["data"]["balance"] == account["data"]["balance"]


def test_the_cookie_serves_as_well_as_the_bearer(stack, alice):
    client = stack.payment.with_headers(
        Cookie="auth-token=" + alice.access_token)
    assert expect(client.get("/api/payment/account"),
        200).data["id"] == alice.account()["id"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"},
    {"Authorization": "Basic YTpi"}, {"Cookie": "auth-token=none"}])
def test_nobody_else_gets_in(stack, headers):
    for path in ("/api/payment/account", "/api/payment/balance",
            "/api/payment/transactions", "/api/payment/payments"):
        expect(stack.payment.get(path, headers=headers), 401)


@pytest.mark.parametrize("method", ["GOPAY", "SHOPEE_PAY"])
def test_a_wallet_is_shown_as_the_provider_has_it(stack, method):
    user = stack.user()
    name = {"GOPAY": "gopay", "SHOPEE_PAY": "shopeepay"}[method]
    stack.sandbox.wallet_set(name, user.phone, 175_000)
    wallet = expect(user.payment.get(
        "/api/payment/wallet?ewallet=" + name), 200).data
    assert wallet["balance"] == 175_000
    assert wallet["currency"] == "IDR"
    assert wallet["provider"].lower().replace("_", "") == name
    prefix = {"gopay": "898", "shopeepay": "897"}[name]
    assert wallet["account_number"] == prefix + user.phone
    assert TIME.fullmatch(wallet["last_updated"])


@pytest.mark.parametrize("query", ["", "?ewallet=", "?ewallet=ovo",
    "?ewallet=gopay&ewallet=gopay", "?wallet=gopay"])
def test_an_unknown_wallet_is_400(alice, query):
    expect(alice.payment.get("/api/payment/wallet" + query), 400)


def test_a_wallet_whose_provider_is_down_is_502(stack, sandbox):
    user = stack.user()
    sandbox.fault("error_503", call="balance", phone=user.phone)
    expect(user.payment.get("/api/payment/wallet?ewallet=gopay"), 502)
