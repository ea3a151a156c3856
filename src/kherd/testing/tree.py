"""A Debian with systemd, as a folder to boot: made once, kept in the cache, kherd's dependencies installed in it.

Debian's packages come by debootstrap, Python's by this machine's own pip and its configuration, whatever mirrors those
use; inside the tree nothing needs a network.
"""

import configparser
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from . import cache
from .parts import MissingPartError

ROOT: Final = Path(__file__).resolve().parents[3]
SUITE: Final = "trixie"
PACKAGES: Final = ("systemd", "dbus", "procps", "python3")
PYTHON: Final = "3.13"
PREFIX: Final = "/opt/kherd"
PIP: Final = "/opt/pip.whl"
PART: Final = "systemd to boot"
TOOLS: Final = {"systemd-nspawn": "systemd-container", "debootstrap": "debootstrap"}
KEYRING: Final = "debian-archive-keyring"
PLENTY: Final = 600.0
"""Seconds for 100 MB through a slow mirror."""
NSPAWN: Final = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--link-journal=no")


def tree() -> Path:
    """Return the folder of the tree, which is to be copied before it is booted; build it if this is the first time.

    Raises:
        MissingPartError: not root, or something could not be fetched.
    """
    _check_root()
    _install_tools()
    wanted = requirements(ROOT / "setup.cfg")
    recipe = "\n".join([SUITE, *PACKAGES, PYTHON, *wanted, Path(__file__).read_text()]).encode()
    return cache.entry(f"debian-{SUITE}", recipe, lambda folder: _build(folder, wanted)) / "tree"


def requirements(setup: Path) -> list[str]:
    """Return what kherd itself needs, as setup.cfg says."""
    parser = configparser.ConfigParser()
    parser.read(setup)
    return parser["options"]["install_requires"].split("\n")[1:]


def _check_root() -> None:
    if os.geteuid() != 0:
        raise MissingPartError(PART, "run the tests as root: a container needs mounts and namespaces")


def _install_tools() -> None:
    missing = [package for name, package in TOOLS.items() if shutil.which(name) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise MissingPartError(PART, f"install {' and '.join(missing)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "update", "-qq", env=env)
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, KEYRING, env=env)


def _build(folder: Path, wanted: Sequence[str]) -> None:
    root = folder / "tree"
    include = f"--include={','.join(PACKAGES)}"
    _run("debootstrap", "--variant=minbase", include, SUITE, root, *_mirror())
    wheels = root / "opt/wheels"
    machine = platform.machine()
    tags = [f"--platform={tag}_{machine}" for tag in ("manylinux_2_28", "manylinux2014", "manylinux_2_17")]
    target = (f"--python-version={PYTHON}", "--only-binary=:all:", *tags)
    _run(sys.executable, "-m", "pip", "download", "--quiet", f"--dest={wheels}", *target, "pip", *wanted)
    (pip,) = wheels.glob("pip-*.whl")
    pip.rename(root / PIP.lstrip("/"))
    _inside(root, "python3", "-m", "venv", "--without-pip", PREFIX)
    _pip(root, "--find-links=/opt/wheels", *wanted)
    shutil.rmtree(wheels)


def _pip(root: Path, *arguments: str) -> None:
    """Install in the tree by its own Python: pip is run out of its wheel."""
    _inside(root, f"{PREFIX}/bin/python", f"{PIP}/pip", "install", "--quiet", "--no-index", *arguments)


def _inside(root: Path, *command: str) -> None:
    _run(*NSPAWN, "--pipe", f"--directory={root}", *command)


def _mirror() -> list[str]:
    """Return where this machine's own apt gets Debian from; nothing if it is no Debian: debootstrap knows a mirror."""
    if shutil.which("apt-get") is None:
        return []
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(SITE)", "Created-By: Packages"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    sites = [line.removeprefix("Debian Debian ") for line in told.splitlines() if line.startswith("Debian Debian ")]
    return sites[:1]


def _run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    name = str(command[0])
    try:
        done = subprocess.run(
            [str(part) for part in command], env=env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PLENTY, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPartError(PART, f"{name}: {error}") from None
    if done.returncode != 0:
        raise MissingPartError(PART, "\n".join([f"{name} failed:", *(done.stdout + done.stderr).splitlines()[-8:]]))
