"""Wheel and sdist build, install in a clean environment, and both commands work from there."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return folder


@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_it_installs_and_runs_from_outside_the_repository(built: Path, pattern: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    (artifact,) = built.glob(pattern)
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", artifact)
    version = run(tmp_path / "env" / "bin" / "kherd", "--version", cwd=tmp_path)
    assert version.startswith("kherd, version ")
    assert run(python, "-m", "kherd", "--version", cwd=tmp_path) == version
    assert run(python, "-c", "import kherd; print(kherd.__version__)", cwd=tmp_path).strip() in version
    units = tmp_path / "env" / "share" / "kherd" / "systemd"
    assert {path.name for path in units.iterdir()} == {path.name for path in (ROOT / "systemd").iterdir()}
    # A user's own packages of these names are theirs.
    assert run(python, "-c", "import importlib.util as u; print(u.find_spec('worker'), u.find_spec('supervisor'))",
               cwd=tmp_path).split() == ["None", "None"]  # fmt: skip


def test_wheel_and_sdist_hold_every_module(built: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    modules = {
        f"kherd/{room}/{path.relative_to(ROOT / room)}"
        for room in ("supervisor", "worker")
        for path in (ROOT / room).rglob("*.py")
    }
    assert modules <= set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {f"src/{module}" for module in modules} <= names
