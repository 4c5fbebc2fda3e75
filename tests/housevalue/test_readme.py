"""The README says what is so."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from housevalue.settings_table import README, readme_with_table

ROOT = Path(settings.BASE_DIR)
TEXT = README.read_text()


def test_the_table_of_settings_is_the_one_that_env_example_tells():
    assert readme_with_table() == TEXT, "run manage.py write_settings_table"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http|#)([^)#]+)", TEXT))))
def test_a_file_that_the_readme_links_to_is_there(target: str):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\b[a-z]+/[\w/-]+\.(?:py|rs)\b", TEXT))))
def test_a_source_file_that_the_readme_names_is_there(path: str):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)", TEXT))))
def test_a_make_target_that_the_readme_names_is_there(target: str):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:GET|POST) `?(/[a-z_/0-9]*)", TEXT))))
def test_an_address_that_the_readme_names_is_routed(path: str):
    try:
        resolve(path)
    except Resolver404:
        resolve(f"{path}/")
