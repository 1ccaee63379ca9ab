"""Reports by mail: a real server on loopback, with TLS and a password."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from runs import WORKED, command, write_yaml

from mqlkit.core.errors import ParamsError, RunError
from mqlkit.run.mail import PREFIX, MailServer, compose, mail_server, send, without_data

# With TLS from the first byte there is nothing left to require.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
SECRET = "correct horse"  # the test's own


class Box:
    """A mailbox that turns mail away as often as it is told to."""

    def __init__(self):
        self.mails, self.replies = [], []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.replies:
            return self.replies.pop()
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, mail, session.ssl is not None))
        return "250 taken"


class Post(Controller):
    """A server on a port that is free."""

    def _trigger_server(self):
        # The port is known once it listens; it counts as started with the first connection.
        self.port = self.server.sockets[0].getsockname()[1]
        with socket.create_connection((self.hostname, self.port)):
            pass


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def box():
    return Box()


@pytest.fixture(params=["starttls", "tls"])
def server(request, authority, box, tmp_path):
    """Return a server that wants TLS and a password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    def sign_in(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password.decode() == SECRET, handled=False)

    is_starttls = request.param == "starttls"
    controller = Post(
        box,
        hostname="localhost",
        port=0,
        ssl_context=None if is_starttls else context,
        tls_context=context if is_starttls else None,
        require_starttls=is_starttls,
        auth_required=True,
        auth_require_tls=is_starttls,
        authenticator=sign_in,
    )
    controller.start()
    yield MailServer(
        host="localhost",
        port=controller.port,
        security=request.param,
        sender="reports@example.org",
        user="reports",
        password=SECRET,
        ca_file=str(tmp_path / "ca.pem"),
    )
    controller.stop()


@pytest.fixture
def mail(server, tmp_path):
    page = tmp_path / "q1.html"
    page.write_text("<p>1 – 2</p>", encoding="utf-8")
    to = ("a@example.org", "b@example.org")
    subject = "Leads\r\nBcc: everybody@example.org"
    return compose(server, to, subject=subject, text="12 MQLs – enough", page=page)


def test_a_mail_arrives_encrypted_with_its_page(server, box, mail):
    send(server, mail)
    ((to, got, is_secret),) = box.mails
    assert to == ["a@example.org", "b@example.org"]
    # A session that begins encrypted is not marked as one that was made so.
    assert is_secret == (server.security == "starttls")
    assert got["Subject"] == "Leads Bcc: everybody@example.org"
    assert got["Bcc"] is None
    assert got.get_body().get_content().strip() == "12 MQLs – enough"
    (page,) = got.iter_attachments()
    assert (page.get_filename(), page.get_content_type()) == ("q1.html", "text/html")
    assert page.get_payload(decode=True).decode() == "<p>1 – 2</p>"


def test_what_is_turned_away_for_now_is_tried_again(server, box, mail):
    box.replies = ["451 later", "452 much later"]
    send(server, mail, pauses=(0, 0, 0))
    assert len(box.mails) == 1
    assert box.replies == []


def test_what_is_turned_away_for_good_is_not(server, box, mail):
    box.replies = ["250 never reached", "554 no"]
    with pytest.raises(RunError, match=r"localhost:\d+: no; the report is kept\.\n  Fix:"):
        send(server, mail, pauses=(0, 0, 0))
    assert box.replies == ["250 never reached"]


def test_giving_up_is_said(server, box, mail):
    box.replies = ["451 later"] * 3
    with pytest.raises(RunError, match=r"later; the report is kept\."):
        send(server, mail, pauses=(0, 0))


def changed(server, **values):
    return MailServer(**{**vars(server), **values})


def test_a_wrong_password_is_said_and_not_shown(server, mail):
    with pytest.raises(RunError) as refused:
        send(changed(server, password="wrong battery"), mail, pauses=(60,))
    assert "does not accept the user or the password" in str(refused.value)
    assert "battery" not in str(refused.value)
    assert SECRET not in repr(server)


def test_a_certificate_that_nobody_vouches_for_is_refused(server, box, mail):
    with pytest.raises(RunError, match="its certificate is not trusted"):
        send(changed(server, ca_file=""), mail, pauses=(60,))
    assert box.mails == []


def test_nothing_is_sent_in_the_clear(box, tmp_path):
    controller = Post(box, hostname="localhost", port=0)
    controller.start()
    server = MailServer("localhost", controller.port, "starttls", "reports@example.org")
    page = tmp_path / "q1.html"
    page.touch()
    with pytest.raises(RunError, match="STARTTLS"):
        send(
            server, compose(server, ["a@example.org"], subject="", text="", page=page), pauses=(60,)
        )
    controller.stop()
    assert box.mails == []


def test_a_report_is_run_and_mailed(server, box, tmp_path):
    settings = tmp_path / "smtp"
    settings.write_text(
        f"# of the office\nhost = localhost\nport={server.port}\nsecurity={server.security}\n"
        f"user={server.user}\npassword={SECRET}\nfrom={server.sender}\nca_file={server.ca_file}\n",
        encoding="utf-8",
    )
    settings.chmod(0o600)
    words = [WORKED / "params.yaml", "--out", "reports", "--mail-to", "boss@example.org"]
    limit = ["-p", 'fail_on={sla_attainment: "< 0.8"}', "--log-json", "log.jsonl"]
    run = command("mqlkit", "run", *words, *limit, cwd=tmp_path, MQLKIT_SMTP_FILE=str(settings))
    assert run.code == 3, run.stderr
    ((to, got, _),) = box.mails
    assert to == ["boss@example.org"]
    assert got["Subject"] == "Limit broken: Worked example"
    text = got.get_body().get_content().replace("\r", "")
    assert "sla_attainment is 0.555556, and fail_on says < 0.8." in text
    assert text.startswith("sla_attainment is ")
    assert (run.out / "params.txt").read_text(encoding="utf-8") in text
    (page,) = got.iter_attachments()
    assert page.get_payload(decode=True) == (run.out / "params.html").read_bytes()
    log = (tmp_path / "log.jsonl").read_text(encoding="utf-8")
    assert '"event": "mailed"' in log
    everything = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p != settings]
    assert not any(SECRET.encode() in content for content in everything)
    assert SECRET not in run.stderr + run.stdout


def settings_of(server):
    names = {"host": server.host, "port": str(server.port), "security": server.security}
    names |= {"user": server.user, "password": server.password, "from": server.sender}
    names["ca_file"] = server.ca_file
    return {f"{PREFIX}{name.upper()}": value for name, value in names.items()}


PERSON = "Ana O'Hara"
BAD_ROWS = f"lead_id,mql_at,owner\nL1,2026-01-05,{PERSON}\nL2,soon,{PERSON}\n"
FAILURES = {
    "leads: 1 of 2 rows cannot be used": ("leads.csv", BAD_ROWS),
    "source.yaml: leads": ("source.yaml", f"leads: {{files: [leads.csv], owner: {PERSON}}}\n"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_word_is_sent_that_a_report_could_not_be_made(server, box, tmp_path, what):
    write_yaml(tmp_path / "q.yaml", {"source": "source.yaml"})
    write_yaml(tmp_path / "source.yaml", {"leads": {"files": ["leads.csv"]}})
    name, content = FAILURES[what]
    (tmp_path / name).write_text(content, encoding="utf-8")
    words = ["q.yaml", "--mail-to", "boss@example.org", "--log-json", "log.jsonl"]
    run = command("mqlkit", "run", *words, cwd=tmp_path, **settings_of(server))
    assert run.code == 2
    ((to, got, _),) = box.mails
    assert to == ["boss@example.org"]
    assert got["Subject"] == "No report: q"
    assert list(got.iter_attachments()) == []
    text = got.get_body().get_content().replace("\r", "")
    assert text.startswith("The report q could not be made:\n")
    assert what in text
    assert "  Fix: " in text
    assert "Hara" not in text
    assert '"event": "mailed"' in (tmp_path / "log.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "mailed"),
    [
        (
            "q.ipynb: cell 4 failed: KeyError: 'L-1'\nAna O'Hara\n  Fix:      open q.ipynb",
            "q.ipynb: cell 4 failed: KeyError\n  Fix:      open q.ipynb",
        ),
        (
            "a.csv: 1 row\n  Found:    line 3: Ana\n  and more\n  Fix:      it's in 'a.csv'",
            "a.csv: 1 row\n  Fix:      it's in …",
        ),
        ("a.csv: the file's \"O'Hara\" and 'b' are none", "a.csv: the file's … are none"),
    ],
)
def test_word_of_a_failure_has_nothing_from_the_data(said, mailed):
    assert without_data(said) == mailed


def test_word_that_cannot_be_sent_speaks_of_no_report(tmp_path):
    write_yaml(tmp_path / "q.yaml", {"source": "nowhere.yaml"})
    run = command(
        "mqlkit", "run", "q.yaml", "--mail-to", "boss@example.org", cwd=tmp_path,
        MQLKIT_SMTP_HOST="localhost", MQLKIT_SMTP_PORT="1", MQLKIT_SMTP_FROM="r@example.org",
        MQLKIT_SMTP_CA_FILE="/nowhere/ca.pem",
    )  # fmt: skip
    assert run.code == 2
    first, *_, last, _ = run.stderr.splitlines()
    assert first.startswith("mqlkit: q.yaml: source ")
    assert last.startswith("mqlkit: the mail was not sent over localhost:1: ")
    assert "report is kept" not in run.stderr


def test_a_mail_that_is_not_sent_is_a_failure_and_the_report_is_kept(tmp_path):
    # There is no such file of certificates, and no use in trying again.
    run = command(
        "mqlkit", "run", WORKED / "params.yaml", "--out", "reports",
        "--mail-to", "boss@example.org", cwd=tmp_path, MQLKIT_SMTP_HOST="localhost",
        MQLKIT_SMTP_PORT="1", MQLKIT_SMTP_FROM="reports@example.org",
        MQLKIT_SMTP_CA_FILE="/nowhere/ca.pem",
    )  # fmt: skip
    assert run.code == 1
    assert run.stderr.startswith("mqlkit: the mail was not sent over localhost:1: ")
    assert "the report is kept." in run.stderr
    assert (run.out / "params.html").is_file()
    assert run.stdout.endswith("params.html\n")


BASIS = {"MQLKIT_SMTP_HOST": "localhost", "MQLKIT_SMTP_FROM": "reports@example.org"}


def test_settings_have_defaults():
    server = mail_server(BASIS)
    assert (server.port, server.security, server.user) == (587, "starttls", "")
    assert mail_server({**BASIS, "MQLKIT_SMTP_SECURITY": "TLS"}).port == 465


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"MQLKIT_SMTP_HOST": ""}, "--mail-to: MQLKIT_SMTP_HOST is not set."),
        ({"MQLKIT_SMTP_SECURITY": "none"}, "MQLKIT_SMTP_SECURITY is not usable."),
        ({"MQLKIT_SMTP_PORT": "smtp"}, "MQLKIT_SMTP_PORT is not usable."),
        ({"MQLKIT_SMTP_FROM": "The office"}, "MQLKIT_SMTP_FROM: 'The office' is no mail address."),
        ({"MQLKIT_SMTP_FILE": "/nowhere/smtp"}, "/nowhere/smtp: cannot be read"),
    ],
)
def test_settings_that_will_not_do_are_refused(given, words):
    with pytest.raises(ParamsError) as refused:
        mail_server({**BASIS, **given})
    assert str(refused.value).startswith(words)


def test_a_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "smtp"
    path.write_text(f"password={SECRET}\n", encoding="utf-8")
    path.chmod(0o640)
    with pytest.raises(ParamsError, match=r"others than its owner .*\n  Fix:      chmod 600 "):
        mail_server({**BASIS, "MQLKIT_SMTP_FILE": str(path)})


def test_an_unknown_name_is_told_without_its_line(tmp_path):
    path = tmp_path / "smtp"
    path.write_text(f"# mine\npasswort={SECRET}\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ParamsError) as refused:
        mail_server({**BASIS, "MQLKIT_SMTP_FILE": str(path)})
    assert f"{path}:2: this name is unknown." in str(refused.value)
    assert "did you mean 'password'?" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_wrong_receiver_is_told_before_anything_is_run(tmp_path):
    words = [WORKED / "params.yaml", "--out", "reports", "--mail-to", "boss"]
    run = command("mqlkit", "run", *words, cwd=tmp_path, **BASIS)
    assert run.code == 2
    assert run.stderr.startswith("mqlkit: --mail-to: 'boss' is no mail address.")
    assert not run.out.exists()
