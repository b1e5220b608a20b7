"""Completion of commands and options, in real shells."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assistant_stream_cli import main
from tests.cli.running import environment


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--print-completion", shell])

    assert caught.value.code == 0
    assert "assistant-stream-ce" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("assistant-stream-ce se", {"serve "}),
        ("assistant-stream-ce demo --mo", {"--model "}),
        ("assistant-stream-ce serve age", {"agent.py "}),
    ],
)
def test_bash_completes(folder: Path, line: str, offered: set[str]) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    command = folder / "bin" / "assistant-stream-ce"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m assistant_stream_cli "$@"\n')
    command.chmod(0o755)
    script = f"""
        PATH="{command.parent}:$PATH"
        eval "$(assistant-stream-ce --print-completion bash)"
        COMP_LINE="{line}" COMP_POINT=${{#COMP_LINE}} COMP_TYPE=9
        COMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _python_argcomplete assistant-stream-ce
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert {f"{word.rstrip()} " for word in done.stdout.splitlines()} == offered
