import pytest

from mlmodel.models import ModelVersion

LIST = "/admin/mlmodel/modelversion/"


@pytest.fixture
def act(admin_client, registered):
    def act(action, *names):
        chosen = ModelVersion.objects.filter(name__in=names).values_list("pk", flat=True)
        answer = admin_client.post(LIST, {"action": action, "_selected_action": list(chosen)}, follow=True)
        return [str(message) for message in answer.context["messages"]]

    return act


def champion():
    return ModelVersion.objects.get(role="champion").name


def test_an_operator_sees_models_but_can_not_edit_them(admin_client, registered):
    assert b"monotone-hgb-1" in admin_client.get(LIST).content
    assert admin_client.get(f"{LIST}add/").status_code == 403
    version = ModelVersion.objects.get(name="baseline")
    assert admin_client.post(f"{LIST}{version.pk}/change/", {"role": "champion"}).status_code == 403
    assert champion() == "monotone-hgb-1"


def test_an_operator_reads_a_models_manifest_member_by_member(admin_client, registered):
    version = ModelVersion.objects.get(name="baseline")
    page = admin_client.get(f"{LIST}{version.pk}/change/").content.decode()
    assert "\n  &quot;metrics&quot;: {\n" in page


def test_the_bars_hold_in_admin_too(act):
    (told,) = act("promote", "baseline")
    assert "misses" in told
    assert champion() == "monotone-hgb-1"


def test_retiring_in_admin_is_audited_with_the_operator(act, admin_user):
    act("retire", "baseline")
    audit = ModelVersion.objects.get(name="baseline").history.first()
    assert (audit.role, audit.history_user) == ("retired", admin_user)


def test_promoting_two_at_once_is_refused(act):
    assert act("promote", "baseline", "monotone-hgb-1") == ["Select the one model to promote."]
