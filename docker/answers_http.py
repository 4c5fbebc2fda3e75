"""The health check of a web container: exits with 0 when the process answers GET on the path given (/healthz)."""

import sys
from http.client import HTTPConnection

TIMEOUT_SECONDS = 3


def main(path: str, port: int = 8000) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        # With HTTPS on, a request that did not come through the proxy would only be redirected.
        connection.request("GET", path, headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["/healthz"]))
