"""The house rules that a program can check."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from gapnlp.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "gapnlp"
SOURCES = sorted(PACKAGE.rglob("*.py"))
RECIPES = sorted((ROOT / "training").rglob("*.py"))
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
MOST_PARAMETERS = 5
# The optional part of retraining, of the extra `train`.
WITH_TORCH = ("finetune_loss", "finetuning", "huggingface", "network", "onnx_export", "onnx_weights")
# Commands of the command line and `report` for data frames take one parameter an option.
FACES = ("cli", "jobs.py")
# Name in pyproject.toml -> name to import, where they differ.
IMPORTED_AS = {
    "charset-normalizer": "charset_normalizer",
    "lingua-language-detector": "lingua",
    "opencc-python-reimplemented": "opencc",
    "python-calamine": "python_calamine",
    "markdown-it-py": "markdown_it",
    "python-docx": "docx",
    "python-stdnum": "stdnum",
    "scikit-learn": "sklearn",
    "vl-convert-python": "vl_convert",
    "opentelemetry-sdk": "opentelemetry",
    "prometheus-client": "prometheus_client",
    "pydantic-settings": "pydantic_settings",
    "python-multipart": "python_multipart",
}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in (*SOURCES, *RECIPES)}


@pytest.fixture(scope="module")
def docs() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def imported(tree: ast.Module) -> set[str]:
    """Top names of all that is imported, anywhere in the file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def names_of(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in requirements]


def test_the_sources_are_found():
    assert len(SOURCES) > 60
    assert len(RECIPES) > 5


def test_no_file_is_too_long():
    lengths = {short(p): len(p.read_text(encoding="utf-8").splitlines()) for p in (*SOURCES, *RECIPES)}
    assert {p: n for p, n in lengths.items() if n > MOST_LINES} == {}


def test_no_function_is_too_long(trees):
    found = {
        f"{short(path)}: {function.name}": function.end_lineno - function.lineno + 1
        for path, tree in trees.items()
        for function in functions(tree)
        if function.end_lineno - function.lineno + 1 > MOST_FUNCTION_LINES
    }
    assert found == {}


def test_no_function_takes_too_many_parameters(trees):
    found = []
    for path, tree in trees.items():
        if path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0] in FACES:
            continue
        for function in functions(tree):
            a = function.args
            count = len([x for x in (*a.posonlyargs, *a.args, *a.kwonlyargs) if x.arg not in ("self", "cls")])
            if count > MOST_PARAMETERS:
                found.append(f"{short(path)}: {function.name} takes {count}")
    assert found == []


def test_package_files_are_empty():
    files = [p for p in PACKAGE.rglob("__init__.py") if p.parent != PACKAGE]
    assert len(files) >= 10
    assert [short(p) for p in files if p.read_bytes()] == []
    folders = {p.parent for p in SOURCES}
    assert [short(f) for f in folders if not (f / "__init__.py").is_file()] == []


def test_every_module_says_why_it_is_there(trees):
    without = [short(p) for p, tree in trees.items() if p.name != "__init__.py" and not ast.get_docstring(tree)]
    assert without == []


def test_nothing_is_printed(trees):
    found = [
        f"{short(path)}:{node.lineno}"
        for path, tree in trees.items()
        if path.is_relative_to(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def test_nothing_is_pickled_or_evaluated(trees):
    forbidden = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
    assert {short(p): imported(t) & forbidden for p, t in trees.items() if imported(t) & forbidden} == {}
    inside = {short(p) for p, t in trees.items() if "torch" in imported(t) and p.is_relative_to(ROOT / "src")}
    assert inside <= {f"src/gapnlp/retraining/{name}.py" for name in WITH_TORCH}  # bundles never need it
    torch_files = [short(p) for p in trees if re.search(r"torch\.(load|save)\(", p.read_text(encoding="utf-8"))]
    assert torch_files == []
    calls = [
        f"{short(path)}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")
    ]
    assert calls == []


def test_modules_have_telling_names():
    banned = re.compile(r"(utils?|helpers?|common|core|manager|misc|base_.*)$")
    assert [short(p) for p in (*SOURCES, *RECIPES) if banned.match(p.stem)] == []


def test_the_environment_is_not_read(trees):
    found = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                found.append(f"{short(path)}:{node.lineno}")
    assert found == []


def test_every_layer_is_in_the_contract(project):
    contract = project["tool"]["importlinter"]["contracts"][0]
    assert contract["type"] == "layers"
    assert contract["exhaustive"] is True
    listed = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    modules = {p.name if p.is_dir() else p.stem for p in PACKAGE.iterdir() if p.is_dir() or p.suffix == ".py"}
    modules -= {"__init__", "__pycache__", "models"}
    assert listed == {m for m in modules if not (PACKAGE / m).is_dir() or list((PACKAGE / m).glob("*.py"))}


def test_forbidden_contracts_name_modules_that_exist(project):
    for contract in project["tool"]["importlinter"]["contracts"][1:]:
        for module in contract["source_modules"]:
            path = PACKAGE / module.removeprefix("gapnlp.")
            assert path.is_dir() or path.with_suffix(".py").is_file(), module


def extras_of(path: Path) -> tuple[str, ...]:
    """The extras that a file may take for granted: the service's in the service, training's in the recipes."""
    name = short(path)
    if name.startswith(("training/", "src/gapnlp/retraining/")):
        return ("train",)
    service = ("src/gapnlp/api/", "src/gapnlp/service/", "src/gapnlp/settings.py", "src/gapnlp/store/")
    return ("api", "otel") if name.startswith(service) else ()


def test_every_third_party_import_is_declared(project, trees):
    extras = project["project"]["optional-dependencies"]
    own = {"gapnlp", "training", "benchmarks"}
    found = set()
    for path, tree in trees.items():
        declared = {*project["project"]["dependencies"], *(r for e in extras_of(path) for r in extras[e])}
        known = {IMPORTED_AS.get(n, n) for n in names_of(declared)}
        unknown = imported(tree) - set(sys.stdlib_module_names) - own - known
        found |= {f"{short(path)} imports {name}" for name in unknown}
    assert found == set()


def test_every_dependency_is_used(project, trees):
    used = set().union(*(imported(tree) for tree in trees.values()))
    # altair draws through vl-convert without naming it
    named = {n for n in names_of(project["project"]["dependencies"]) if IMPORTED_AS.get(n, n) not in used}
    assert named <= {"vl-convert-python"}


def test_every_dependency_has_its_reason(project):
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    extras = [r for group in project["project"]["optional-dependencies"].values() for r in group]
    missing = [n for n in names_of([*project["project"]["dependencies"], *extras]) if n.lower() not in page]
    assert missing == []


def test_every_command_and_option_is_documented(docs):
    missing = []
    for name, command in typer.main.get_command(app).commands.items():
        if f"gapnlp {name}" not in docs:
            missing.append(name)
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                if option.startswith("--") and not re.search(rf"(?<![\w-]){option}(?![\w-])", docs):
                    missing.append(f"{name} {option}")
    assert missing == []


def test_every_exit_code_is_documented(docs):
    from gapnlp.errors import InputError, MissingExtra, ModelError, StoreError

    lines = [line for line in docs.splitlines() if re.search(r"\bexit|^\|\s*\d", line, re.IGNORECASE)]
    for code in (0, 1, 130, *(e.exit_code for e in (InputError, ModelError, StoreError, MissingExtra))):
        assert any(re.search(rf"\b{code}\b", line) for line in lines), code


def test_every_public_name_is_documented(docs):
    import gapnlp

    assert [name for name in ("load", "report", "write_report") if f"gapnlp.{name}" not in docs] == []
    assert [name for name in gapnlp.__all__ if name not in docs] == []


def test_the_samples_page_says_who_wrote_the_texts():
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8").lower()
    assert "written for" in page
    assert "fictional" in page or "invented" in page or "no real customer" in page


def test_links_between_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                broken.append(f"{short(page)} -> {target}")
    assert broken == []
