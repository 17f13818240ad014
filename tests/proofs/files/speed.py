"""`python -m tests.proofs.files.speed --size 100 --rounds 5`: a large file, beside nginx.

nginx writes the body to a file (`client_body_in_file_only`), and answers: the least that a server
can do. formapp receives, splits, hashes, recognizes, syncs and commits. Prints the median of
interleaved rounds, and the memory of `formapp serve` after a small post and after the large ones.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from formapp.forms.tokens import TokenSigner
from tests.proofs.files.run import KEY
from tests.support.photos import FORM
from tests.support.processes import Commands, free_port, wait_for

_MB = 1_000_000
_PIECE = b"\xff\xd8\xff" + b"\x9a" * 65_533
_FORM = FORM.replace("max_files = 3", 'max_size = "1 GB"')
_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 2g; client_body_in_file_only clean; client_body_buffer_size 64k;
        location / {{ proxy_pass_request_body off; proxy_set_header Content-Length "";
            proxy_pass http://127.0.0.1:{upstream}; }}
    }}
    server {{ listen 127.0.0.1:{upstream}; return 204; }}
}}
"""


def send(port: int, size: int, host: str) -> float:
    """Send a post with one file of so many bytes; returns the seconds until the answer."""
    token = TokenSigner([KEY]).issue_for("roof", "000000000000", "page")
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"_token": token, "email": "ines@example.com"}.items()
    )
    file = 'Content-Disposition: form-data; name="photos"; filename="roof.jpg"'
    begin = f"{parts}--b\r\n{file}\r\n\r\n".encode()
    end = b"\r\n--b--\r\n"
    head = (
        f"POST /f/roof HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        "Sec-Fetch-Site: same-origin\r\nConnection: close\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(begin) + size + len(end)}\r\n\r\n"
    ).encode()
    began = time.perf_counter()
    with closing(socket.create_connection(("127.0.0.1", port), timeout=120)) as client:
        client.sendall(head + begin)
        for at in range(0, size, len(_PIECE)):
            client.sendall(_PIECE[: size - at])
        client.sendall(end)
        status = client.recv(100).split()[1]
    if status not in {b"303", b"204"}:
        raise RuntimeError(f"the answer was {status!r}")
    return time.perf_counter() - began


def _memory(pid: int) -> float:
    """The most memory that a process had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    [peak] = [line for line in lines if line.startswith("VmHWM")]
    return int(peak.split()[1]) * 1024 / _MB


def run(folder: Path, size: int, rounds: int) -> tuple[float, float, float, float]:
    """Return the medians of formapp and nginx in seconds, and the memory before and after."""
    forms = folder / "forms"
    forms.mkdir()
    (forms / "roof.toml").write_text(_FORM)
    commands, port, proxy, upstream = Commands(folder), free_port(), free_port(), free_port()
    web = f"http://127.0.0.1:{port}"
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    settings = _NGINX.format(folder=folder, port=proxy, upstream=upstream)
    (folder / "nginx.conf").write_text(settings)
    nginx = subprocess.Popen([program, "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        process = commands.start(
            *("serve", "--no-worker", "--port", str(port)),
            SECRET_KEY=KEY,
            DATABASE_URL=f"sqlite:///{folder / 'formapp.db'}",
            BASE_URL=web,
            FORMS=str(forms),
            FILES_PER_ADDRESS="off",
            FILES_PER_FORM="off",
        )
        wait_for(f"{web}/readyz")
        send(port, 1000, f"127.0.0.1:{port}")
        before = _memory(process.pid)
        times = [
            (send(port, size, f"127.0.0.1:{port}"), send(proxy, size, f"127.0.0.1:{proxy}"))
            for _ in range(rounds)
        ]
        after = _memory(process.pid)
    finally:
        commands.close()
        nginx.terminate()
        nginx.wait(10)
    ours, theirs = map(statistics.median, zip(*times, strict=True))
    return ours, theirs, before, after


def main() -> None:
    """Run as told by the arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.files.speed")
    parser.add_argument("--size", type=int, default=100, help="MB")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="formapp-speed-") as folder:
        ours, theirs, before, after = run(Path(folder), given.size * _MB, given.rounds)
    sys.stdout.write(
        f"{given.size} MB: formapp {ours:.2f} s, nginx to file {theirs:.2f} s ({ours / theirs:.1f} "
        f"times); memory of formapp {before:.0f} MB after a small post, {after:.0f} MB after all\n"
    )


if __name__ == "__main__":
    main()
