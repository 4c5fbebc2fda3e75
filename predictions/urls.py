"""What predictions answers: the page, the door, REST, accounts."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from predictions.views import (
    about,
    accounts,
    compare,
    downloads,
    history,
    home,
    keeping,
    own_account,
    prediction,
    small_files,
    units,
)
from predictions.views.predict_api import predict_api

account_urls = [
    path("", own_account.profile, name="profile"),
    path("tokens/", own_account.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", own_account.revoke, name="token_revoke"),
    path("data.json", downloads.account_json, name="account_json"),
    path("delete/", own_account.delete, name="account_delete"),
    path("signup/", accounts.sign_up, name="signup"),
    path("login/", accounts.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.PasswordChange.as_view(), name="password_change"),
    path("password/done/", accounts.PasswordChangeDone.as_view(), name="password_change_done"),
    path("reset/", accounts.PasswordReset.as_view(), name="password_reset"),
    path("reset/sent/", accounts.PasswordResetDone.as_view(), name="password_reset_done"),
    path("reset/<uidb64>/<token>/", accounts.PasswordResetConfirm.as_view(), name="password_reset_confirm"),
    path("reset/complete/", accounts.PasswordResetComplete.as_view(), name="password_reset_complete"),
]

# What the owner of one prediction does with it.
keeping_urls = [
    path("note", keeping.note, name="note"),
    path("sale", keeping.sale, name="sale"),
    path("sale/withdraw", keeping.withdraw_sale, name="sale_withdraw"),
    path("share", keeping.share, name="share"),
    path("share/stop", keeping.stop_sharing, name="share_stop"),
    path("again", keeping.ask_again, name="ask_again"),
    path("pin", compare.pin, name="pin"),
    path("unpin", compare.unpin, name="unpin"),
    path("delete", keeping.delete, name="delete"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("predict_api", predict_api, name="predict_api"),
    path("predictions/<uuid:pk>", prediction.prediction, name="prediction"),
    path("predictions/<uuid:pk>/explanation", prediction.explanation, name="explanation"),
    path("about", about.about, name="about"),
    path("units", units.units, name="units"),
    path("history", history.history, name="history"),
    path("history.csv", downloads.history_csv, name="history_csv"),
    path("history.json", downloads.history_json, name="history_json"),
    path("compare", compare.compare, name="compare"),
    path("shared/<str:key>", keeping.shared, name="shared"),
    path("predictions/<uuid:pk>/", include(keeping_urls)),
    path("accounts/", include(account_urls)),
    path("api/", include("predictions.api.urls")),
    path("robots.txt", small_files.robots),
    path("favicon.ico", small_files.favicon),
]
