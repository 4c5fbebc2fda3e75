"""The ledger in admin."""

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from streaming.ledger import read_report
from streaming.readiness import kafka_client


@permission_required("predictions.view_prediction", raise_exception=True)
def ledger_page(request: HttpRequest) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Ledger", "report": read_report(kafka_client())}
    return TemplateResponse(request, "admin/ledger.html", context)
