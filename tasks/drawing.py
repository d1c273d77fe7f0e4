"""Tasks that show the project as a picture."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from tasks.running import ENV, LOCAL, attempt, begin, make_screen


@task(help=ENV)
def diagram(_c: Context, env: str = LOCAL) -> None:
    """Draw an environment as a Mermaid diagram.

    From the files here; AWS is not asked. GitHub shows it in a block of Markdown that is fenced as mermaid.
    """
    from stackyard.commands.diagram import diagram as run

    screen = make_screen()
    drawn = attempt(lambda: run(begin(env, screen)), screen)
    screen.data(drawn)
