"""Django's own middleware without a thread hop per hook.

Under ASGI `MiddlewareMixin` runs each `process_request` and `process_response` in a thread: two hops for
each middleware, on the busiest path of this site. The hooks below only compute, so they run on the event loop; the one
that may write (a modified session) still goes to a thread.
"""

from asgiref.sync import sync_to_async
from csp import middleware as csp
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.middleware import clickjacking, common, csrf, security
from django.utils.deprecation import MiddlewareMixin
from django_prometheus import middleware as metrics

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
_METHODS = (*_SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")


class _OnTheLoop(MiddlewareMixin):
    """`MiddlewareMixin.__acall__` (django.utils.deprecation) with the hooks called directly."""

    async def __acall__(self, request):
        response = None
        if hasattr(self, "process_request"):
            response = self.process_request(request)
        response = response or await self.get_response(request)  # type: ignore[misc]
        if hasattr(self, "process_response"):
            response = await self._respond(request, response)
        return response

    async def _respond(self, request, response):
        return self.process_response(request, response)  # type: ignore[attr-defined]


class SecurityMiddleware(_OnTheLoop, security.SecurityMiddleware):
    pass


class SessionMiddleware(_OnTheLoop, sessions.SessionMiddleware):
    async def _respond(self, request, response):
        if request.session.modified:
            return await sync_to_async(self.process_response)(request, response)
        return self.process_response(request, response)


class CommonMiddleware(_OnTheLoop, common.CommonMiddleware):
    pass


class CsrfViewMiddleware(_OnTheLoop, csrf.CsrfViewMiddleware):
    async def process_view(  # type: ignore[override]
        self, request, callback, callback_args, callback_kwargs
    ):
        check = super().process_view
        if request.method in _SAFE_METHODS or getattr(callback, "csrf_exempt", False):
            return check(request, callback, callback_args, callback_kwargs)
        # It parses the form, and the page that says what is wrong may ask for the user.
        return await sync_to_async(check)(request, callback, callback_args, callback_kwargs)


class CSPMiddleware(_OnTheLoop, csp.CSPMiddleware):
    pass


class AuthenticationMiddleware(_OnTheLoop, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(_OnTheLoop, messages.MessageMiddleware):
    pass


class XFrameOptionsMiddleware(_OnTheLoop, clickjacking.XFrameOptionsMiddleware):
    pass


class MetricsMiddleware(_OnTheLoop, metrics.PrometheusAfterMiddleware):
    """Responses by view and status, and how long they took. The last of all: what it counts has reached a view."""

    async def __acall__(self, request):
        if request.method not in _METHODS:
            # Anybody may invent methods, and each would be a label.
            return await self.get_response(request)  # type: ignore[misc]
        return await super().__acall__(request)

    async def process_view(self, request, view_func, *view_args, **view_kwargs):
        super().process_view(request, view_func, *view_args, **view_kwargs)

    async def process_template_response(self, request, response):
        return super().process_template_response(request, response)
