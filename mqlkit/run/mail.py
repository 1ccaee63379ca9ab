"""Reports by mail."""

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
# Seconds before each further try; a server that defers mail wants to be left alone for a while.
PAUSES = (2.0, 10.0, 30.0)
LONGEST_TALK = 60
LASTING = 500


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in.

    Attributes
    ----------
    host, port
        The server.
    security
        ``starttls`` or ``tls``; nothing is ever sent in the clear.
    sender
        The address that mail comes from.
    user, password
        To sign in with; empty to send without.
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
    """Return the mail server that the environment names.

    Parameters
    ----------
    environment
        ``MQLKIT_SMTP_HOST`` and so on; or ``MQLKIT_SMTP_FILE``, a file of ``name=value`` lines that
        nobody but its owner may read. What stands in the environment wins over the file.

    Raises
    ------
    ParamsError
        When a setting is missing or wrong. No value of a setting is ever shown.
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
            # The line itself stays unsaid: there may be a password in it.
            raise ParamsError(report(f"{path}:{number}: this name is unknown.", fix=fix))
        given[name.lower()] = value
    return given


def checked_address(text: str, place: str) -> str:
    """Return a mail address.

    Raises
    ------
    ParamsError
        When it is none.
    """
    _, address = parseaddr(text)
    is_odd = address != text.strip() or address.count("@") != 1 or not address.isprintable()
    if is_odd or " " in address or not all(address.split("@")):
        raise ParamsError(
            report(f"{place}: {text!r} is no mail address.", expected="name@example.org, bare")
        )
    return address


def without_data(text: str) -> str:
    r"""Return what an error says is wrong and what to do, without what may come from the data.

    Mail is read on phones and kept for years: a cell of an export has no business in it.

    >>> print(without_data("a.csv: the lead's 'Hall' is odd.\n  Found: B\n  Fix:      correct it"))
    a.csv: the lead's … is odd.
      Fix:      correct it
    """
    # A failing cell can raise any message, over several lines.
    text = re.sub(r"(: cell \d+ failed: \w+).*?(?=\n  Fix:|\Z)", r"\1", text, flags=re.DOTALL)
    lines = [s for s in text.splitlines() if not s.startswith(" ") or s.startswith("  Fix:")]
    # From the first quotation mark of a line to its last: what is quoted may have some in it.
    return "\n".join(re.sub(r"""(?<!\w)['"].*['"]""", "…", line) for line in lines)


def letter(
    server: MailServer, to: Sequence[str], *, subject: str, text: str, page: Path | None = None
) -> EmailMessage:
    """Return a mail, with a page attached where there is one.

    Parameters
    ----------
    server, to
        For the sender, and the receivers.
    subject, text
        One line, and the body.
    page
        The HTML file; None for a mail of text alone.
    """
    mail = EmailMessage()
    # A title with a line break in it must not become a header of its own.
    mail["Subject"] = " ".join(subject.split())
    mail["From"], mail["To"] = server.sender, ", ".join(to)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=server.sender.split("@")[1])
    mail.set_content(text)
    if page is not None:
        content = page.read_bytes()
        mail.add_attachment(content, maintype="text", subtype="html", filename=page.name)
    return mail


def post(server: MailServer, mail: EmailMessage, *, pauses: Sequence[float] = PAUSES) -> None:
    """Hand a mail in; try again where the server or the way to it fails for now.

    Raises
    ------
    RunError
        When it could not be handed in.
    """
    for pause in (*pauses, None):
        try:
            return _hand_in(server, mail)
        except (OSError, smtplib.SMTPException) as error:
            if pause is None or _is_lasting(error):
                raise RunError(_words(server, error, has_page=mail.is_multipart())) from None
            sleep(pause)
    return None


def _hand_in(server: MailServer, mail: EmailMessage) -> None:
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if server.security == "tls":
        talk: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=LONGEST_TALK, context=context
        )
    else:
        talk = smtplib.SMTP(server.host, server.port, timeout=LONGEST_TALK)
    with talk:
        if server.security == "starttls":
            # Raises where the server does not offer it: better no mail than one in the clear.
            talk.starttls(context=context)
        if server.user:
            talk.login(server.user, server.password)
        refused = talk.send_message(mail)
    if refused:
        # Some have it by now, and a second try would send it to them again.
        raise smtplib.SMTPRecipientsRefused(
            {address: (LASTING, reply[1]) for address, reply in refused.items()}
        )


def _is_lasting(error: OSError | smtplib.SMTPException) -> bool:
    """Return whether a further try would come to the same."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code >= LASTING for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= LASTING
    lasting = (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError, FileNotFoundError)
    return isinstance(error, lasting)


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
