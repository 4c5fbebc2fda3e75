"""Every page of the site, found in the router: by the name of its address, where it is and who sees it."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

# Addresses with the name of a thing in braces are filled in with what the `furnished` account owns.
FOR_VISITORS = {
    "home": "/",
    "about": "/about",
    "units": "/units",
    "history": "/history",
    "compare": "/compare",
    "shared": "{shared}",
    "signup": "/accounts/signup/",
    "login": "/accounts/login/",
    "password_reset": "/accounts/reset/",
    "password_reset_done": "/accounts/reset/sent/",
    "password_reset_confirm": "{reset}",
    "password_reset_complete": "/accounts/reset/complete/",
    "api:docs": "/api/docs/",
}
FOR_MEMBERS = {
    "prediction": "{prediction}",
    "note": "{prediction}/note",
    "sale": "{prediction}/sale",
    "delete": "{prediction}/delete",
    "profile": "/accounts/",
    "tokens": "/accounts/tokens/",
    "account_delete": "/accounts/delete/",
    "password_change": "/accounts/password/",
    "password_change_done": "/accounts/password/done/",
}
FOR_OPERATORS = {"ledger": "/admin/ledger/"}
# The same addresses in another state: named by what is seen there.
IN_OTHER_STATES = {
    "a member's home": "/",
    "a member's history": "/history",
    "a search that finds nothing": "/history?words=nowhere",
    "pinned predictions": "/compare",
}
WRONG = {
    "nothing here": "/no/such/page",
    "somebody else's prediction": "/predictions/00000000-0000-0000-0000-000000000000",
}
# What answers with JSON, a file, a stream, a part of a page or a redirect.
NO_PAGES = {
    *("predict_api", "stream", "feed", "healthz", "readyz", "robots.txt", "favicon.ico"),
    *("api:predictions", "api:prediction-detail", "api:reasons", "api:comparables", "api:note", "api:sale"),
    *("api:nearest-block-group", "api:schema"),
    *("", "<path:rest>", "schema", "docs"),  # Without a name of their own.
    *("explanation", "history_csv", "history_json", "account_json"),
    *("token_revoke", "logout", "sale_withdraw", "share", "share_stop", "ask_again", "pin", "unpin"),
}


def names_in_router() -> set[str]:
    """Names, in their namespaces, of all addresses but Django's own admin; the path of one that has no name."""
    return {name for pattern in get_resolver().url_patterns for name in _names(pattern, "")}


def _names(pattern: URLPattern | URLResolver, namespace: str) -> Iterator[str]:
    if isinstance(pattern, URLPattern):
        yield f"{namespace}{pattern.name}" if pattern.name else str(pattern.pattern)
    elif pattern.app_name != "admin":
        for inner in pattern.url_patterns:
            yield from _names(inner, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
