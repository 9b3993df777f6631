"""The gate: logging in and out, cookies, keys, visitors, how often somebody may ask, what is written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context
from dataclasses import replace
from pathlib import Path

import pytest
from browser import application
from fakes import fake_recognizer
from fastapi.testclient import TestClient
from people_of_roles import HERE, WORDS, House, house

from reid.access import LOOPBACK, allowed_hosts
from reid.accounts import FILE, Accounts
from reid.accounts.logins import IDLE_S, LONGEST_S
from reid.actor import LOCAL, NOBODY, Actor, Role, acting
from reid.audit.reading import rows_of
from reid.entrance.cookies import cookie
from reid.entrance.entry import SESSION, VISITOR, Entry, hub_actor
from reid.entrance.login import safe_place
from reid.errors import SettingsError
from reid.server import serve
from reid.settings import Doors, HubLogin, Settings

PAGE = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("gate")) as made:
        yield made


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A demonstration for everybody, where a user may ask little."""
    with house(tmp_path_factory.mktemp("public"), Doors(visitors=True, requests_per_minute=60)) as made:
        yield made


# coming in


def test_whoever_goes_to_a_page_is_led_to_the_login_and_back(opened: House) -> None:
    answer = opened.client.get("/?tab=gallery&person=1", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/%3Ftab%3Dgallery%26person%3D1"
    shown = opened.client.get(answer.headers["location"])
    assert 'value="/?tab=gallery&amp;person=1"' in shown.text
    back = opened.client.post("/login", data={"name": "vi", "password": WORDS, "next": "/?tab=gallery&person=1"})
    assert (back.status_code, back.headers["location"]) == (303, "/?tab=gallery&person=1")
    opened.client.cookies.clear()


def test_a_part_or_a_program_is_told_in_a_sentence(opened: House) -> None:
    answer = opened.client.get("/config")
    assert answer.status_code == 401
    assert "Log in at /login, or send an API key" in answer.text
    assert opened.client.get("/config", headers={"x-api-key": "bf_invented"}).text.startswith("This API key opens")


def test_a_wrong_password_and_an_unknown_name_read_alike(opened: House) -> None:
    answers = [opened.client.post("/login", data={"name": name, "password": "not the words"}) for name in ("Vi", "Vo")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text.replace("Vi", "Vo") == answers[1].text
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_after_many_failures_somebody_waits_even_with_the_right_words(opened: House) -> None:
    for _ in range(5):
        opened.client.post("/login", data={"name": "Olu", "password": "not the words"})
    refused = opened.client.post("/login", data={"name": "Olu", "password": WORDS})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert "Wait 1 seconds" in refused.text
    opened.clock.now += 2
    opened.logged_in("Olu")


@pytest.mark.parametrize(
    "there", ["https://evil.example", "//evil.example", "/\\evil.example", "login", "/login", "/a\nb", "", "/" * 3000]
)
def test_nobody_is_sent_to_another_site(there: str) -> None:
    assert safe_place(there) == "/"


def test_a_form_that_is_too_large_is_not_read(opened: House) -> None:
    assert opened.client.post("/login", data={"name": "x" * 20_000, "password": WORDS}).status_code == 413
    assert opened.client.post("/login", content="&".join(f"a{n}=1" for n in range(50))).status_code == 413


def test_a_name_with_html_stays_text(opened: House) -> None:
    answer = opened.client.post("/login", data={"name": '"><script>x</script>', "password": "no"})
    assert "<script>" not in answer.text


def test_another_sites_form_logs_nobody_in(opened: House) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}):
        answer = opened.client.post("/login", data={"name": "Vi", "password": WORDS}, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_a_cookie_does_not_let_another_sites_page_act(opened: House) -> None:
    browser = opened.logged_in("Ada")
    for path in ("/logout", "/galleries", "/gradio_api/queue/join"):
        answer = browser.post(path, json={"name": "theirs"}, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
    assert browser.get("/config").status_code == 200


# cookies


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(opened: House) -> None:
    answer = opened.client.post("/login", data={"name": "Vi", "password": WORDS})
    held = answer.headers["set-cookie"].split("; ")
    assert held[0].startswith(f"{SESSION}=")
    assert held[1:] == ["Path=/", "HttpOnly", "SameSite=Lax"]
    opened.client.cookies.clear()


def test_the_cookie_is_secure_behind_tls_and_goes_along_in_a_spaces_frame() -> None:
    assert cookie("a", "b", {"scheme": "https"}, Doors(root_path="/faces")) == (
        "a=b; Path=/faces; HttpOnly; SameSite=Lax; Secure"
    )
    assert cookie("a", "b", {"scheme": "http"}, Doors(space=True)) == (
        "a=b; Path=/; HttpOnly; SameSite=None; Secure; Partitioned"
    )
    assert cookie("a", "", {"scheme": "http"}, Doors()).endswith("Max-Age=0")


def test_a_token_that_was_there_before_is_not_the_one_afterwards(opened: House) -> None:
    browser = TestClient(opened.app, base_url=HERE, follow_redirects=False)
    planted = opened.accounts.logins.begin("Vi")
    browser.cookies.set(SESSION, planted)
    given = browser.post("/login", data={"name": "Ada", "password": WORDS}).cookies[SESSION]
    assert given != planted
    assert opened.accounts.logins.find(planted) is None
    invented = TestClient(opened.app, base_url=HERE, cookies={SESSION: "invented"}, follow_redirects=False)
    assert invented.post("/login", data={"name": "Vi", "password": WORDS}).cookies[SESSION] != "invented"


def test_silence_and_a_shift_end_a_login_and_logging_out_ends_it_here(opened: House) -> None:
    browser, silent = opened.logged_in("Vi"), opened.logged_in("Vi")
    opened.clock.now += IDLE_S + 1
    assert silent.get("/config").status_code == 401
    browser = opened.logged_in("Vi")
    token = browser.cookies[SESSION]
    for _ in range(int(LONGEST_S / IDLE_S)):
        assert browser.get("/config").status_code == 200
        opened.clock.now += IDLE_S
    opened.clock.now += 1
    assert browser.get("/config").status_code == 401
    browser = opened.logged_in("Vi")
    token = browser.cookies[SESSION]
    answer = browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert opened.client.get("/config", headers={"cookie": f"{SESSION}={token}"}).status_code == 401


def test_another_role_counts_at_once(opened: House) -> None:
    browser = opened.logged_in("Olu")
    assert browser.get("/imports/x/report.csv").status_code == 404
    opened.accounts.people.set_role("Olu", Role.VIEWER)
    assert browser.get("/imports/x/report.csv").status_code == 403
    opened.accounts.people.set_role("Olu", Role.OPERATOR)
    opened.accounts.people.disable("Olu")
    assert browser.get("/imports/x/report.csv").status_code == 401
    opened.accounts.people.disable("Olu", disabled=False)


# keys


def test_a_key_is_taken_from_both_headers_and_not_for_a_hubs_token(opened: House) -> None:
    key = opened.keys[Role.VIEWER]
    assert opened.client.get("/config", headers={"x-api-key": key}).status_code == 200
    assert opened.client.get("/config", headers={"authorization": f"Bearer {key}"}).status_code == 200
    assert opened.client.get("/config", headers={"authorization": "Bearer hf_theirs"}).status_code == 401
    opened.accounts.keys.make("short", Role.VIEWER)
    opened.accounts.keys.revoke("short")


def test_a_bad_key_is_not_made_good_by_a_cookie(opened: House) -> None:
    browser = opened.logged_in("Ada")
    assert browser.get("/config", headers={"x-api-key": "bf_invented"}).status_code == 401


# what is told without a name


def test_health_tells_strangers_nothing_of_the_gallery(opened: House) -> None:
    assert opened.client.get("/health").json() == {"status": "ok"}
    assert opened.client.get("/health", headers=opened.as_(Role.VIEWER)).json()["people"] == 3


def test_the_refusals_carry_the_headers_of_every_answer(opened: House) -> None:
    for path in ("/config", "/login", "/nowhere"):
        headers = opened.client.get(path).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"


def test_without_an_account_this_machine_asks_nobody_and_with_the_first_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reid.actor._otherwise", LOCAL)
    recognizer, accounts = fake_recognizer(tmp_path), Accounts(tmp_path / FILE)
    with TestClient(application(recognizer, Entry(accounts)), base_url=HERE, follow_redirects=False) as client:
        assert client.get("/config").status_code == 200
        assert client.get("/login").headers["location"] == "/"
        accounts.people.add("Ada", Role.ADMIN, WORDS)
        assert client.get("/config").status_code == 401
        assert Context().run(acting) == NOBODY, "work for which nobody was named"
    accounts.close()
    recognizer.close()


# visitors


def test_visitors_look_and_are_told_apart(public: House) -> None:
    first, second = (TestClient(public.app, base_url=HERE, follow_redirects=False) for _ in range(2))
    for visitor in (first, second):
        assert visitor.get("/", headers=PAGE).status_code == 200
        assert VISITOR in visitor.cookies
    assert first.get("/imports/x/report.csv").status_code == 403
    assert "Look without logging in" in first.get("/login").text
    sent = first.post("/gradio_api/upload", files={"files": ("face.png", b"mine")}).json()[0]
    assert first.get(f"/gradio_api/file={sent}").status_code == 200
    assert second.get(f"/gradio_api/file={sent}").status_code == 404


def test_a_user_may_ask_so_often_and_others_are_not_held_up(public: House) -> None:
    body = {"data": []}
    key, other = public.as_(Role.VIEWER), public.as_(Role.OPERATOR)
    passed = 0
    while (refused := public.client.post("/gradio_api/run/threshold", json=body, headers=key)).status_code == 200:
        passed += 1  # on a slow machine more than the burst before one is too many
        assert passed < 1000
    assert passed >= 20
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert "Wait a moment" in refused.text
    assert public.client.post("/gradio_api/run/threshold", json=body, headers=other).status_code == 200
    assert public.client.get("/health", headers=key).status_code == 200, "looking is not counted"


# starting


def test_with_accounts_other_machines_may_come_and_names_are_still_checked(tmp_path: Path) -> None:
    settings = Settings.from_env({"BYTEFACE_DATA": str(tmp_path), "GRADIO_SERVER_NAME": "192.168.1.4"})
    assert allowed_hosts(settings, accounts=True) == (*LOOPBACK, "192.168.1.4")
    named = replace(settings, hosts=("faces.example.org",))
    assert allowed_hosts(named, accounts=True) == (*LOOPBACK, "faces.example.org")


def test_a_server_that_wants_accounts_does_not_start_without_one(tmp_path: Path) -> None:
    settings = Settings.from_env({"BYTEFACE_DATA": str(tmp_path), "BYTEFACE_ACCOUNTS": "1"})
    with pytest.raises(SettingsError, match="accounts add NAME --role admin"):
        serve(settings, lambda _: None)


def test_doors_are_read_from_the_environment() -> None:
    doors = Doors.from_env(
        {
            "BYTEFACE_VISITORS": "1", "BYTEFACE_ROOT_PATH": "faces/", "BYTEFACE_PROXIES": "127.0.0.1, ::1",
            "BYTEFACE_REQUESTS_PER_MINUTE": "30", "BYTEFACE_HF_ADMINS": "ada, lab", "OAUTH_CLIENT_ID": "id",
            "OAUTH_CLIENT_SECRET": "s3cret",
        }
    )  # fmt: skip
    assert (doors.visitors, doors.root_path, doors.proxies) == (True, "/faces", ("127.0.0.1", "::1"))
    assert (doors.requests_per_minute, doors.hub.admins, doors.hub.wanted) == (30, ("ada", "lab"), True)
    assert "s3cret" not in repr(doors)
    assert Doors.from_env({"SPACE_ID": "a/b"}) == Doors(space=True, proxies=("*",))


def test_a_user_of_the_hub_has_the_role_of_their_name_or_of_their_organisation() -> None:
    hub = HubLogin("id", "secret", admins=("ada",), operators=("lab",))
    assert hub_actor({"user": "Ada", "orgs": ["lab"]}, hub) == Actor("hf:Ada", Role.ADMIN)
    assert hub_actor({"user": "olu", "orgs": ["Lab"]}, hub) == Actor("hf:olu", Role.OPERATOR)
    assert hub_actor({"user": "eve", "orgs": ["evil"]}, hub) == NOBODY
    assert hub_actor({}, hub) == NOBODY


# what is written down


def test_who_came_went_and_was_not_let_in_is_in_the_audit_log(opened: House) -> None:
    before = len(rows_of(opened.recognizer.audit))
    opened.logged_in("Vi").post("/logout")
    opened.client.post("/login", data={"name": "VI", "password": "not the words"})
    opened.client.post("/login", data={"name": WORDS, "password": "Vi"})
    told = sorted(rows_of(opened.recognizer.audit), key=lambda row: row.seq)[before:]
    assert [(row.actor, row.phase, row.facts["did"], row.facts.get("account")) for row in told] == [
        ("Vi", "done", "login", None), ("Vi", "done", "logout", None), ("nobody", "refused", "login", "Vi"),
        ("nobody", "refused", "login", ""),
    ]  # fmt: skip
    assert not [row for row in told if WORDS in row.details], "a password in the wrong field"
