"""nginx with the product's own file, on ports and folders of a test."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.services import open_folder
from sync2gear_cli.services import process

FILE = Path(__file__).parents[2] / "platform" / "nginx" / "sync2gear.conf"
MAIN = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    include {folder}/sync2gear.conf;
}}
"""


@dataclass
class Nginx:
    """A running nginx: its ports, its folder, and what it serves as ``/srv/web``."""

    folder: Path
    http: int
    https: int

    @property
    def web(self) -> Path:
        return self.folder / "web"

    def errors(self) -> str:
        return (self.folder / "error.log").read_text()


def program() -> str:
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert found, "nginx is missing: run scripts/setup --for-tests"
    return found


def configure(folder: Path, upstream: int, certificate: Path, key: Path) -> Nginx:
    """Write the configuration: the product's file with the lines changed that it calls yours."""
    nginx = Nginx(folder, process.free_port(), process.free_port())
    text = FILE.read_text()
    for line, ours in {
        "server 127.0.0.1:8080;  # yours": f"server 127.0.0.1:{upstream};",
        "listen 80;": f"listen 127.0.0.1:{nginx.http};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{nginx.https} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "server_name sound.example.com;  # yours": "server_name localhost;",
        "/etc/sync2gear/tls/api.crt;  # yours": f"{certificate};",
        "/etc/sync2gear/tls/api.key;  # yours": f"{key};",
        "root /srv/web;": f"root {nginx.web};",
    }.items():
        assert line in text, line
        text = text.replace(line, ours)
    nginx.web.mkdir()
    (folder / "sync2gear.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    return nginx


@contextmanager
def run_nginx(upstream: int, certificate: Path, key: Path) -> Iterator[Nginx]:
    """nginx before the api on port ``upstream``, which must answer HTTP."""
    folder = open_folder("nginx")
    nginx = configure(folder, upstream, certificate, key)
    command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    child = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        assert process.wait_until(lambda: process.answers(nginx.https), 10, 0.05), nginx.errors()
        yield nginx
    finally:
        child.terminate()
        child.wait(10)
