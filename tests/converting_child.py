"""A child process that misbehaves as it is told (`python -m tests.converting_child HOW LIMITS`)."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys

from rag.converting.child import confine
from rag.converting.limits import Limits


def main() -> None:
    """Misbehave."""
    how, limits = sys.argv[1], Limits(**json.loads(sys.argv[2]))
    confine(limits)
    match how:
        case "says":
            sys.stdout.buffer.write(sys.stdin.buffer.read())
        case "hangs":
            signal.pause()
        case "spins":
            while True:
                pass
        case "floods":
            while True:
                os.write(1, b"x" * 65_536)
        case "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hogs":
            bytearray(limits.memory_bytes)
        case "closes its mouth":
            os.close(1)
            signal.pause()
        case "leaves a child":
            subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
            signal.pause()
        case "looks around":
            _report()


def _report() -> None:
    kinds = ("AS", "CPU", "FSIZE", "NOFILE", "CORE")
    held = {kind: resource.getrlimit(getattr(resource, f"RLIMIT_{kind}"))[0] for kind in kinds}
    seen = {"environment": sorted(os.environ), "limits": held, "group": os.getpgrp() == os.getpid()}
    sys.stdout.write(json.dumps({"text": json.dumps(seen), "notes": []}))


if __name__ == "__main__":
    main()
