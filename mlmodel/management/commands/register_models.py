from django.core.management.base import BaseCommand, CommandError

from mlmodel import artefact, registry
from mlmodel.catalogue import CHAMPION, RECIPES


class Command(BaseCommand):
    help = "Register the models that come with the project; where no champion is, make the default one champion."

    def handle(self, **options):
        try:
            versions = [registry.register(artefact=artefact.load(name)) for name in RECIPES]
        except (artefact.ArtefactError, registry.RegistryError) as error:
            raise CommandError(str(error)) from error
        if not any(version.role == registry.Role.CHAMPION for version in registry.live_versions()):
            registry.promote(name=CHAMPION, reason="a fresh installation")
        for version in versions:
            version.refresh_from_db(fields=["role"])
            self.stdout.write(f"{version.name}: {version.role}, sha256 {version.sha256[:12]}")
