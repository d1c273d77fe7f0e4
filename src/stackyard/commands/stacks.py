"""Plan and apply one stack with everything told on the screen: what deploy, bootstrap, plan and destroy share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import TypeVar

from stackyard.commands.session import Session
from stackyard.commands.wholeness import require_state
from stackyard.errors import RefusedError, StackyardError, ToolError
from stackyard.local import daemons
from stackyard.screen import Progress
from stackyard.tools.holding import who_am_i
from stackyard.tools.terraform import LockedError, Planned, Stack, stack_sources
from stackyard.tools.tfevents import (
    Applied,
    Change,
    Diagnostic,
    Event,
    Failed,
    Waiting,
    count_steps,
    plain_action,
    short_address,
)

T = TypeVar("T")

_SIGNS = {"create": "+", "import": "+", "update": "~", "replace": "±", "delete": "-", "move": "→", "remove": "x"}


def init_stack(session: Session, stack: Stack, *, whole: bool = True) -> None:
    """Initialise a stack where that is needed, and see that its state is ``whole``. Raises StackyardError."""
    saved = stack.source / "errored.tfstate"
    if saved.exists():
        if not session.target.emulated:
            folder = f"TF_DATA_DIR={stack.work.relative_to(session.root)}/data"
            raise RefusedError(
                f"a state that could not be saved lies in infra/{stack.source.name}/errored.tfstate",
                "an earlier apply lost its connection to the state bucket",
                fix="Push it, then delete the file; what it records is not in the bucket.",
                command=f"{folder} terraform -chdir=infra/{stack.source.name} state push errored.tfstate",
            )
        saved.unlink()
    sources = stack_sources(session.root / "infra", stack.source.name)
    with emulator_watched(session):
        if whole:
            # First: an init reads the state, too.
            require_state(session, stack.backend["key"])
        if stack.init(sources):
            session.screen.note("terraform init")


def plan_stack(
    session: Session, stack: Stack, *, destroy: bool = False, lock: bool = True, replace: str = ""
) -> Planned:
    """Plan a stack. On the laptop a lock that a killed run left behind is released, and said so.

    ``replace`` is the address of a resource that is to be made anew.
    """
    return _past_left_lock(
        session, stack, lambda: stack.plan(_told(session), destroy=destroy, lock=lock, replace=replace)
    )


def plan_and_apply_stack(session: Session, stack: Stack) -> tuple[Change, ...]:
    """Plan and apply in one run, which saves the laptop one start of Terraform; return what was changed."""
    screen, changes, tell_else = session.screen, list[Change](), _told(session)
    counted = False

    def run() -> None:
        changes.clear()
        with screen.progress("apply", None) as progress:
            tell_steps = _stepwise(session, progress)

            def tell(event: Event) -> None:
                nonlocal counted
                if isinstance(event, Change):
                    changes.append(event)
                elif isinstance(event, Diagnostic):
                    tell_else(event)
                elif changes:
                    # The first step after what is planned; what comes before is read for the plan.
                    if not counted:
                        screen.note(plain_action(changes))
                        counted = True
                    tell_steps(event)

            stack.plan_and_apply(tell)

    _past_left_lock(session, stack, run)
    if not changes:
        screen.note("no changes")
    return tuple(changes)


def _past_left_lock(session: Session, stack: Stack, run: Callable[[], T]) -> T:
    """Run something that takes the state's lock, once more where a killed run of ours has left the laptop's locked."""
    try:
        with emulator_watched(session):
            return run()
    except LockedError as error:
        screen, left = session.screen, error.lock
        # The embedded AWS is this checkout's alone and so is the lock that we hold: a run of ours cannot be alive.
        if not (session.target.emulated and stack.keep_fds and left.who == who_am_i()):
            raise
        screen.note(f"the state was left locked by a killed run ({left.who}, {left.created}); releasing {left.id}")
        screen.note(f"(elsewhere you would type: inv unlock --env {session.target.name} --id {left.id})")
        stack.unlock(left.id)
        with emulator_watched(session):
            return run()


@contextlib.contextmanager
def discarded_when_refused(planned: Planned) -> Generator[None]:
    """Leave no plan behind, which holds every value, when its user says no."""
    try:
        yield
    except BaseException:
        planned.file.unlink(missing_ok=True)
        raise


def _told(session: Session) -> Callable[[Event], None]:
    """Tell Terraform's warnings once each; a plan's changes are shown together when it is complete."""
    seen: set[str] = set()

    def tell(event: Event) -> None:
        if isinstance(event, Diagnostic) and event.summary not in seen:
            seen.add(event.summary)
            session.screen.note(f"Terraform warns: {event.summary}" + (f" ({event.address})" if event.address else ""))

    return tell


def show_changes(session: Session, planned: Planned) -> None:
    """Print what a plan will do, one line a resource."""
    if not planned.changed:
        session.screen.note("no changes")
        return
    session.screen.note(plain_action(planned.changes) if planned.changes else "outputs change, resources do not")


def list_changes(session: Session, planned: Planned) -> None:
    """Print every change of a plan, one line a resource."""
    for change in planned.changes:
        if change.action in _SIGNS:
            reason = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
            session.screen.note(f"{_SIGNS[change.action]} {short_address(change.address)}{reason}")


def apply_stack(session: Session, stack: Stack, planned: Planned) -> None:
    """Apply a plan, one line for each resource that is done or has failed."""
    total = count_steps(planned.changes)
    with session.screen.progress("apply", total) as progress, emulator_watched(session):
        stack.apply(planned, _stepwise(session, progress))


def _stepwise(session: Session, progress: Progress) -> Callable[[Event], None]:
    """Tell each resource that is done, is waited for, or has failed."""
    screen = session.screen

    def tell(event: Event) -> None:
        match event:
            case Applied(address, verb, seconds):
                progress.advance(f"{verb} {short_address(address)} {seconds:.0f} s")
            case Waiting(address, seconds):
                progress.waiting(f"waiting for {short_address(address)} ({seconds:.0f} s)")
            case Failed(address, attempt, seconds):
                screen.note(screen.style(f"could not {attempt} {short_address(address)} {seconds:.0f} s", "red"))
            case Change() | Diagnostic():
                pass

    return tell


@contextlib.contextmanager
def emulator_watched(session: Session) -> Generator[None]:
    """Say that the embedded AWS has died when that is why something failed."""
    try:
        yield
    except ToolError as error:
        if session.target.emulated and daemons.find_daemon(session.layout, daemons.EMULATOR) is None:
            raise gone(session, error) from error
        raise


def gone(session: Session, error: StackyardError) -> ToolError:
    """Make the error for an embedded AWS that died under way."""
    from stackyard.tools.aws import emulator_gone  # noqa: PLC0415  (botocore is slow to import)

    words = daemons.tail(session.layout.daemon_log(daemons.EMULATOR), 10)
    return emulator_gone("\n".join(filter(None, [error.detail[-1500:], words])))
