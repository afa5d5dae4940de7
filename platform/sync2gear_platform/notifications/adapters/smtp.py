"""Mail over SMTP (RFC 5321), submitted over TLS that is verified."""

import ssl
from email.message import EmailMessage
from typing import Final, Literal

import aiosmtplib

from sync2gear_platform.notifications import rules
from sync2gear_platform.notifications.ports import NotNow, Undeliverable
from sync2gear_platform.settings import MailServer

TIMEOUT_SECONDS: Final = 15.0
"""For the connection, and for each answer."""


class Smtp:
    """One connection for each letter: mail here is rare, and a kept one would break unnoticed."""

    def __init__(self, server: MailServer, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._server = server
        self._timeout = timeout

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """As the port says."""
        server = self._server
        try:
            async with aiosmtplib.SMTP(
                hostname=server.host,
                port=server.port,
                username=server.user or None,
                password=server.password or None,
                use_tls=server.tls == "implicit",
                start_tls=server.tls == "starttls",
                tls_context=None if server.tls == "none" else self._trust(),
                timeout=self._timeout,
            ) as smtp:
                await smtp.send_message(message, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _answer("recipient", refused.code, refused.message) from error
        except aiosmtplib.SMTPDataError as error:
            raise _answer("data", error.code, error.message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _answer("other", error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotNow(f"{type(error).__name__}: {error}") from error

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._server.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _answer(
    stage: Literal["recipient", "data", "other"], code: int, message: str
) -> NotNow | Undeliverable:
    kind = Undeliverable if rules.verdict(stage, code) == "dead" else NotNow
    return kind(f"{code} {message}")
