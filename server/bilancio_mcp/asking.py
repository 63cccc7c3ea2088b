"""Whether the client can put a question to its user, and what is said where nobody has agreed."""

from bilancio.errors import BilancioError
from bilancio_mcp.lifespan import Ctx


class NotConfirmed(BilancioError):
    """Nothing was done, because the user has not agreed to it."""


def can_ask(ctx: Ctx) -> bool:
    """Return whether the client shows its user a form; one that names no kind of asking does."""
    capabilities = ctx.client_capabilities
    asking = capabilities.elicitation if capabilities is not None else None
    return asking is not None and (asking.form is not None or asking.url is None)
