"""The models this project trains, by name. A changed recipe gets a new name, so a name always means one recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """`name`: unique, as answers and the registry carry it. `family`: how it is fitted and served."""

    name: str
    family: str
    about: str
    seed: int = 0


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("gated-1", "gated", "Neighbours' prices where there are neighbours, geography where there are none"),
        Recipe("monotone-hgb-1", "geography", "Gradient-boosted trees on location columns, monotone in income"),
        Recipe("baseline", "linear", "Scaler and linear regression, the model this project began with"),
    )
}
CHAMPION = "gated-1"
"""The model that answers on a fresh installation; `champion` is another word for it in commands."""


class UnknownModel(Exception):
    """No recipe has this name."""


def recipe(name: str) -> Recipe:
    """The recipe of a model's name, or of the word `champion`. Raises UnknownModel."""
    try:
        return RECIPES[CHAMPION if name == "champion" else name]
    except KeyError:
        raise UnknownModel(f"no model is named {name!r}; there are: champion, {', '.join(RECIPES)}") from None
