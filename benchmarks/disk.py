"""How many small writes this disk can be made to keep: the bound of every durable record."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter


def forced_writes(folder: Path, threads: int, size: int = 4096, seconds: float = 1.0) -> float:
    """Forced writes of ``size`` bytes a second, by so many threads at once."""
    until = perf_counter() + seconds

    def write(number: int) -> int:
        handle = os.open(folder / f"disk-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        done = 0
        while perf_counter() < until:
            os.pwrite(handle, bytes(size), done % 64 * size)
            os.fdatasync(handle)
            done += 1
        os.close(handle)
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(write, range(threads))) / seconds
