# SPDX-License-Identifier: Apache-2.0
"""A real nginx in a namespace of netlab: downloads, uploads, TLS, and things that go wrong."""
import os
import shutil
import subprocess
import time

CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    {tls}
    server {{
        listen {address}:80;
        root {folder}/www;
        location /up/ {{
            dav_methods PUT;
            create_full_put_path on;
            client_body_in_file_only off;
        }}
        location /elsewhere {{ return 302 http://192.0.2.99/big; }}
        location /slow/ {{ limit_rate 20k; alias {folder}/www/; }}
    }}
}}
"""

TLS = """
    server {{
        listen {address}:443 ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        root {folder}/www;
    }}
"""


def need():
    """Skips the test where nginx or openssl is missing; to be called before any thread."""
    import netlab
    for program in ("nginx", "openssl"):
        if not shutil.which(program) and not os.path.exists(f"/usr/sbin/{program}"):
            netlab.skip(f"{program} is not installed")


def nginx(lab, link, megabytes=400, address=None):
    """Starts nginx in the server's namespace of the link; returns its folder, or skips."""
    import netlab
    address = address or link.address
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not os.path.exists(program):
        netlab.skip("nginx is not installed")
    folder = os.path.join(lab.folder, "web" + link.interface)
    os.makedirs(os.path.join(folder, "www", "up"))
    os.chmod(lab.folder, 0o755)
    with open(os.path.join(folder, "www", "big"), "wb") as f:
        f.truncate(megabytes * 1000000)
    with open(os.path.join(folder, "www", "tiny"), "wb") as f:
        f.write(b"x" * 100)
    for path in (folder, os.path.join(folder, "www", "up")):
        os.chmod(path, 0o777)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                   check=True, capture_output=True)
    with open(os.path.join(folder, "nginx.conf"), "w") as f:
        f.write(CONFIG.format(folder=folder, address=address,
                              tls=TLS.format(folder=folder, address=address)))
    server = lab.start(link.server, [program, "-p", folder, "-c", f"{folder}/nginx.conf", "-e",
                                     f"{folder}/error.log", "-g", "user root;"
                                     if os.geteuid() == 0 else ""])
    for _ in range(200):
        if server.poll() is not None:
            netlab.skip("nginx does not start: " + server.stdout.read().strip())
        if os.path.exists(f"{folder}/nginx.pid"):
            break
        time.sleep(0.02)
    time.sleep(0.1)
    return folder
