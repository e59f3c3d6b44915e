"""The image and the compose file: linted, and held to what docs/operations.md promises. Neither is built here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import threading
import tomllib
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from gapnlp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ENTRYPOINT = ROOT / "deploy" / "entrypoint.sh"
TOOLS = Path(sysconfig.get_path("scripts"))
BUILD_TOOLS = re.compile(
    r"build-essential|\bgcc\b|\bg\+\+|\bmake\b|\bcargo\b|\brustc\b|\bgit\b|-dev\b|\bcurl\b|\bwget\b"
)
# Settings that hold secrets: they come from files, never from the environment of compose.yaml or an image layer.
SECRET_SETTINGS = {
    "GAPNLP_DATABASE_URL",
    "GAPNLP_ZENDESK_SECRETS",
    "GAPNLP_INTERCOM_SECRETS",
    "GAPNLP_FRESHDESK_TOKENS",
}


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory) -> DockerfileParser:
    # The parser writes beside the file that it reads.
    copy = tmp_path_factory.mktemp("docker") / "Dockerfile"
    copy.write_text((ROOT / "Dockerfile").read_text(encoding="utf-8"), encoding="utf-8")
    return DockerfileParser(str(copy))


@pytest.fixture(scope="module")
def stages(dockerfile) -> list[list[dict]]:
    """Instructions of each stage."""
    found: list[list[dict]] = []
    for step in dockerfile.structure:
        if step["instruction"] == "FROM":
            found.append([])
        if found and step["instruction"] != "COMMENT":
            found[-1].append(step)
    return found


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def values(stage: list[dict], instruction: str) -> list[str]:
    return [step["value"] for step in stage if step["instruction"] == instruction]


def tool(name: str) -> str:
    path = TOOLS / name
    if not path.exists():
        pytest.skip(f"{name} is not installed (there is no wheel of it for this platform)")
    return str(path)


def setting_names() -> set[str]:
    return {f"GAPNLP_{name.upper()}" for name in Settings.model_fields}


# Linters


def test_hadolint_finds_nothing():
    run = subprocess.run([tool("hadolint"), "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path):
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN apt-get install gcc\n")
    assert subprocess.run([tool("hadolint"), str(bad)], capture_output=True).returncode == 1


def test_compose_fits_its_published_schema(tmp_path):
    check = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    run = subprocess.run([*check, str(ROOT / "compose.yaml")], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    bad = tmp_path / "compose.yaml"
    bad.write_text("services:\n  api:\n    imagine: gapnlp\n")
    assert subprocess.run([*check, str(bad)], capture_output=True).returncode == 1


def test_shellcheck_finds_nothing():
    run = subprocess.run([tool("shellcheck"), str(ENTRYPOINT)], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")


# Image


def test_two_stages_of_one_slim_pinned_base(stages):
    bases = [values(stage, "FROM")[0] for stage in stages]
    assert [b.split()[-1] for b in bases] == ["build", "runtime"]
    assert {b.split()[0] for b in bases} == {"python:${PYTHON}-slim-bookworm"}


def test_the_python_is_one_that_the_project_supports(dockerfile):
    (default,) = [s["value"] for s in dockerfile.structure if s["instruction"] == "ARG" and "PYTHON=" in s["value"]]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = default.removeprefix("PYTHON=")
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]


def test_the_extras_exist(stages):
    (default,) = values(stages[0], "ARG")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(default.removeprefix("EXTRAS=").split(",")) <= set(project["optional-dependencies"])


def test_the_last_stage_has_no_build_tools(stages):
    build, runtime = stages
    assert "venv --without-pip" in values(build, "RUN")[0]
    assert "--only-binary=:all:" in values(build, "RUN")[0]
    (run,) = values(runtime, "RUN")
    assert re.search(r"pip uninstall --yes .*\bpip\b", run)
    assert not BUILD_TOOLS.search(run), run
    assert "pip install" not in run
    copied = values(runtime, "COPY")
    assert [c for c in copied if "--from=" in c] == ["--from=build /opt/gapnlp /opt/gapnlp"]


def test_the_service_runs_as_nobody_special(stages):
    runtime = stages[-1]
    (user,) = values(runtime, "USER")
    uid, gid = user.split(":")
    assert uid.isdigit() and gid.isdigit() and int(uid) >= 10000
    instructions = [s["instruction"] for s in runtime]
    assert "RUN" not in instructions[instructions.index("USER") :]
    assert "COPY" not in instructions[instructions.index("USER") :]


def test_commands_take_signals_themselves(stages):
    runtime = stages[-1]
    for instruction in ("ENTRYPOINT", "CMD"):
        (value,) = values(runtime, instruction)
        assert isinstance(json.loads(value), list)
    assert values(runtime, "STOPSIGNAL") == ["SIGTERM"]


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *args) -> None:
        pass


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_the_health_check_tells_a_server_that_answers_from_one_that_does_not(stages, status, healthy):
    (check,) = values(stages[-1], "HEALTHCHECK")
    command = json.loads(check[check.index("[") :])
    server = HTTPServer(("127.0.0.1", 0), Answering)
    server.status = status
    if status is None:
        server.server_close()
    else:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    given = {"GAPNLP_PORT": str(server.server_port)}
    run = subprocess.run([sys.executable, *command[1:]], env=given, capture_output=True)
    if status is not None:
        server.shutdown()
        server.server_close()
    assert command[0] == "python"
    assert (run.returncode == 0) is healthy


def test_the_image_names_settings_that_exist_and_no_secret(dockerfile):
    named = set(re.findall(r"\bGAPNLP_[A-Z_]+", dockerfile.content))
    assert named <= setting_names()
    assert named & SECRET_SETTINGS == set()


def test_what_the_build_copies_is_in_the_context(stages):
    """The context is closed but for what .dockerignore opens again."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    opened = {r[1:] for r in rules if r.startswith("!")}
    for stage in stages:
        for copy in values(stage, "COPY"):
            if "--from=" in copy:
                continue
            *sources, _ = [part for part in copy.split() if not part.startswith("--")]
            for source in sources:
                name = source.removeprefix("./")
                assert (ROOT / name).exists(), name
                assert name in opened, name
    assert not [o for o in opened for private in ("deploy/secrets/x", ".git/config", "data/x") if fnmatch(private, o)]


def test_the_wheel_finds_what_it_is_built_from(stages):
    """Each file that pyproject.toml wants at build time is copied before the install."""
    build = stages[0]
    copied = {p.removeprefix("./") for c in values(build, "COPY") for p in c.split()[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {project["project"]["readme"], *project["project"]["license-files"], *wheel["force-include"]}
    needed |= {p.split("/")[0] for p in wheel["packages"]}
    assert needed <= copied


# Entry point


def start(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(folder), **environment}
    return subprocess.run([str(ENTRYPOINT), *command], env=given, capture_output=True, text=True)


def test_secrets_become_settings(tmp_path):
    (tmp_path / "gapnlp_database_url").write_text("postgresql+psycopg://u:p$(x)'\"@db/g\n")
    (tmp_path / "postgres_password").write_text("not ours")
    run = start(tmp_path, "env")
    assert "GAPNLP_DATABASE_URL=postgresql+psycopg://u:p$(x)'\"@db/g" in run.stdout.splitlines()
    assert "not ours" not in run.stdout


def test_a_setting_that_is_given_goes_before_its_file(tmp_path):
    (tmp_path / "gapnlp_database_url").write_text("from the file")
    run = start(tmp_path, "env", GAPNLP_DATABASE_URL="given")
    assert "GAPNLP_DATABASE_URL=given" in run.stdout.splitlines()


def test_without_secrets_the_command_runs_as_it_is(tmp_path):
    assert start(tmp_path / "none", "sh", "-c", "exit 7").returncode == 7


def test_the_command_takes_the_place_of_the_shell(tmp_path):
    process = subprocess.Popen(
        [str(ENTRYPOINT), "sh", "-c", "echo $$"], env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, text=True
    )
    assert int(process.communicate()[0]) == process.pid


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root can read everything")
def test_a_secret_that_cannot_be_read_is_named():
    as_other = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        secret, script = folder / "gapnlp_database_url", folder / "entrypoint.sh"
        secret.write_text("hidden")
        secret.chmod(0)
        script.write_bytes(ENTRYPOINT.read_bytes())
        script.chmod(0o755)
        given = {"PATH": os.environ["PATH"], "SECRETS_DIR": name}
        run = subprocess.run([*as_other, str(script), "env"], env=given, capture_output=True, text=True)
    assert run.returncode == 2
    assert str(secret) in run.stderr
    assert "GAPNLP_DATABASE_URL" not in run.stdout


# Compose


def test_the_services_and_what_they_wait_for(compose):
    services = compose["services"]
    assert set(services) == {"db", "api", "worker"}
    assert services["api"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert set(services["worker"]["depends_on"]) == {"db", "api"}
    assert services["worker"]["command"] == ["worker"]
    assert "pg_isready" in services["db"]["healthcheck"]["test"]
    assert services["api"]["image"] == services["worker"]["image"]


def test_the_database_is_the_one_that_the_tests_run_on(compose):
    assert re.fullmatch(r"postgres:15(\.\d+)?-bookworm", compose["services"]["db"]["image"])


def test_nothing_but_the_api_is_reachable_and_that_from_this_machine_alone(compose):
    services = compose["services"]
    assert [n for n, s in services.items() if s.get("ports")] == ["api"]
    assert all(p.startswith("127.0.0.1:") for p in services["api"]["ports"])
    assert compose["networks"]["inner"]["internal"] is True
    assert services["db"]["networks"] == services["worker"]["networks"] == ["inner"]


def test_secrets_come_from_files(compose):
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"PASSWORD:|://[^/\s]*:[^/\s]*@", text)
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./deploy/secrets/")
    for name in ("api", "worker"):
        assert compose["services"][name]["secrets"] == ["gapnlp_database_url"]
        assert set(compose["services"][name]["environment"]) & SECRET_SETTINGS == set()
    used = {s for service in compose["services"].values() for s in service["secrets"]}
    assert used == set(compose["secrets"])


def test_made_secrets_cannot_be_committed():
    rules = (ROOT / "deploy" / "secrets" / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "*" in rules


def test_settings_in_compose_exist(compose):
    for name in ("api", "worker"):
        named = {n for n in compose["services"][name]["environment"] if n.startswith("GAPNLP_")}
        assert named and named <= setting_names()


def test_the_processes_may_do_little(compose):
    for name in ("api", "worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["environment"]["TMPDIR"] == "/data"


def test_requests_and_jobs_have_time_to_end_before_they_are_killed(compose):
    for name in ("api", "worker"):
        service = compose["services"][name]
        allowed = float(service["environment"]["GAPNLP_SHUTDOWN_SECONDS"])
        assert int(service["stop_grace_period"].removesuffix("s")) >= 2 * allowed + 10


def test_volumes_are_declared_and_where_the_image_keeps_its_data(compose, dockerfile):
    services = compose["services"]
    mounts = [v.split(":") for s in services.values() for v in s["volumes"]]
    assert {name for name, _ in mounts} == set(compose["volumes"])
    assert ["data", dockerfile.envs["GAPNLP_DATA_DIR"]] in mounts
    assert [s["value"] for s in dockerfile.structure if s["instruction"] == "VOLUME"] == ["/data"]
