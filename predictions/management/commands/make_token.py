"""Make an API token: `manage.py make_token USER NAME` prints its key, which can't be read again."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from predictions.callers import make_token


class Command(BaseCommand):
    help = "Make an API token for a user and print its key. It is stored as a hash and can't be read again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="whose predictions the token asks and reads")
        parser.add_argument("name", help="what uses it; at most 64 characters")

    def handle(self, *, user: str, name: str, **options) -> None:
        found = get_user_model().objects.filter(username=user).first()
        if found is None:
            raise CommandError(
                f"there is no user {user!r}; make one with manage.py createsuperuser or at /accounts/signup/"
            )
        if not name or len(name) > 64:
            raise CommandError("the name must have 1 to 64 characters")
        try:
            _, key = make_token(user=found, name=name)
        except IntegrityError as error:
            raise CommandError(f"{user} has a token named {name!r} already; choose another name") from error
        self.stdout.write(key)
