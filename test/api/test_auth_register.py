"""Who may register, what is refused, and do races ever make two people?"""
import concurrent.futures

import pytest

from onegate import PASSWORD, expect, fields, phone_new, unique


def person(**changed):
    name = unique()
    return {"email": name + "@example.com", "username": name,
        "phone": phone_new(), "password": PASSWORD, **changed}


def register(stack, **changed):
    return stack.auth.post("/api/auth/register", person(**changed))


def test_the_answer_is_the_email_as_written(stack):
    email = "Some.One+" + unique() + "@Example.COM"
    answer = expect(register(stack, email=email), 201)
    assert answer.data == email


def test_all_wrong_fields_are_named_at_once(stack):
    answer = expect(stack.auth.post("/api/auth/register", {}), 400)
    assert fields(answer) == {"email", "username", "phone", "password"}
    answer = expect(stack.auth.post("/api/auth/register", {
        "email": "x", "username": "", "phone": "1", "password": "short"}), 400)
    assert fields(answer) == {"email", "username", "phone", "password"}


@pytest.mark.parametrize("field,value,why", [
    ("email", "", "empty"),
    ("email", "plain", "no @"),
    ("email", "@example.com", "nobody"),
    ("email", "a@", "nowhere"),
    ("email", "a@b@example.com", "two @"),
    ("email", "a b@example.com", "a space"),
    ("email", "a@example.com\n", "a line break"),
    ("email", "a" * 250 + "@example.com", "past 255"),
    ("email", 7, "a number"),
    ("email", None, "null"),
    ("email", ["a@example.com"], "a list"),
    ("username", "", "empty"),
    ("username", "a" * 256, "past 255"),
    ("username", " ", "a space alone"),
    ("username", "a\tb", "a tab"),
    ("username", "a\u200bb", "an invisible space"),
    ("username", "a\u202eb", "a direction mark"),
    ("username", "a\u00a0b", "a look-alike space"),
    ("username", True, "a truth value"),
    ("username", {}, "an object"),
    ("phone", "", "empty"),
    ("phone", "0812345678901234", "too long"),
    ("phone", "08123456", "too short"),
    ("phone", "0712345678901", "not 08"),
    ("phone", "+12025550123", "another country"),
    ("phone", "08123456789a", "a letter"),
    ("phone", "\u0660\u0668123456789", "other digits"),
    ("phone", 81234567890, "a number"),
    ("password", "", "empty"),
    ("password", "seven77", "under 8"),
    ("password", "a" * 256, "past 255"),
    ("password", "password", "the most common"),
    ("password", "12345678", "the most common"),
    ("password", 1234567890, "a number"),
])
def test_a_wrong_field_is_named(stack, field, value, why):
    answer = expect(register(stack, **{field: value}), 400)
    assert fields(answer) == {field}, why


def test_the_password_is_not_one_of_the_names(stack):
    one = person()
    for name in ("username", "email"):
        answer = expect(stack.auth.post("/api/auth/register",
            {**one, "password": one[name]}), 400)
        assert fields(answer) == {"password"}


@pytest.mark.parametrize("password", ["8 bytes!", "x" * 255,
    "p\u00e4ssw\u00f6rd \U0001f511 sehr gut", " spaces stay "])
def test_edge_passwords_sign_in(stack, password):
    stack.register(password=password).login()


@pytest.mark.parametrize("field,spelling", [
    ("email", str.upper), ("username", str.upper), ("username", str.title),
    ("phone", lambda phone: "+62" + phone[1:]), ("phone", str)])
def test_a_taken_name_is_409_in_any_spelling(stack, field, spelling):
    one = person()
    expect(stack.auth.post("/api/auth/register", one), 201)
    answer = expect(register(stack, **{field: spelling(one[field])}), 409,
        "already_registered")
    assert answer.meta["fields"] == field


def test_composed_and_decomposed_names_are_one(stack):
    name = unique()
    expect(register(stack, username=name + "\u00e9"), 201)
    expect(register(stack, username=name + "e\u0301"), 409)


def test_a_race_for_one_name_has_one_winner_and_no_500(stack):
    for field in ("email", "username", "phone"):
        shared = person()[field]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(
                lambda _: register(stack, **{field: shared}), range(8)))
        statuses = sorted(answer.status for answer in answers)
        assert statuses == [201] + [409] * 7, (field, statuses)
        with stack.pg() as database:
            column = {"email": "email_key", "username": "username_key"}
            found = database.execute("select count(*) from auth.users where "
                + column.get(field, field) + " = %s", (shared,)).fetchone()[0]
        assert found == 1


def test_one_event_opens_the_account(stack):
    user = stack.user()
    me = expect(user.auth.get("/api/auth/me"), 200).data
    with stack.pg() as database:
        kinds = [row[0] for row in database.execute(
            "select kind from auth.user_events where user_id = %s",
            (me["id"],))]
    assert kinds == ["registered"]
    assert user.account()["user_id"] == me["id"]


def test_what_is_stored_is_argon2id_and_no_secret(stack):
    user = stack.register()
    with stack.pg() as database:
        stored = database.execute(
            "select password from auth.users where username = %s",
            (user.username,)).fetchone()[0]
    assert stored.startswith("$argon2id$v=19$m=")
    assert user.password not in stored
