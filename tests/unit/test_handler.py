import asyncio
import functools
import itertools
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import kherd
from kherd.worker import handler, log
from kherd.worker.errors import HandlerError, ResultError
from kherd.worker.spec import ErrorSpec, LogSpec

from ..fakes.specs import worker_spec

numbers = itertools.count()
Write = Callable[[str], str]
PREAMBLE = "import asyncio, functools, sys, time\nimport kherd\nfrom kherd import Record\ncalls = []\n"
DIVIDES = "class App:\n    def __init__(self): 1 / 0\n    def handle(self, m): pass"


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a module and return its name; `sys.path` and `sys.modules` are put back afterwards."""
    path, modules = list(sys.path), set(sys.modules)

    def module(source: str) -> str:
        name = f"user_module_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text(PREAMBLE + source)
        return name

    yield module
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def load(write: Write, tmp_path: Path) -> Iterator[Callable[..., handler.Handler]]:
    opened = []

    def loaded(source: str, attribute: str = "handle", **fields: Any) -> handler.Handler:
        spec = worker_spec(f"{write(source)}:{attribute}", pythonpath=(str(tmp_path),), **fields)
        opened.append(handler.load(spec))
        return opened[-1]

    yield loaded
    for each in opened:
        each.loop.close()


Load = Callable[..., handler.Handler]


@pytest.mark.parametrize(
    ("source", "attribute"),
    [
        ("def handle(message): calls.append(message)", "handle"),
        ("handle = lambda message: calls.append(message)", "handle"),
        ("def both(extra, message): calls.append(message)\nhandle = functools.partial(both, 1)", "handle"),
        ("class App:\n    def on(self, message): calls.append(message)\nhandle = App().on", "handle"),
        ("class App:\n    def __call__(self, message): calls.append(message)\nhandle = App()", "handle"),
        ("class App:\n    def handle(self, message): calls.append(message)", "App"),
        ("class App:\n    @staticmethod\n    def handle(message): calls.append(message)", "App"),
        ("class App:\n    def handle(self, message): calls.append(message)\napp = App()", "app"),
        ("class App:\n    class Inner:\n        def handle(self, message): calls.append(message)", "App.Inner"),
        ("async def handle(message):\n    await asyncio.sleep(0)\n    calls.append(message)", "handle"),
        ("class App:\n    async def __call__(self, message): calls.append(message)\nhandle = App()", "handle"),
        ("async def both(extra, message): calls.append(message)\nhandle = functools.partial(both, 1)", "handle"),
        ("class App:\n    async def handle(self, message): calls.append(message)", "App"),
        ("async def later(message): calls.append(message)\ndef handle(message): return later(message)", "handle"),
        ("def handle(message, *, extra=None): calls.append(message)", "handle"),
        ("def handle(*messages): calls.extend(messages)", "handle"),
    ],
)
def test_every_kind_of_handler_is_called_with_its_message(load: Load, source: str, attribute: str) -> None:
    loaded = load(source, attribute)
    assert loaded.call("m1") == ()
    assert loaded.call("m2") == ()
    loaded.close()
    assert sys.modules[loaded.name.partition(":")[0]].calls == ["m1", "m2"]


def test_a_builtin_without_a_signature_is_taken_at_its_word(tmp_path: Path) -> None:
    assert handler.load(worker_spec("builtins:vars", pythonpath=(str(tmp_path),))).mode == "record"


@pytest.mark.parametrize(
    "body",
    [
        "return Record('t', b'1')",
        "return [Record('t', b'1')]",
        "yield Record('t', b'1')",
        "return iter((Record('t', b'1'),))",
    ],
)
def test_records_may_be_returned_one_by_one_in_a_list_or_yielded(load: Load, body: str) -> None:
    assert list(load(f"def handle(message):\n    {body}").call("m")) == [kherd.Record("t", b"1")]


@pytest.mark.parametrize(
    ("value", "named"),
    [("True", "bool"), ("'text'", "str"), ("{}", "dict"), ("b''", "bytes"), ("[1]", "int"), ("5", "int")],
)
def test_anything_else_that_is_returned_is_an_error_that_names_it(load: Load, value: str, named: str) -> None:
    with pytest.raises(ResultError, match=f"the handler returned a {named}"):
        load(f"def handle(message): return {value}").call("m")


def test_an_async_generator_returned_at_the_call_is_an_error(load: Load) -> None:
    source = "async def later():\n    yield 1\ndef handle(message): return later()"
    with pytest.raises(ResultError, match="async_generator"):
        load(source).call("m")


@pytest.mark.parametrize("error", ["ValueError('x')", "SystemExit(3)", "KeyboardInterrupt()", "GeneratorExit()"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_a_handler_raises_comes_through_unchanged_and_the_next_call_works(
    load: Load, kind: str, error: str
) -> None:
    loaded = load(f"error = {error}\n{kind} handle(message):\n    if message: raise error")
    raised = sys.modules[loaded.name.partition(":")[0]].error
    with pytest.raises(type(raised)) as caught:
        loaded.call("m")
    assert caught.value is raised
    assert loaded.call("") == ()
    loaded.close()


def test_coroutines_share_one_loop_for_the_life_of_the_worker(load: Load) -> None:
    source = "async def handle(message): calls.append(asyncio.get_running_loop())"
    loaded = load(source)
    loaded.call("m")
    loaded.call("m")
    first, second = sys.modules[loaded.name.partition(":")[0]].calls
    assert first is second
    loaded.close()
    assert first.is_closed()


def test_the_class_of_a_coroutine_handler_is_built_inside_the_loop(load: Load) -> None:
    source = (
        "class App:\n"
        "    def __init__(self): self.loop = asyncio.get_running_loop()\n"
        "    async def handle(self, message): assert self.loop is asyncio.get_running_loop()\n"
        "    async def close(self): calls.append('closed')\n"
    )
    loaded = load(source, "App")
    assert loaded.call("m") == ()
    loaded.close()
    assert sys.modules[loaded.name.partition(":")[0]].calls == ["closed"]


def test_background_tasks_are_cancelled_by_close(load: Load) -> None:
    source = (
        "async def tick():\n"
        "    try: await asyncio.sleep(3600)\n"
        "    finally: calls.append('cancelled')\n"
        "async def handle(message):\n"
        "    global task\n"
        "    task = asyncio.create_task(tick())\n"
        "    await asyncio.sleep(0)\n"
    )
    loaded = load(source)
    loaded.call("m")
    loaded.close()
    assert sys.modules[loaded.name.partition(":")[0]].calls == ["cancelled"]


def test_context_is_the_same_inside_a_coroutine(load: Load) -> None:
    context = kherd.context()
    context.attempt = 7
    try:
        load("async def handle(message): assert kherd.context().attempt == 7").call("m")
    finally:
        context.attempt = 1


def test_the_context_logger_writes_lines_of_the_worker() -> None:
    stream = StringIO()
    log.configure(LogSpec(format="json"), log.Identity(app="orders", role="worker", slot=3), stream=stream)
    try:
        kherd.context().logger.warning("odd order %s", 7)
        assert '"message": "odd order 7"' in stream.getvalue()
        assert '"slot": 3' in stream.getvalue()
    finally:
        logging.getLogger(log.NAME).handlers.clear()
        log._identity = log.Identity()


@pytest.mark.parametrize(
    ("source", "attribute", "mode", "says"),
    [
        ("", "handle", "record", "has no attribute 'handle'"),
        ("def handel(message): pass", "handle", "record", "did you mean 'handel'?"),
        ("handle = 5", "handle", "record", "is of type int: not a function"),
        ("def handle(): pass", "handle", "record", r"called with one argument, the message .* signature is \(\)"),
        ("def handle(a, b): pass", "handle", "batch", r"the list of messages \(workers.mode = \"batch\"\).*\(a, b\)"),
        ("def handle(*, a): pass", "handle", "record", "cannot be called with one argument"),
        ("async def handle(message):\n    yield 1", "handle", "record", "async generator; return a list"),
        (
            "class App:\n    async def __call__(self, m):\n        yield 1\napp = App()",
            "app",
            "record",
            "async generator",
        ),
        ("class App: pass", "App", "record", "class App has no handle .*has handle or handle_batch"),
        ("class App:\n    def handle_batch(self, m): pass", "App", "record", "has only handle_batch"),
        ("class App:\n    def handle(self, m): pass", "App", "batch", "no handle_batch .*has only handle"),
        (
            "class A:\n    def __init__(self, x): pass\n    def handle(self, m): pass",
            "A",
            "record",
            "without arguments",
        ),
        (DIVIDES, "App", "record", r"building App\(\) raised ZeroDivisionError.*line 6"),
        ("class App:\n    def handle(self): pass", "App", "record", "cannot be called with one argument"),
        ("class App:\n    handle = 5", "App", "record", "is of type int: not a function"),
        (
            "import no_such_module_here",
            "handle",
            "record",
            r"raised ModuleNotFoundError: .*no_such_module_here.*line 5\)",
        ),
        ("def handle(:", "handle", "record", r"raised SyntaxError.*line 5\)"),
        ("raise OSError('no database')", "handle", "record", r"raised OSError: no database \(.*line 5\)"),
        ("sys.exit(3)", "handle", "record", "raised SystemExit: 3"),
    ],
)
def test_an_unusable_handler_is_refused_in_words(load: Load, source: str, attribute: str, mode: str, says: str) -> None:
    with pytest.raises(HandlerError, match=says):
        load(source, attribute, mode=mode)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("orders", '"module:attribute", for example'),
        ("orders:", '"module:attribute"'),
        (":handle", '"module:attribute"'),
        (".orders:handle", '"module:attribute"'),
        ("my-orders:handle", '"module:attribute"'),
        ("no_such_app:handle", r"no module named 'no_such_app' in /.* \(app.pythonpath\)$"),
        ("no_such_app.sub:handle", "no module named 'no_such_app'"),
        ("no_such_app.py:handle", "leave out \".py\": 'no_such_app'"),
        ("json:no_such", r"module json \(.*__init__.py\) has no attribute 'no_such'"),
        ("json:loads.no_such", "<function loads .* has no attribute 'no_such'"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused_in_words(name: str, says: str, tmp_path: Path, write: Write) -> None:
    with pytest.raises(HandlerError, match=says):
        handler.load(worker_spec(name, pythonpath=(str(tmp_path),)))


def test_a_folder_without_init_is_named_as_such(tmp_path: Path, write: Write) -> None:
    (tmp_path / "bare_folder_app").mkdir()
    with pytest.raises(HandlerError, match=r"a folder without __init__\.py"):
        handler.resolve("bare_folder_app:handle", (str(tmp_path),))


@pytest.mark.parametrize(
    ("source", "permanent"),
    [
        ("def handle(): pass", True),
        ("import no_such_module_here", True),
        ("def handle(:", True),
        ("raise OSError('no database')", False),
        ("class handle:\n    def __init__(self): raise ConnectionError\n    def handle(self, m): pass", False),
    ],
)
def test_only_what_an_edit_must_mend_is_permanent(load: Load, source: str, permanent: bool) -> None:
    with pytest.raises(HandlerError) as caught:
        load(source)
    assert caught.value.permanent is permanent


def test_verify_checks_without_building_the_class(write: Write, tmp_path: Path) -> None:
    name = write("class App:\n    def __init__(self): 1 / 0\n    def handle(self, m): pass\ndef two(a, b): pass")
    handler.verify(worker_spec(f"{name}:App", pythonpath=(str(tmp_path),)))
    with pytest.raises(HandlerError, match="cannot be called"):
        handler.verify(worker_spec(f"{name}:two", pythonpath=(str(tmp_path),)))


def test_resolve_imports_and_calls_nothing(write: Write, tmp_path: Path) -> None:
    name = write("class App:\n    def __init__(self): calls.append(1)")
    assert handler.resolve(f"{name}:App", (str(tmp_path),)) is sys.modules[name].App
    assert sys.modules[name].calls == []


def test_the_python_path_comes_first_and_in_its_order(tmp_path: Path, write: Write) -> None:
    sys.path.append(str(tmp_path / "b"))
    write("")
    with pytest.raises(HandlerError):
        handler.resolve("no_such_app:handle", (str(tmp_path / "a"), str(tmp_path / "b")))
    assert sys.path[:2] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert sys.path.count(str(tmp_path / "b")) == 1


def test_a_users_own_packages_named_worker_and_supervisor_import_unharmed(tmp_path: Path) -> None:
    for package in ("worker", "supervisor"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / "main.py").write_text(f"NAME = 'the user''s {package}'")
    (tmp_path / "app.py").write_text(
        "import worker.main, supervisor.main\ndef handle(m): return worker.main.NAME, supervisor.main.NAME"
    )
    check = (
        "from kherd.worker import handler; import kherd.worker, kherd.supervisor, sys; "
        f"function = handler.resolve('app:handle', ({str(tmp_path)!r},)); "
        "assert function(None) == ('the users worker', 'the users supervisor'), function(None); "
        "assert sys.modules['worker'] is not kherd.worker; from kherd.worker import board"
    )
    repository = Path(kherd.worker.__file__).resolve().parent.parent  # on sys.path by `-c`, and it has both folders too
    result = subprocess.run([sys.executable, "-c", check], cwd=repository, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_poison_classes_are_loaded_and_checked(write: Write, tmp_path: Path) -> None:
    name = write("class Bad(Exception): pass\nthing = 5\ndef handle(m): pass")
    spec = worker_spec(
        f"{name}:handle", pythonpath=(str(tmp_path),), errors=ErrorSpec(poison=(f"{name}:Bad", "ValueError"))
    )
    handler.load(spec)
    assert handler.load_classes(spec.errors.poison) == (sys.modules[name].Bad, ValueError)
    for bad in (f"{name}:thing", "NoSuchError", f"{name}:NoSuch", "json"):
        with pytest.raises(HandlerError):
            handler.load(worker_spec(f"{name}:handle", errors=ErrorSpec(poison=(bad,))))


def test_an_error_in_close_is_logged_and_not_raised(load: Load, capture: StringIO) -> None:
    load("class App:\n    def handle(self, m): pass\n    def close(self): raise OSError('gone')", "App").close()
    assert "OSError('gone')" in capture.getvalue()


@pytest.mark.parametrize(
    "close",
    [
        "def close(self): time.sleep(60)",
        "async def close(self): await asyncio.sleep(60)",
        "async def close(self): time.sleep(60)",
    ],
)
def test_a_close_that_blocks_is_interrupted_and_logged(load: Load, capture: StringIO, close: str) -> None:
    before = signal.getsignal(signal.SIGALRM)
    load(f"class App:\n    def handle(self, m): pass\n    {close}", "App").close(seconds=0.05)
    assert "TimeoutError" in capture.getvalue()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_close_that_swallows_the_interruption_is_interrupted_again(load: Load, capture: StringIO) -> None:
    source = (
        "class App:\n"
        "    def handle(self, m): pass\n"
        "    def close(self):\n"
        "        try: time.sleep(60)\n"
        "        except TimeoutError: calls.append(1)\n"
        "        time.sleep(60)\n"
    )
    loaded = load(source, "App")
    loaded.close(seconds=0.05)
    assert sys.modules[loaded.name.partition(":")[0]].calls == [1]
    assert "TimeoutError" in capture.getvalue()


@pytest.fixture
def capture() -> Iterator[StringIO]:
    stream = StringIO()
    log.configure(LogSpec(format="text"), log.Identity(), stream=stream)
    yield stream
    logging.getLogger(log.NAME).handlers.clear()


def test_outside_the_main_thread_a_close_runs_without_its_bound(load: Load) -> None:
    loaded = load("class App:\n    def handle(self, m): pass\n    def close(self): calls.append(1)", "App")
    thread = threading.Thread(target=loaded.close)
    thread.start()
    thread.join()
    assert sys.modules[loaded.name.partition(":")[0]].calls == [1]


def test_a_batch_handler_gets_the_list_and_answers_for_each(load: Load) -> None:
    loaded = load("def handle(messages):\n    calls.extend(messages)", mode="batch")
    assert loaded.call_batch(["a", "b"]) == [(), ()]
    assert loaded.mode == "batch"


def test_a_class_with_both_methods_is_called_by_mode(load: Load) -> None:
    source = (
        "class App:\n"
        "    def handle(self, m): return Record('one')\n"
        "    async def handle_batch(self, m): return Record('many')\n"
    )
    assert load(source, "App").call("m") == (kherd.Record("one"),)
    loaded = load(source, "App", mode="batch")
    assert loaded.call_batch(["m"]) == [(kherd.Record("many"),)]
    loaded.close()


def test_asyncio_is_untouched_by_a_plain_handler(load: Load) -> None:
    loaded = load("def handle(message): pass")
    loaded.call("m")
    assert loaded.loop._runner is None
    loaded.close()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_invoke_is_the_plain_function_itself(load: Load) -> None:
    loaded = load("def handle(message): pass")
    assert loaded.invoke is sys.modules[loaded.name.partition(":")[0]].handle
    assert not isinstance(loaded.invoke, functools.partial)
