"""Transcribes with faster-whisper, for comparing in the same run.

    pip install faster-whisper
    python with_faster_whisper.py FOLDER_WITH_MODEL [BEAM] [COMPUTE_TYPE]

Reads a line with the path of a 16 kHz mono WAV file, answers with a line of JSON: the text, and the
seconds that transcribing took (reading the file does not count).
"""

import json
import sys
import time
import wave

import numpy as np
from faster_whisper import WhisperModel

folder = sys.argv[1]
beam = int(sys.argv[2]) if len(sys.argv) > 2 else 5
compute = sys.argv[3] if len(sys.argv) > 3 else "default"
model = WhisperModel(folder, device="cpu", cpu_threads=2, compute_type=compute)
for line in sys.stdin:
    with wave.open(line.strip()) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    audio = samples.astype(np.float32) / 32768.0
    began = time.perf_counter()
    segments, _ = model.transcribe(audio, language="en", beam_size=beam)
    text = " ".join(segment.text.strip() for segment in segments)
    seconds = time.perf_counter() - began
    print(json.dumps({"text": text, "seconds": seconds}), flush=True)
