"""The texts of `Cached`, `Loaded` and registries in `explain`, and their corrections."""

from pathlib import Path

import pytest

from asgi_cors import Cached, ConfigError, Loaded, OriginSource, Policy, explain
from asgi_cors.registry import SQLiteRegistry
from tests.support.expected import APP, EVIL


def customers(origin: str) -> bool:
    return origin == APP


def load_customers() -> list[str]:
    return [APP]


def sources(folder: Path) -> dict[str, OriginSource]:
    registry = SQLiteRegistry(folder / "origins.db")
    return {
        "Cached": Cached(customers),
        "Loaded": Loaded(load_customers),
        "registry": registry,
        "tenant": registry.tenant("a b"),
    }


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Cached", f"let customers() allow {EVIL!r}"),
        ("Loaded", f"add {EVIL!r} to the list that load_customers() loads"),
        ("registry", f"run `asgi-cors origins add {EVIL} --store sqlite:///"),
        ("tenant", f"run `asgi-cors origins add {EVIL} --tenant 'a b' --store sqlite:///"),
    ],
)
def test_the_correction_of_a_refusal_names_the_source(tmp_path: Path, kind: str, text: str) -> None:
    assert sources(tmp_path)[kind].remedy(EVIL).startswith(text)


@pytest.mark.parametrize("kind", ["Loaded", "registry", "tenant"])
def test_a_source_that_is_not_loaded_leaves_the_verdict_open(tmp_path: Path, kind: str) -> None:
    explanation = explain(Policy(allow_origins=[sources(tmp_path)[kind]]), "GET", EVIL)
    assert explanation.allowed is None
    assert explanation.steps[0].rule.startswith("asked at run time (")


@pytest.mark.parametrize("kind", ["Cached", "Loaded", "registry", "tenant"])
def test_a_source_cannot_be_text_and_the_repr_of_its_policy_is_readable(tmp_path: Path, kind: str) -> None:
    source = sources(tmp_path)[kind]
    policy = Policy(allow_origins=[APP, source])
    assert repr(policy) == f"Policy(allow_origins=[{APP!r}, {source!r}])"
    assert "object at 0x" not in repr(policy)
    with pytest.raises(ConfigError, match="because it is called at run time"):
        policy.to_mapping()


def test_the_name_of_a_store_in_the_correction_opens_it(tmp_path: Path) -> None:
    registry = SQLiteRegistry(tmp_path / "origins.db")
    assert registry.remedy(EVIL).endswith(f"--store sqlite:///{tmp_path}/origins.db`")
