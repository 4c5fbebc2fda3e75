"""Middleware on the event loop: Django's own answers, without Django's thread hops."""

import re

import pytest
import redis
from asgiref.sync import SyncToAsync, sync_to_async
from django.test import AsyncClient
from django.urls import reverse

from tests.making import user

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "housevalue.middleware."
STOCK = {
    "SecurityMiddleware": "django.middleware.security.SecurityMiddleware",
    "CSPMiddleware": "csp.middleware.CSPMiddleware",
    "SessionMiddleware": "django.contrib.sessions.middleware.SessionMiddleware",
    "CommonMiddleware": "django.middleware.common.CommonMiddleware",
    "CsrfViewMiddleware": "django.middleware.csrf.CsrfViewMiddleware",
    "AuthenticationMiddleware": "django.contrib.auth.middleware.AuthenticationMiddleware",
    "MessageMiddleware": "django.contrib.messages.middleware.MessageMiddleware",
    "XFrameOptionsMiddleware": "django.middleware.clickjacking.XFrameOptionsMiddleware",
}


def stock(middleware: list[str]) -> list[str]:
    """The same chain of Django's own classes."""
    return [STOCK[name.removeprefix(OURS)] if name.startswith(OURS) else name for name in middleware]


@pytest.fixture
def hops(monkeypatch) -> list[str]:
    """The names of the functions that were run on a thread, in order."""
    called: list[str] = []
    call = SyncToAsync.__call__

    async def counted(self, *args, **kwargs):
        called.append(getattr(self.func, "__qualname__", repr(self.func)))
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    return called


async def hops_of(hops: list[str], path: str) -> list[str]:
    client = AsyncClient()
    await client.get(path)
    hops.clear()
    assert (await client.get(path)).status_code == 200
    return list(hops)


async def test_a_request_without_a_session_makes_no_hop_for_any_middleware(hops, settings):
    with_middleware = await hops_of(hops, "/healthz")
    settings.MIDDLEWARE = []
    assert with_middleware == await hops_of(hops, "/healthz")


async def test_djangos_own_chain_would_make_a_dozen(hops, settings):
    few = len(await hops_of(hops, "/healthz"))
    settings.MIDDLEWARE = stock(settings.MIDDLEWARE)
    assert len(await hops_of(hops, "/healthz")) > few + 8


@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("get", "/", {}),
        ("get", "/healthz", {}),
        ("get", "/accounts/login/", {}),
        ("get", "/admin", {}),
        ("get", "/admin/", {}),
        ("get", "/no-such-page", {}),
        ("post", "/", {}),
        ("post", "/accounts/login/", {}),
        ("post", "/predict_api", {}),
        ("get", "/healthz", {"Host": "evil.example"}),
        ("get", "/", {"HX-Request": "true"}),
        ("options", "/predict_api", {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}),
    ],
)
async def test_status_and_headers_are_those_of_djangos_own_chain(settings, https, method, path, headers):
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = https
    settings.SECURE_HSTS_SECONDS = 3600 if https else 0
    settings.CORS_ALLOWED_ORIGINS = ["https://other.example"]

    async def ask(secure: bool) -> tuple[int, dict[str, str]]:
        client = AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)
        response = await getattr(client, method)(path, headers=headers, secure=secure)
        cookies = {f"cookie {name}": _masked(morsel.OutputString()) for name, morsel in response.cookies.items()}
        return response.status_code, {name: _masked(value) for name, value in response.headers.items()} | cookies

    chain = settings.MIDDLEWARE
    for secure in (False, True):
        settings.MIDDLEWARE = chain
        ours = await ask(secure)
        settings.MIDDLEWARE = stock(chain)
        assert ours == await ask(secure)


def _masked(value: str) -> str:
    """Without what is random or tells the time."""
    value = re.sub(r"(csrftoken|visitor|sessionid)=[^;]*", r"\1=...", value)
    value = re.sub(r"nonce-[^']*", "nonce-...", value)
    return re.sub(r"\w{3}, \d\d[ -]\w{3}[ -]\d{4} [\d:]{8} GMT", "a date", value)


async def test_pages_carry_the_headers_that_protect_them(settings):
    settings.SECURE_HSTS_SECONDS = 3600
    response = await AsyncClient().get("/", secure=True)
    assert response["X-Frame-Options"] == "DENY"
    assert response["Strict-Transport-Security"].startswith("max-age=3600")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_form_without_the_csrf_token_is_forbidden_and_with_it_taken():
    browser = AsyncClient(enforce_csrf_checks=True)
    page = await browser.get("/accounts/login/")
    form = {"username": "ada", "password": "wrong"}
    assert (await browser.post("/accounts/login/", form)).status_code == 403
    form["csrfmiddlewaretoken"] = page.cookies["csrftoken"].value
    assert (await browser.post("/accounts/login/", form)).status_code == 200


async def test_a_forbidden_form_of_a_signed_in_browser_is_a_page_and_no_crash():
    """The page that says so may ask for the user, which no event loop may do."""
    browser = AsyncClient(enforce_csrf_checks=True)
    await browser.aforce_login(await sync_to_async(user)(), backend="django.contrib.auth.backends.ModelBackend")
    response = await browser.post("/", {"med_inc": "3"})
    assert response.status_code == 403


async def test_a_session_that_changed_is_stored_and_its_cookie_set():
    await sync_to_async(user)()
    browser = AsyncClient()
    response = await browser.post("/accounts/login/", {"username": "ada", "password": "correct horse"})
    assert response.status_code == 302
    assert response.cookies["sessionid"]["httponly"]
    page = await browser.get(reverse("password_change"))
    assert page.status_code == 200, "the next request knows the user"
    assert "Cookie" in page["Vary"]
    assert "sessionid" not in page.cookies, "an unchanged session sets no cookie again"


async def test_a_session_survives_a_redis_that_lost_everything(valkey, settings):
    await sync_to_async(user)()
    browser = AsyncClient()
    await browser.post("/accounts/login/", {"username": "ada", "password": "correct horse"})
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
    assert (await browser.get(reverse("password_change"))).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_is_not_sent_to_https_where_everything_else_is(settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert (await AsyncClient().get("/")).status_code == 301
    assert (await AsyncClient().get(path)).status_code in (200, 503)
