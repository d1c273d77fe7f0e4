"""``inv diagram``: the environment that the files describe, as a Mermaid flowchart. Asks nobody."""

from __future__ import annotations

from stackyard.commands.session import Session
from stackyard.diagram import draw
from stackyard.names import PREVIEWS, group_of


def diagram(session: Session) -> str:
    """Return the flowchart. Raises ConfigError, and MissingError where there is no such environment."""
    target = session.target
    project = session.project
    place = project.previews if group_of(target.name) == PREVIEWS else project.environments.get(target.name)
    return draw(project.project, target.name, place, session.catalog.entries)
