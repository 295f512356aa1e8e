# SPDX-License-Identifier: MIT
"""An https:// probe checks the certificate and says what is wrong with it."""

import contextlib
import ssl
import subprocess
import tempfile

from lib import contains, equal, need
from sidecarlib import OK, Page, Sidecar, Target, answering, mute_until_closed


def certificate(directory, openssl):
    subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", f"{directory}/key",
                    "-out", f"{directory}/cert"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/cert", f"{directory}/key")
    return context


def main():
    openssl = need("openssl")
    with contextlib.ExitStack() as stack:
        context = certificate(stack.enter_context(tempfile.TemporaryDirectory()), openssl)

        def serve(connection):
            with context.wrap_socket(connection, server_side=True) as secure:
                answering(OK)(secure)

        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "web"}])
        target = stack.enter_context(Target(serve))
        mute = stack.enter_context(Target(mute_until_closed))
        plain = stack.enter_context(Target(lambda connection: connection.sendall(OK)))
        for port, timeout, reason in ((target.port, 60000, "tls: the certificate is self-signed"),
                                      (mute.port, 2900, "timed out after 2900ms (tls)"),
                                      (plain.port, 60000, "tls: the handshake failed")):
            serial = sidecar.watch(1, f"https://127.0.0.1:{port}/", period=60000, timeout=timeout)
            result = sidecar.wait_result(lambda one, serial=serial: one["serial"] == serial, reason)
            equal(result["ok"], False, "ok")
            contains(result["reason"], reason, "reason")
            sidecar.drop(1, serial)


main()
