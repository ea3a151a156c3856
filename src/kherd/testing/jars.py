"""The jars of Apache Kafka: fetched by Maven from `pom.xml`, once per version of that file."""

import subprocess
from pathlib import Path
from typing import Final

from . import cache
from .parts import MissingPartError, program

POM: Final = Path(__file__).with_name("pom.xml")
PLENTY: Final = 600.0
"""Seconds for 93 jars, 54 MB, through a slow mirror."""
JDK: Final = "install a JDK of version 17 or later (Debian: openjdk-17-jdk-headless)"
MAVEN: Final = "install Maven (Debian: maven)"


def java() -> str:
    """Return the path of `java`."""
    return program("java", "Java for a real Kafka", JDK)


def classpath() -> str:
    """Return Kafka's class path, fetching the jars if this is the first time.

    Raises:
        MissingPartError: no Java, no Maven, or the download failed.
    """
    java()
    recipe = POM.read_bytes()
    return f"{cache.entry('kafka-jars', recipe, _fetch)}/*"


def _fetch(folder: Path) -> None:
    maven = program("mvn", "Maven for a real Kafka", MAVEN)
    # Maven writes beside its pom, which may be read-only.
    work = folder / "pom"
    work.mkdir()
    (work / "pom.xml").write_bytes(POM.read_bytes())
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    command = [maven, "-q", "-B", "-f", str(work / "pom.xml"), *goal]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PLENTY, check=False)
    except subprocess.TimeoutExpired:
        raise _failed(f"no end within {PLENTY:g} s") from None
    if done.returncode != 0:
        raise _failed("\n".join((done.stdout + done.stderr).splitlines()[-5:]))


def _failed(said: str) -> MissingPartError:
    return MissingPartError(
        "jars of a real Kafka",
        f"Maven could not fetch them ({said}); with a network or a mirror in ~/.m2/settings.xml, "
        f"run `python -m kherd.testing fetch`, which keeps them in {cache.root()}",
    )
