"""What CodeDeploy touches in other emulated services: aliases of Lambda functions, alarms of CloudWatch."""

from __future__ import annotations

from collections.abc import Iterable

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError, ServiceException

from stackyard.local.emulator.codedeploy.shifting import Wish
from stackyard.local.emulator.surroundings import ringing


class Surroundings:
    """The other services of one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._functions = lambda_backends[account][region]
        self._account, self._region = account, region

    def trouble(self, wish: Wish) -> str:
        """Say why a function cannot be deployed so; empty when it can."""
        try:
            alias = self._functions.get_alias(wish.alias, wish.function)
            for version in (wish.current, wish.target):
                self._functions.get_function(wish.function, version)
        except (JsonRESTError, ServiceException, ValueError) as error:
            return f"The function, its alias or one of the versions is not there: {error}"
        if alias.function_version != wish.current:
            return f"The alias {wish.alias} is at version {alias.function_version}, not at {wish.current}"
        return ""

    def shift(self, wish: Wish, percent: float) -> None:
        """Send so many of a hundred requests to the new version."""
        done = percent >= 100
        weights = {} if done or percent <= 0 else {"AdditionalVersionWeights": {wish.target: percent / 100}}
        # moto's annotation says text; it keeps whatever the request's JSON was.
        self._functions.update_alias(wish.alias, wish.function, wish.target if done else wish.current, None, weights)  # pyright: ignore[reportArgumentType]  (see above)

    def ringing(self, names: Iterable[str]) -> list[str]:
        """Return those of the alarms that are in ALARM."""
        return ringing(self._account, self._region, names)
