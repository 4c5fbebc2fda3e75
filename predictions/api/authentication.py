"""`Authorization: Token <key>` for REST."""

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from predictions.callers import BadToken, user_of_token


class TokenAuthentication(BaseAuthentication):
    """The user of an API token; a header that names no valid token is refused, never ignored."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        authorization = request.headers.get("Authorization")
        if not authorization:
            return None
        try:
            return user_of_token(authorization), None
        except BadToken as error:
            raise AuthenticationFailed(str(error), code="bad_token") from error

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <key>`; made at `/accounts/tokens/`, in the admin or by `manage.py make_token`.",
        }
