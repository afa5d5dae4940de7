"""What notifications asks of whoever carries mail."""

from email.message import EmailMessage
from typing import Protocol


class Undeliverable(Exception):  # noqa: N818 - an answer about one letter, not an error
    """This letter will never be taken; the message says why."""


class NotNow(Exception):  # noqa: N818 - an answer about one letter, not an error
    """This letter was not taken; it may be later. The message says why."""


class Carrier(Protocol):
    """Takes one letter at a time."""

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand ``message`` over; raises :class:`Undeliverable` or :class:`NotNow`.

        Returns once the other side has taken responsibility for it.
        """
        ...
