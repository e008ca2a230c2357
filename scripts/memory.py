"""Peak memory of this process and of the JVM it started."""

import os
import threading
import time
from pathlib import Path


class Memory(threading.Thread):
    """Samples the resident size of this process and of its children, four times a second, until it is asked."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._peak = {"java": 0, "python": 0}
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ended.is_set():
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
                except OSError:
                    continue  # it has just ended
                own = {int(lines["Pid"]), int(lines["PPid"])}
                if os.getpid() in own and "VmRSS" in lines:
                    kind = "java" if lines["Name"].strip() == "java" else "python"
                    self._peak[kind] = max(self._peak[kind], int(lines["VmRSS"].split()[0]) // 1024)
            time.sleep(0.25)

    def peak_mib(self) -> dict[str, int]:
        """Largest resident MiB of either."""
        self._ended.set()
        return {f"{kind}_mib": peak for kind, peak in self._peak.items()}
