"""Who asks: a signed-in user, a program with a token, or a visitor without an account.

The same answer for HTTP and WebSocket. Everything here blocks on the database and cache.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from predictions.models import ApiToken

VISITOR_COOKIE = "visitor"
VISITOR_COOKIE_SECONDS = 180 * 24 * 3600
_signer = signing.Signer(salt="predictions.visitor")
# A token's last use is shown to the day's minute, not to the request.
_LAST_USED_GRAIN = timedelta(minutes=1)


class BadToken(Exception):
    """An Authorization header that names no valid token."""


@dataclass(frozen=True)
class Caller:
    """One who asks. `feed_key` names the feed that tells of the answers; `user` is None for a visitor."""

    feed_key: str
    user: User | None = None
    by_session: bool = False

    @classmethod
    def of_user(cls, user: User, *, by_session: bool = False) -> "Caller":
        return cls(feed_key=f"u{user.pk}", user=user, by_session=by_session)

    @property
    def is_visitor(self) -> bool:
        return self.user is None


def identify(cookies: Mapping[str, str], authorization: str = "") -> Caller:
    """The caller behind these cookies and this Authorization header; a stranger becomes a new visitor.

    Raises:
        BadToken: a token was given and is unknown or revoked.
    """
    if authorization:
        return Caller.of_user(user_of_token(authorization))
    session_key = cookies.get(settings.SESSION_COOKIE_NAME)
    if session_key and (user := _user_of_session(session_key)) is not None:
        return Caller.of_user(user, by_session=True)
    return Caller(feed_key=visitor_of(cookies) or f"v{secrets.token_hex(16)}")


def is_still(caller: Caller, cookies: Mapping[str, str], authorization: str = "") -> bool:
    """Whether who was identified as `caller` by these may still be told: a user's session or token may have ended."""
    if caller.is_visitor:
        return True
    try:
        return identify(cookies, authorization).feed_key == caller.feed_key
    except BadToken:
        return False


def identify_request(request: HttpRequest) -> Caller:
    """`identify` for a request that went through Django's middleware."""
    return identify(request.COOKIES, request.headers.get("Authorization", ""))


def caller_of(request: HttpRequest) -> Caller:
    """The caller of a request whose user is found already: by the session on a page, by REST's authentication."""
    if request.user.is_authenticated:
        return Caller.of_user(request.user)
    return identify({VISITOR_COOKIE: request.COOKIES.get(VISITOR_COOKIE, "")})


def remember_visitor(response: HttpResponseBase, caller: Caller) -> None:
    """Give a visitor the cookie by which the next request is known."""
    if caller.is_visitor:
        response.set_cookie(
            VISITOR_COOKIE,
            _signer.sign(caller.feed_key),
            max_age=VISITOR_COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def visitor_of(cookies: Mapping[str, str]) -> str | None:
    """The feed key of the visitor that this browser was before, if any."""
    try:
        return _signer.unsign(cookies.get(VISITOR_COOKIE, ""))
    except signing.BadSignature:
        return None


def _user_of_session(session_key: str) -> User | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = auth.get_user(request)
    return user if isinstance(user, User) else None


# -- tokens --------------------------------------------------------------------------------------------------------
def make_token(*, user: User, name: str) -> tuple[ApiToken, str]:
    """A new token and its key, which can't be read again."""
    key = secrets.token_hex(20)
    return ApiToken.objects.create(user=user, name=name, prefix=key[:8], digest=_digest(key)), key


def revoke_token(token: ApiToken) -> None:
    """Refuse this token from now on; one that was revoked stays as it is."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


def user_of_token(authorization: str) -> User:
    """The active user whose token `authorization` ("Token <key>") names.

    Raises:
        BadToken: another scheme, or no such token.
    """
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "token" or not key.strip():
        raise BadToken("use 'Authorization: Token <key>'")
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=_digest(key.strip()), revoked_at__isnull=True, user__is_active=True)
        .first()
    )
    if token is None:
        raise BadToken("this token is unknown or revoked")
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _LAST_USED_GRAIN:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
