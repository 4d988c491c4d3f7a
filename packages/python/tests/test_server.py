"""Starting, finding and stopping servers."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ends, is_running

import pretender
from pretender import ProgramNotFoundError, Server, StartError, VersionMismatchError


def _script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/_pretender/health", timeout=10) as answer:
        return answer.status == 200


def test_a_server_answers_until_it_is_stopped() -> None:
    with pretender.Server() as server:
        pid = server.pid
        assert pid is not None and is_running(pid)
        assert _answers(server.url)
        assert server.region == "us-east-1"
    assert not is_running(pid)
    with pytest.raises(pretender.PretenderError, match="not running"):
        server.url


def test_a_server_can_be_started_again() -> None:
    server = pretender.start()
    first = server.pid
    server.stop()
    server.stop()
    with server:
        assert server.pid != first
        assert _answers(server.url)


def test_options_reach_the_server() -> None:
    with Server(options=["--region", "eu-west-1"]) as server:
        assert server.region == "eu-west-1"
        assert server.database().region == "eu-west-1"


def test_the_log_has_the_calls(server: Server) -> None:
    before = server.log_size()
    with server.database("calls") as database:
        database.client().list_tables()
    assert "ListTables" in server.log(after=before)


def test_variables_of_aws_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.exists("/proc/self/environ"):
        pytest.skip("this system does not show the variables of a process")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a real one")
    with pretender.start() as server:
        assert b"AWS_" not in Path(f"/proc/{server.pid}/environ").read_bytes()


def test_settings_of_the_program_are_not_inherited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRETENDER_HOST", "0.0.0.0")
    monkeypatch.setenv("PRETENDER_SNAPSHOT", str(tmp_path / "missing"))
    monkeypatch.setenv("PRETENDER_READY_FILE", str(tmp_path / "ready"))
    monkeypatch.setenv("PRETENDER_REGION", "eu-west-1")
    monkeypatch.setenv("PRETENDER_LOG_FORMAT", "json")
    with pretender.start() as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.region == "us-east-1"
        assert not (tmp_path / "ready").exists()
        server.database().clock.now()
        assert json.loads(server.log().splitlines()[-1])


def test_a_server_ends_when_this_process_is_killed() -> None:
    code = "import pretender, time; print(pretender.start().pid, flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    assert is_running(pid)
    child.kill()
    child.communicate()
    assert ends(pid)


def test_a_server_ends_with_a_script_that_does_not_stop_it() -> None:
    code = "import pretender; print(pretender.start().pid)"
    asked = subprocess.run([sys.executable, "-W", "error::ResourceWarning", "-c", code], capture_output=True, text=True)
    assert asked.stderr == ""
    assert ends(int(asked.stdout))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", ["forked", "started"])
def test_children_that_live_on_do_not_keep_a_server(kind: str) -> None:
    code = """if True:
        import os, pretender, subprocess, sys, time
        server = pretender.start()
        if sys.argv[1] == "forked":
            child = os.fork()
            if child == 0:
                server.stop()        # It is the parent's, so this does nothing.
                time.sleep(60)
                os._exit(0)
        else:
            child = subprocess.Popen(["sleep", "60"], close_fds=False).pid
        print(server.pid, child, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", code, kind], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, child = map(int, parent.stdout.readline().split())
    try:
        assert is_running(pid)
        parent.kill()
        parent.wait()
        assert ends(pid)
        assert is_running(child)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


def test_a_failed_start_shows_the_log() -> None:
    with pytest.raises(StartError, match="--no-such-option"):
        pretender.start(options=["--no-such-option"])


@pytest.mark.parametrize("said", ["hello", "17", '["hello"]', '{"version": "0.1.0"}'])
def test_another_program_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str) -> None:
    monkeypatch.setenv("PRETENDER_BIN", _script(tmp_path / "other", f"echo '{said}'; exec cat"))
    with pytest.raises(StartError, match=f"printed `{re.escape(said)}`"):
        pretender.start()


def test_a_program_without_a_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    announced = '{"url": "http://127.0.0.1:1", "region": "us-east-1"}'
    monkeypatch.setenv("PRETENDER_BIN", _script(tmp_path / "other", f"echo '{announced}'; exec cat"))
    with pytest.raises(VersionMismatchError, match="version unknown"):
        pretender.start()


def test_a_program_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    announced = '{"url": "http://127.0.0.1:1", "region": "us-east-1", "version": "9.8.7"}'
    other = _script(tmp_path / "other", f"echo '{announced}'; exec cat")
    monkeypatch.setenv("PRETENDER_BIN", other)
    with pytest.raises(VersionMismatchError) as refused:
        pretender.start()
    assert "9.8.7" in str(refused.value)
    assert pretender.__version__ in str(refused.value)


def test_a_program_that_is_too_old_for_an_option_is_refused_for_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = _script(tmp_path / "other", '[ "$1" = --version ] && echo pretender 0.0.1 && exit; exit 2')
    monkeypatch.setenv("PRETENDER_BIN", other)
    with pytest.raises(VersionMismatchError, match="0.0.1"):
        pretender.start()


def test_the_program_is_named_or_inside_or_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRETENDER_BIN", _script(tmp_path / "named", "exit 0"))
    assert pretender.find_program() == str(tmp_path / "named")
    monkeypatch.setenv("PRETENDER_BIN", str(tmp_path / "missing"))
    with pytest.raises(ProgramNotFoundError, match="missing"):
        pretender.find_program()

    monkeypatch.delenv("PRETENDER_BIN")
    inside = tmp_path / "package" / "bin"
    inside.mkdir(parents=True)
    monkeypatch.setattr("pretender._program.__file__", str(tmp_path / "package" / "_program.py"))
    # The command of this package is on the PATH too, and would start itself.
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), str(tmp_path)]))
    with pytest.raises(ProgramNotFoundError, match="PRETENDER_BIN"):
        pretender.find_program()
    on_path = _script(tmp_path / "pretender", "exit 0")
    assert pretender.find_program() == on_path
    packaged = _script(inside / "pretender", "exit 0")
    assert pretender.find_program() == packaged


def test_the_command_of_the_package_is_not_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "pretender"
    link = tmp_path / "linked"
    link.symlink_to(command)
    for named in (command, link):
        monkeypatch.setenv("PRETENDER_BIN", str(named))
        with pytest.raises(ProgramNotFoundError, match="unset it"):
            pretender.find_program()
        asked = subprocess.run([named, "--version"], stderr=subprocess.PIPE, text=True, timeout=30)
        assert asked.returncode == 1 and "unset it" in asked.stderr


def test_the_command_runs_the_program() -> None:
    command = Path(sys.executable).parent / "pretender"
    asked = subprocess.run([command, "--version"], capture_output=True, text=True)
    assert asked.stdout.split() == ["pretender", pretender.__version__]
    refused = subprocess.run([command, "no-such-command"], capture_output=True)
    assert refused.returncode == 2


def test_an_endpoint_in_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETENDER_ENDPOINT", f"{server.url}/")
    with pretender.Server() as shared:
        assert shared.url == server.url
        assert shared.pid is None
        with shared.database("shared") as database:
            database.client().list_tables()
            assert "shared" in server.databases()
    assert _answers(server.url)
    with pytest.raises(StartError, match="PRETENDER_ENDPOINT"):
        pretender.start(schema="tables.json")


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_shared_server_tells_its_region(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    with pretender.start(options=["--region", "eu-west-1"]) as server:
        monkeypatch.setenv("PRETENDER_ENDPOINT", server.url.replace("http://", scheme))
        shared = pretender.start()
        assert (shared.url, shared.region) == (server.url, "eu-west-1")


def test_an_endpoint_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETENDER_ENDPOINT", "127.0.0.1:1")
    with pytest.raises(StartError, match="PRETENDER_ENDPOINT is 127.0.0.1:1"):
        pretender.start()


def test_a_server_without_databases_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [pretender.find_program(), "serve", "--port", "0", "--db", ":memory:", "--control", "--announce", "json"]
    plain = subprocess.Popen([*words, "--stop-on-stdin-close"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with plain:
        assert plain.stdin is not None and plain.stdout is not None
        url = json.loads(plain.stdout.readline())["url"]
        monkeypatch.setenv("PRETENDER_ENDPOINT", url)
        with pytest.raises(StartError, match="without --databases"):
            pretender.start()
        # Without isolation, such a server can be used as a whole.
        assert not pretender.Database(url).clock.state().held
        plain.stdin.close()
