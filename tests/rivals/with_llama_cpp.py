"""Times reading and writing of tokens against llama.cpp, with the same file, threads and machine, in turn.

    pip install llama-cpp-python
    python tests/rivals/with_llama_cpp.py target/debug/radline MODEL.gguf tests/data/understanding_blind.jsonl

Reading: so many tokens in one go, without a beginning that is known. Writing: one token after the other,
each the likeliest of the whole vocabulary. The best of several measurements counts, and of two rounds.
"""

import json
import subprocess
import sys
import time

import numpy
from llama_cpp import Llama, llama_cpp

LENGTHS = [16, 64, 512]
WRITTEN = 64
TIMES = 5


def timed(what):
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def theirs(model):
    rates = {}
    for length in LENGTHS:
        tokens = [1000 + token % 5000 for token in range(length)]

        def read():
            model.reset()
            model.eval(tokens)

        rates[f"read_{length}_tokens_per_second"] = length / min(timed(read) for _ in range(TIMES))

    def write():
        model.reset()
        token = 1000
        for _ in range(WRITTEN):
            model.eval([token])
            logits = llama_cpp.llama_get_logits_ith(model.ctx, -1)
            token = int(numpy.ctypeslib.as_array(logits, (model.n_vocab(),)).argmax())

    rates["written_tokens_per_second"] = WRITTEN / min(timed(write) for _ in range(TIMES))
    return rates


def main():
    program, file, data = sys.argv[1:4]
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    model = Llama(
        file, n_ctx=1024, n_batch=512, n_ubatch=512, n_threads=threads, n_threads_batch=threads,
        logits_all=False, verbose=False,
    )
    rounds = []
    for _ in range(2):
        command = [program, "evaluate", "speed", "--json", "--data", data]
        ours = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        rounds.append((ours, theirs(model)))
    names = rounds[0][1]
    print(f"{'tokens a second':<32} {'radline':>9} {'llama.cpp':>9} {'ratio':>6}")
    for name in names:
        our, their = (max(pair[side][name] for pair in rounds) for side in (0, 1))
        print(f"{name.removesuffix('_tokens_per_second'):<32} {our:>9.0f} {their:>9.0f} {our / their:>6.2f}")


main()
