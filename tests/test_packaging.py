"""pyproject.toml, environment.yml and the two lock files agree, and the wheel is complete."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCKS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("requirements.lock", "requirements-dev.lock")
}

# Where conda-forge has another name for what PyPI calls ...
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "jupyter-client": "jupyter_client",
    "ibis-framework": "ibis-duckdb",  # the name alone says which engine
    "playwright": "playwright-python",
}
# Not on conda-forge as it is needed: pip installs them in the conda environment too.
PIP_IN_CONDA = {"axe-playwright-python", "jupyter-scheduler"}


def asked_for(*extras: str) -> dict[str, Requirement]:
    """Return the requirements of pyproject.toml, those of some extras included, by name."""
    project = PYPROJECT["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {canonicalize_name(line.name): line for line in map(Requirement, lines)}


def bounds(requirement: Requirement) -> set[str]:
    return {str(specifier) for specifier in requirement.specifier}


def lock_entries(text: str) -> list[str]:
    """Return a lock's requirements, one string each, without its comments."""
    uncommented = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [entry for entry in uncommented.replace("\\\n", " ").splitlines() if entry.strip()]


def locked(text: str) -> dict[str, list[Requirement]]:
    """Return the pins by name: several where Python versions need different ones."""
    pins: dict[str, list[Requirement]] = {}
    for entry in lock_entries(text):
        pin = Requirement(entry.split(" --hash=")[0].strip())
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


ASKED_FOR = asked_for(*PYPROJECT["project"]["optional-dependencies"])
RUN, DEV = (locked(text) for text in LOCKS.values())
# What the lock for running pins: what the package imports, and what installs it.
ASKED_FOR_TO_RUN = asked_for("build")


def test_conda_and_pip_ask_for_the_same_packages_within_the_same_bounds():
    *conda_lines, pip_section = ENVIRONMENT["dependencies"]
    conda = {line.name: bounds(line) for line in map(Requirement, conda_lines)}
    assert conda.pop("pip") == set()
    assert conda.pop("python") == {PYPROJECT["project"]["requires-python"]}
    *pip_lines, package_itself = pip_section["pip"]
    assert package_itself == "-e ."
    pip = {line.name: bounds(line) for line in map(Requirement, pip_lines)}

    assert pip == {name: bounds(ASKED_FOR[name]) for name in PIP_IN_CONDA}
    assert conda == {
        CONDA_NAMES.get(name, name): bounds(requirement)
        for name, requirement in ASKED_FOR.items()
        if name not in PIP_IN_CONDA
    }


def test_conda_takes_its_packages_from_conda_forge_alone():
    assert ENVIRONMENT["name"] == PYPROJECT["project"]["name"]
    assert ENVIRONMENT["channels"] == ["conda-forge"]


@pytest.mark.parametrize("name", ASKED_FOR)
def test_every_package_has_a_lower_bound(name):
    assert any(bound.startswith(">=") for bound in bounds(ASKED_FOR[name]))


@pytest.mark.parametrize(("pins", "asked_for"), [(RUN, ASKED_FOR_TO_RUN), (DEV, ASKED_FOR)])
def test_a_lock_pins_what_is_asked_for_within_its_bounds(pins, asked_for):
    assert set(asked_for) <= set(pins), "Fix: make lock"
    for name, requirement in asked_for.items():
        for pin in pins[name]:
            (version,) = (specifier.version for specifier in pin.specifier)
            assert requirement.specifier.contains(version), f"{pin}. Fix: make lock"


def test_the_lock_for_running_is_a_part_of_the_lock_for_development():
    different = {
        name: (sorted(map(str, pins)), sorted(map(str, DEV.get(name, []))))
        for name, pins in RUN.items()
        if {str(pin.specifier) for pin in pins} - {str(pin.specifier) for pin in DEV.get(name, [])}
    }
    assert not different, "Fix: make lock"


def test_the_lock_for_running_has_no_web_server_browser_or_test_runner():
    assert not {"jupyterlab", "jupyter-server", "playwright", "pytest", "scipy", "sphinx"} & set(
        RUN
    )


def test_the_lock_for_running_holds_what_the_package_is_built_with():
    # `pip install --no-build-isolation -e .` fetches nothing, so these must be there already.
    for requirement in map(Requirement, PYPROJECT["build-system"]["requires"]):
        assert ASKED_FOR[requirement.name].specifier == requirement.specifier
    assert {"editables", "hatchling"} <= set(RUN)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_in_a_lock_is_exact_and_hashed(name):
    for entry in lock_entries(LOCKS[name]):
        assert re.fullmatch(
            r"[a-z0-9.-]+==[^ ;]+( ; .+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", entry
        ), entry[:80]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_path(name):
    assert not re.findall(
        r"https?:|file:|--\w*-?(?:index|find-links|trusted)|^-e|@ |/", LOCKS[name]
    )


def test_pre_commit_fetches_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}


def test_the_wheel_carries_every_file_of_the_package_and_the_notebooks(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    in_tree = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mqlkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    notebooks = {f"mqlkit/notebooks/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert packed == in_tree | notebooks
