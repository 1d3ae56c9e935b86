"""No secret of an address is written or said, however it is written."""

import json
import shlex

import pytest
from sqlalchemy.engine import make_url

from harness.__main__ import main
from harness.boundary.addresses import command, kept, without_secrets
from harness.run import backend
from harness.spec import ROOT

SECRET = "s3cr3t"
NASTY = [f"postgresql://{rest}".replace("SECRET", SECRET) for rest in (
    "me:SECRET@h/db", ":SECRET@h/db", "me:a@SECRET@h/db", "me:SECRET@a@h:5432/db", "me:a/SECRET@h/db",
    "me:a?SECRET@h/db", "me:a#SECRET@h/db", "me:a:SECRET@h/db",
    "me:SECRET%40x@h/db", "me:12?SECRET@h:1/db", "me:SECRET@[::1]:5432/db", "h/db?user=me&password=SECRET",
    "h:5432/db?password=SECRET&user=me", "h/db?PASSWORD=SECRET",
    "h/db?sslpassword=SECRET", "h/db?pass%77ord=SECRET", "h/db?password=a%26SECRET", "h/db?password=a&SECRET",
    "h/db?password=a@SECRET", "h/db?password=SECRET@h",
    "me:SECRET@h/db?password=SECRET@x&token=SECRET", "h/db?token=SECRET", "h/db?access_token=SECRET",
    "h/db?options=-c%20x%3DSECRET", "h/db?user=me;password=SECRET",
    "h/db?passfile=/home/me/SECRET", "h/db;password=SECRET", "h/db?sslmode=require&sslkey=SECRET", "me:a b SECRET@h/db",
    "me:a'SECRET@h/db", 'me:a"SECRET@h/db',
    "me:a\\SECRET@h/db", "me:SECRET@h1:1,h2:2/db", "/db?host=/var/run&password='a SECRET'", "h/db?unknown=SECRET")] + [
    f"sqlite:///o8.db?password={SECRET}", f"mysql+pymysql://me:{SECRET}@h/db?ssl_key=x",
    f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{SECRET}",
    f"grpc://me:{SECRET}@h:13000", f"tls://:{SECRET}@scheduler:8786", f"host=h user=me password={SECRET}",
    f"host=h password='a {SECRET}'", f"Server=h;Uid=me;Pwd={SECRET}"]


@pytest.mark.parametrize("address", NASTY)
def test_no_secret_of_an_address_is_shown(address):
    whole = command(["ssmd-bench", "sweep", "x.py", "--storage", address, f"--storage={address}", "--trials", "3"])
    for shown in (without_secrets(address), whole,
                  kept(shlex.join(["ssmd-bench", "sweep", "x.py", "--storage", address]))):
        assert SECRET not in shown and "***" in shown
    assert without_secrets(without_secrets(address)) == without_secrets(address) and kept(whole) == whole
    try:
        found = make_url(address)
    except Exception:
        return
    assert found.password is None or len(found.password) < 4 or found.password not in without_secrets(address), (
        "what SQLAlchemy takes for the password"
    )


@pytest.mark.parametrize("word", [
    "sqlite:///a.db", "sqlite:////home/me@work/a.db", "grpc://host:13000",
    "postgresql://me@host:5432/db?sslmode=require&application_name=sweep",
    "window.fixed.tokens=8", "passes=3", "runs/it's", "a b"])
def test_what_is_no_secret_is_shown_as_it_is(word):
    assert without_secrets(word) == word
    text = shlex.join(["ssmd-bench", "run", word])
    assert kept(text) == text


def test_the_rest_of_an_address_is_still_told():
    assert (
        without_secrets("postgresql://me:x@h:5432/db?user=you&password=y")
        == "postgresql://me:***@h:5432/db?user=you&***"
    )


@pytest.mark.parametrize("address", [f"sqlite:///FOLDER/o8.db?password={SECRET}",
                                     f"sqlite:///FOLDER/o8.db?uri=true&token={SECRET}"])
def test_a_sweep_writes_no_secret_into_its_folder_or_its_claims(address, tmp_path, capfd, monkeypatch):
    address, folder = address.replace("FOLDER", str(tmp_path)), tmp_path / "run"
    words = ["sweep", str(ROOT / "studies/sweep_smoke"), "--n", "32", "--trials", "1", "--out", str(folder),
             "--storage", address]
    monkeypatch.setattr("sys.argv", ["ssmd-bench", *words])
    code = main(words)
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err
    assert all(SECRET not in path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())
    if code == 0:
        commands = [json.loads(line).get("command") for line in (folder / "records.jsonl").read_text().splitlines()]
        assert any(command and "o8.db?" in command for command in commands)


@pytest.mark.parametrize("address", [a for a in NASTY if a.startswith(("mssql", "mysql", "grpc", "host", "Server"))]
                         + [f"me:{SECRET}@h/db", f"postgresql://me:{SECRET}@localhost:1/db"])
def test_a_storage_that_cannot_be_opened_is_named_without_its_secret(address, tmp_path, capsys):
    assert main(["sweep", str(ROOT / "studies/sweep_smoke"), "--n", "32", "--trials", "1", "--out", str(tmp_path),
                 "--storage", address]) == 2
    said = capsys.readouterr().err
    assert SECRET not in said and said.count("\n") == 1 and "storage" in said


def test_addresses_in_the_environment_keep_their_secrets_too():
    said = backend._silent("dask scheduler", f"tls://me:{SECRET}@h:8786", "DASK_SCHEDULER_ADDRESS",
                           OSError(f"tls://me:{SECRET}@h:8786"))
    assert SECRET not in said and "tls://me:***@h:8786" in said


def test_a_kept_command_tells_paths_from_the_folder_at_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["ssmd-bench", "train", f"{tmp_path}/a b", f"--out={tmp_path}/runs/x", "--set", f"path={tmp_path}/y=z",
             f"{tmp_path}beside", "/elsewhere", "", "x="]
    assert shlex.split(command(words)) == ["ssmd-bench", "train", "a b", "--out=runs/x", "--set", "path=y=z",
                                           f"{tmp_path}beside", "/elsewhere", "", "x="]
