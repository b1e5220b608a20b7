"""The commands and the front-end code that the pages show exist as they are written there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib

import pytest

from assistant_stream_cli import main
from tests.docs.samples import PAGES, REPOSITORY, Sample, samples

WEB = REPOSITORY / "assistant_stream_ce" / "server" / "playground" / "web"


def commands() -> list[tuple[str, list[str]]]:
    return [
        (sample.page.name, shlex.split(line, comments=True))
        for page in PAGES
        for sample in samples(page, "bash")
        for line in sample.text.splitlines()
        if shlex.split(line, comments=True)
    ]


@pytest.mark.parametrize(("page", "command"), commands(), ids=str)
def test_command(page: str, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    match command:
        case ["make", target]:
            makefile = (REPOSITORY / "Makefile").read_text()
            assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        case ["pip", "install", requirement]:
            assert set(extras(requirement)) <= declared_extras()
        case ["assistant-stream-ce", subcommand, *arguments]:
            with pytest.raises(SystemExit) as stopped:
                main([subcommand, *arguments, "--help"])
            assert stopped.value.code == 0
            known = capsys.readouterr().out
            for argument in arguments:
                assert not argument.startswith("--") or argument in known
        case _:
            pytest.fail(f"{page}: nothing here knows how to check {command}")


def extras(requirement: str) -> list[str]:
    name, _, rest = requirement.partition("[")
    assert name == "assistant-stream-ce"
    return rest.rstrip("]").split(",") if rest else []


def declared_extras() -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])


@pytest.mark.slow
def test_front_end_samples_type_check(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Against the packages of the chat page, which uses the same runtime."""
    found: list[Sample] = [sample for page in PAGES for sample in samples(page, "tsx")]
    assert found
    folder = tmp_path_factory.mktemp("tsx")
    (folder / "node_modules").symlink_to(WEB / "node_modules")
    for sample in found:
        (folder / f"{sample.page.stem}-{sample.line}.tsx").write_text(sample.text)
    options = json.loads((WEB / "tsconfig.json").read_text())["compilerOptions"]
    config = {"compilerOptions": {**options, "noEmit": True}, "include": ["*.tsx"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))

    tsc = WEB / "node_modules" / ".bin" / "tsc"
    result = subprocess.run([tsc, "-p", folder], capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout
