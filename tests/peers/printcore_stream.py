"""Streams 3000 lines by printcore (PyPI printrun) to a printer on a pty; prints lines/s and CPU per line."""
import os
import sys
import time

from printrun import gcoder
from printrun.printcore import printcore

LINES = 3000
lines = [f"G1 X100.650 Y{100 + n % 100}.999 E0.12340" for n in range(LINES)]
host = printcore()
host.loud = False
host.connect(sys.argv[1], 115200)
deadline = time.time() + 30
while not host.online and time.time() < deadline:
    time.sleep(0.05)
program = gcoder.LightGCode(lines)
before, cpu = time.time(), os.times()
host.startprint(program)
while host.printing and time.time() < before + 60:
    time.sleep(0.01)
took, after = time.time() - before, os.times()
spent = after.user + after.system - cpu.user - cpu.system
print(f"{LINES / took:.0f} lines/s, {spent / LINES * 1e6:.0f} us CPU per line")
host.disconnect()
