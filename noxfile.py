"""Everything that is run more than once: `nox -l` lists it. `pip install nox` is all it needs."""

from __future__ import annotations

import glob
import os

import nox

PYTHONS = ["3.11", "3.12", "3.13"]

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["tests", "lint", "types", "codegen"]
# Without this nox skips an interpreter it cannot find and still reports success.
nox.options.error_on_missing_interpreters = "CI" in os.environ

PARALLEL = ["-n", "auto", "--dist", "worksteal"]
# What these test is the same on every Python: they run on the oldest only.
ON_ONE_PYTHON = ["tests/codegen", "tests/docs", "tests/examples", "tests/contract/test_fragment.py"]

# The tests start hundreds of programs, each of which would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Schemas that check-jsonschema brings, and the files that they are for.
SCHEMAS = [
    ("github-workflows", *glob.glob(".github/workflows/*.yml")),
    ("dependabot", ".github/dependabot.yml"),
    ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
    ("github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/feature.yml"),
    ("compose-spec", "docker/compose.yaml", "examples/campaign/compose.yaml"),
]


def install(session: nox.Session, *groups: str) -> None:
    """The package as users get it, and the dependency groups that a session needs."""
    session.install("-e", ".", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), *groups))


@nox.session
def demo(session: nox.Session) -> None:
    """The main job, against the embedded server, or the real API when SENT_DM_API_KEY is set."""
    install(session)
    session.run("python", "examples/demo.py", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The test suite; on the oldest Python with branch coverage, which must be complete."""
    install(session, "tests")
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    if session.python != PYTHONS[0]:
        session.run("pytest", *PARALLEL, *(f"--ignore={folder}" for folder in ON_ONE_PYTHON))
        return
    # Not pytest-cov, which starts after our own pytest plugin has been imported.
    session.run("coverage", "run", "-m", "pytest", *PARALLEL)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=100")


@nox.session(python=PYTHONS[0])
def min_deps(session: nox.Session) -> None:
    """The oldest dependencies that pyproject.toml admits."""
    install(session, "tests")
    project = nox.project.load_toml("pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    optional = [*extras["cli"], *extras["redis"], *extras["telemetry"]]
    requirements = [*project["dependencies"], *optional, "opentelemetry-sdk>=1.30"]
    session.install(*(requirement.split(",")[0].replace(">=", "==") for requirement in requirements))
    parts = ["unit", "wire", "resources", "contract", "batch", "pacing", "redis", "fake", "webhooks", "cli"]
    session.run("pytest", *(session.posargs or [*PARALLEL, *(f"tests/{part}" for part in parts)]))


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, Redocly for the fragment, and the schemas of what GitHub reads."""
    session.install(*nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("npx", "--yes", "@redocly/cli@2.77.0", "lint", "openapi/sent-v3.yaml", external=True)
    for schema, *files in SCHEMAS:
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    session.run("zizmor", "--offline", "--quiet", "--min-severity", "medium", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """mypy and pyright, both strict, on the package as its users see it."""
    install(session, "tests", "types")
    session.install("nox")
    session.run("mypy")
    session.run("pyright")


@nox.session
def codegen(session: nox.Session) -> None:
    """Check that models and operations are what the fragment says; `nox -s codegen -- generate` writes them."""
    install(session, "codegen")
    session.run("python", "-m", "codegen", *(session.posargs or ["check"]))


@nox.session
def spec(session: nox.Session) -> None:
    """Take over the vendor's document: `nox -s spec -- https://api.sent.dm/swagger/v3/swagger.json`, or a file."""
    install(session, "codegen")
    session.run("python", "-m", "codegen", "update", *session.posargs)


@nox.session
def surface(session: nox.Session) -> None:
    """Public names that are gone since a revision: `nox -s surface -- v0.1.0`. Each belongs in CHANGELOG.md."""
    session.install("griffe>=2.0")
    session.run("griffe", "check", "sent_async", "--against", *(session.posargs or ["HEAD~1"]))


@nox.session
def docs(session: nox.Session) -> None:
    """The guide and the reference, warnings as errors, into site/."""
    install(session, "docs")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def soak(session: nox.Session) -> None:
    """Ten thousand writes under random faults, and the vendor's package beside ours: nothing twice, nothing lost."""
    install(session)
    session.install("sentdm")
    session.run("python", "-m", "checks.soak", *session.posargs)


@nox.session
def killed_job(session: nox.Session) -> None:
    """Ten thousand messages under random faults from a job that is killed and run again: each person gets one."""
    install(session)
    session.run("python", "-m", "checks.killed_job", *session.posargs)


@nox.session
def fleet(session: nox.Session) -> None:
    """Four processes under one limit, for three minutes; then up to a thousand, simulated."""
    install(session, "tests")
    session.run("python", "-m", "checks.fleet", *session.posargs)
    session.run("python", "-m", "benchmarks.fleet_simulation")


@nox.session
def webhooks(session: nox.Session) -> None:
    """A thousand deliveries through a crash, a thousand messages followed under faults, 100,000 random bodies."""
    install(session, "tests")
    session.run("python", "-m", "checks.webhooks", *session.posargs)


@nox.session
def campaign(session: nox.Session) -> None:
    """Ten thousand messages over three taskiq workers, one of which is killed: each person gets one."""
    install(session, "tests")
    session.run("python", "-m", "checks.campaign", *session.posargs)


@nox.session
def outside(session: nox.Session) -> None:
    """The fake server as strangers see it: Schemathesis with our fragment, and the vendor's packages. Needs Node.js."""
    install(session, "codegen")
    session.install("schemathesis>=4.32", "sentdm")
    session.run("python", "-m", "checks.outside", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """The page of the fake server in Chromium, which must be installed."""
    install(session, "browser")
    session.run("pytest", "checks/browser.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Ours and its peers, side by side in one run; `-- --quick` for a short one."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Wheel and sdist, installed clean and imported; `nox -s build -- dist` keeps them."""
    session.install("build", "twine")
    dist = os.path.abspath(session.posargs[0]) if session.posargs else session.create_tmp()
    session.run("python", "-m", "build", "--outdir", dist)
    session.run("twine", "check", "--strict", *(os.path.join(dist, name) for name in os.listdir(dist)))
    for name in os.listdir(dist):
        session.install("--force-reinstall", os.path.join(dist, name))
        with session.chdir(dist):
            session.run("python", "-W", "error", "-c", "import sent_async, sent_async.testing")
