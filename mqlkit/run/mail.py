"""Mail of reports and of failures, over SMTP with TLS."""

from __future__ import annotations

import os
import re
import smtplib
import ssl
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from pathlib import Path
from time import sleep

from mqlkit.core.errors import ParamsError, RunError, listed, nearest, report

PREFIX = "MQLKIT_SMTP_"
NAMES = ("host", "port", "security", "user", "password", "from", "ca_file")
PORTS = {"starttls": 587, "tls": 465}
# Seconds before each further try; a server that defers mail accepts it later.
PAUSES = (2.0, 10.0, 30.0)
TIMEOUT_SECONDS = 60
# Reply codes from this one on mean that a further try fails too.
PERMANENT = 500
ATTACHED = "The report is attached: one page that opens without a network."
FAILED = "The last good report is unchanged. The log of the scheduler has the full message."


@dataclass(frozen=True)
class MailServer:
    """The server that mail is sent through.

    Attributes
    ----------
    host, port
        The server.
    security
        ``starttls`` or ``tls``; nothing is sent unencrypted.
    sender
        The address in ``From``.
    user, password
        Login; empty to send without one.
    ca_file
        Certificates to trust instead of the system's; empty for the system's.
    """

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


def mail_server(environment: Mapping[str, str]) -> MailServer:
    """Return the mail server from the environment.

    Parameters
    ----------
    environment
        ``MQLKIT_SMTP_HOST`` and so on; or ``MQLKIT_SMTP_FILE``, a file of ``name=value`` lines that
        only its owner may read. Variables win over the file.

    Raises
    ------
    ParamsError
        If a setting is missing or wrong. The message contains no value of a setting.
    """
    given = _from_file(Path(file)) if (file := environment.get(f"{PREFIX}FILE")) else {}
    for name in NAMES:
        if value := environment.get(f"{PREFIX}{name.upper()}"):
            given[name] = value
    missing = [f"{PREFIX}{n.upper()}" for n in ("host", "from") if not given.get(n)]
    if missing:
        raise ParamsError(
            report(
                f"--mail-to: {' and '.join(missing)} is not set.",
                expected="the mail server and the sender, in the environment or in the file that "
                f"{PREFIX}FILE names",
                fix="see docs/schedule.md",
            )
        )
    security = given.get("security", "starttls").lower()
    if security not in PORTS:
        raise ParamsError(report(f"{PREFIX}SECURITY is not usable.", expected=" or ".join(PORTS)))
    port = given.get("port", str(PORTS[security]))
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ParamsError(report(f"{PREFIX}PORT is not usable.", expected="a number, such as 587"))
    return MailServer(
        host=given["host"],
        port=int(port),
        security=security,
        sender=checked_address(given["from"], f"{PREFIX}FROM"),
        user=given.get("user", ""),
        password=given.get("password", ""),
        ca_file=given.get("ca_file", ""),
    )


def _from_file(path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(report(f"{path}: cannot be read ({error}).")) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ParamsError(
            report(
                f"{path}: others than its owner can get at it, and it may hold a password.",
                fix=f"chmod 600 {path}",
            )
        )
    given = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, _, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if name.lower() not in NAMES:
            close = nearest(name, NAMES)
            fix = f"did you mean {close!r}?" if close else f"one of {', '.join(NAMES)}"
            # The message does not contain the line: it could be a password.
            raise ParamsError(report(f"{path}:{number}: this name is unknown.", fix=fix))
        given[name.lower()] = value
    return given


def checked_address(text: str, place: str) -> str:
    """Return a mail address.

    Raises
    ------
    ParamsError
        If the text is not a bare address.
    """
    _, address = parseaddr(text)
    is_odd = address != text.strip() or address.count("@") != 1 or not address.isprintable()
    if is_odd or " " in address or not all(address.split("@")):
        raise ParamsError(
            report(f"{place}: {text!r} is no mail address.", expected="name@example.org, bare")
        )
    return address


def without_data(text: str) -> str:
    r"""Return an error message without values that may come from the data.

    Mail is kept for years and leaves the company's systems, so it must not quote an export.

    >>> print(without_data("a.csv: the lead's 'Hall' is odd.\n  Found: B\n  Fix:      correct it"))
    a.csv: the lead's … is odd.
      Fix:      correct it
    """
    # A failing cell can raise any message, over several lines.
    text = re.sub(r"(: cell \d+ failed: \w+).*?(?=\n  Fix:|\Z)", r"\1", text, flags=re.DOTALL)
    lines = [s for s in text.splitlines() if not s.startswith(" ") or s.startswith("  Fix:")]
    # From the first quotation mark of a line to the last: quoted text may contain some.
    return "\n".join(re.sub(r"""(?<!\w)['"].*['"]""", "…", line) for line in lines)


def send_report(
    server: MailServer, to: Sequence[str], page: Path, remarks: Sequence[str], *, is_broken: bool
) -> None:
    """Mail a page with its headline as text.

    Parameters
    ----------
    server, to
        The server and the receivers.
    page
        The HTML file; the headline is in the text file next to it.
    remarks
        Lines about broken limits, shown above the headline.
    is_broken
        Whether a limit of ``fail_on`` is broken, which the subject says.

    Raises
    ------
    RunError
        If the mail could not be sent.
    """
    headline = page.with_suffix(".txt").read_text(encoding="utf-8")
    text = "\n".join([*remarks, *([""] if remarks else []), headline, ATTACHED])
    subject = f"{'Limit broken: ' if is_broken else ''}{headline.splitlines()[0]}"
    send(server, compose(server, to, subject=subject, text=text, page=page))


def send_failure(server: MailServer, to: Sequence[str], name: str, error: str) -> None:
    """Mail that a report could not be made.

    Parameters
    ----------
    server, to
        The server and the receivers.
    name, error
        The report, and the message of the error.

    Raises
    ------
    RunError
        If the mail could not be sent.
    """
    words = [f"The report {name} could not be made:", "", without_data(error), "", FAILED]
    mail = compose(server, to, subject=f"No report: {name}", text="\n".join(words))
    send(server, mail)


def compose(
    server: MailServer, to: Sequence[str], *, subject: str, text: str, page: Path | None = None
) -> EmailMessage:
    """Return a mail, with a page attached if one is given.

    Parameters
    ----------
    server, to
        For the sender, and the receivers.
    subject, text
        One line, and the body.
    page
        The HTML file; None for a mail of text only.
    """
    mail = EmailMessage()
    # A line break in a title must not start another header.
    mail["Subject"] = " ".join(subject.split())
    mail["From"], mail["To"] = server.sender, ", ".join(to)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=server.sender.split("@")[1])
    mail.set_content(text)
    if page is not None:
        content = page.read_bytes()
        mail.add_attachment(content, maintype="text", subtype="html", filename=page.name)
    return mail


def send(server: MailServer, mail: EmailMessage, *, pauses: Sequence[float] = PAUSES) -> None:
    """Send a mail; try again after a temporary error.

    Raises
    ------
    RunError
        If it could not be sent.
    """
    for pause in (*pauses, None):
        try:
            return _send_once(server, mail)
        except (OSError, smtplib.SMTPException) as error:
            if pause is None or _is_permanent(error):
                raise RunError(_words(server, error, has_page=mail.is_multipart())) from None
            sleep(pause)
    return None


def _send_once(server: MailServer, mail: EmailMessage) -> None:
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if server.security == "tls":
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    with session:
        if server.security == "starttls":
            # Raises if the server does not offer it: nothing is sent unencrypted.
            session.starttls(context=context)
        if server.user:
            session.login(server.user, server.password)
        refused = session.send_message(mail)
    if refused:
        # The other receivers have the mail, and a second try would send it to them again.
        raise smtplib.SMTPRecipientsRefused(
            {address: (PERMANENT, reply[1]) for address, reply in refused.items()}
        )


def _is_permanent(error: OSError | smtplib.SMTPException) -> bool:
    """Return whether a further try would fail too."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code >= PERMANENT for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= PERMANENT
    permanent = (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError, FileNotFoundError)
    return isinstance(error, permanent)


def _words(server: MailServer, error: OSError | smtplib.SMTPException, *, has_page: bool) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        what, fix = "the server does not accept the user or the password", "correct the settings"
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        what = f"the server refuses {listed(sorted(error.recipients))}"
        fix = "correct --mail-to; all other recipients received it"
    elif isinstance(error, ssl.SSLCertVerificationError):
        what = f"its certificate is not trusted ({error.verify_message})"
        fix = f"correct the host's name, or name the authority's file in {PREFIX}CA_FILE"
    else:
        reply = getattr(error, "smtp_error", None)
        words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(error)
        what, fix = words, f"correct the settings{', or send the page by hand' if has_page else ''}"
    kept = "; the report is kept" if has_page else ""
    return report(f"the mail was not sent over {server.host}:{server.port}: {what}{kept}.", fix=fix)
