"""Piper's command line without a model: the same options, a text by stdin, a WAV to stdout.

Written after `piper --help` of piper-tts 1.8: `--model` must exist with its `.json`,
`--output_file -` is stdout, `--length_scale` stretches. ``S2G_TEST_PIPER`` makes it fail:
hang, garbage, exit.
"""

import argparse
import io
import json
import math
import os
import struct
import sys
import time
import wave
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="piper")
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("-c", "--config")
    parser.add_argument("-f", "--output-file", "--output_file")
    parser.add_argument("--length-scale", "--length_scale", type=float, default=1.0)
    parser.add_argument("--volume", type=float, default=1.0)
    asked = parser.parse_args()
    config = json.loads(Path(asked.config or f"{asked.model}.json").read_text())
    if not Path(asked.model).is_file() or asked.output_file != "-":
        return 2
    mood = os.environ.get("S2G_TEST_PIPER", "")
    if mood == "hang":
        time.sleep(60)
    if mood == "exit":
        return 1
    text = sys.stdin.readline().strip()
    if mood == "garbage":
        sys.stdout.write("Segmentation fault\n")
        return 0
    rate = int(config["audio"]["sample_rate"])
    frames = int(rate * 0.05 * len(text) * asked.length_scale)
    second = b"".join(
        struct.pack("<h", int(9000 * math.sin(2 * math.pi * 220 * n / rate))) for n in range(rate)
    )
    data = (second * (frames // rate + 1))[: 2 * frames]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(data)
    sys.stdout.buffer.write(file.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
