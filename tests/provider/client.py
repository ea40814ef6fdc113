"""A provider system in Python, generated from the protocol file and nothing else.

It waits for a caller, claims the call, talks (a tone of 440 Hz), listens for the caller (a tone of
1,000 Hz), and finishes. What it saw is printed as one JSON object.

    pip install grpcio grpcio-tools
    RADLINE_TOKEN=… python client.py --proto proto --address 127.0.0.1:50051
"""

import argparse
import importlib
import json
import math
import os
import queue
import struct
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

RATE = 16_000
FRAME = RATE // 50
OWN_TONE_HZ = 440
CALLER_TONE_HZ = 1_000


def generate(proto):
    """Compiles the protocol into a temporary folder and imports it."""
    folder = tempfile.mkdtemp()
    name = "radline/v1/provider.proto"
    arguments = ["protoc", f"-I{proto}", f"--python_out={folder}", f"--grpc_python_out={folder}", name]
    if protoc.main(arguments) != 0:
        sys.exit("the protocol does not compile")
    sys.path.insert(0, folder)
    messages = importlib.import_module("radline.v1.provider_pb2")
    return messages, importlib.import_module("radline.v1.provider_pb2_grpc")


def tone(number):
    """The frame of this number, 20 ms."""
    first = number * FRAME
    samples = (
        int(8_000 * math.sin(2 * math.pi * OWN_TONE_HZ * (first + place) / RATE))
        for place in range(FRAME)
    )
    return struct.pack(f"<{FRAME}h", *samples)


def share(audio, frequency):
    """Share of the power that lies at the frequency (Goertzel)."""
    samples = struct.unpack(f"<{len(audio) // 2}h", audio)
    coefficient = 2 * math.cos(2 * math.pi * frequency / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + coefficient * one - two, one
    power = sum(sample * sample for sample in samples)
    if power == 0:
        return 0.0
    return (one * one + two * two - coefficient * one * two) / (power * len(samples) / 2)


def channel(options):
    """The connection: encrypted where there is an authority, with a certificate of ours where there is one."""
    if not options.ca:
        return grpc.insecure_channel(options.address)
    parts = [open(path, "rb").read() if path else None for path in (options.ca, options.key, options.certificate)]
    return grpc.secure_channel(options.address, grpc.ssl_channel_credentials(*parts))


class Provider:
    """A client with its token."""

    def __init__(self, options):
        self.messages, services = generate(options.proto)
        self.stub = services.ProviderServiceStub(channel(options))
        self.metadata = [("authorization", f"Bearer {os.environ['RADLINE_TOKEN']}")]

    def stay_present(self):
        """Is there for callers, as long as the program runs."""
        request = self.messages.StayPresentRequest()
        stream = self.stub.StayPresent(request, metadata=self.metadata)
        next(stream)
        threading.Thread(target=lambda: list(stream), daemon=True).start()

    def wait_for_caller(self, deadline_s):
        """The first call that waits."""
        request = self.messages.WatchQueueRequest()
        for state in self.stub.WatchQueue(request, metadata=self.metadata, timeout=deadline_s):
            for call in state.calls:
                if call.state == self.messages.CALL_STATE_WAITING and not call.provider:
                    return call
        sys.exit("nobody called")

    def talk(self, call, seconds, linger):
        """Talks until the caller's tone was heard, then finishes, or lingers. What was heard."""
        outgoing = queue.Queue(maxsize=100)
        pb = self.messages
        outgoing.put(pb.TalkRequest(start=pb.TalkStart(call_id=call.call_id)))
        over = threading.Event()

        def speak():
            began = time.monotonic()
            for number in range(50 * seconds):
                if over.is_set():
                    return
                outgoing.put(pb.TalkRequest(audio=tone(number)))
                time.sleep(max(0.0, began + (number + 1) / 50 - time.monotonic()))

        opened = time.monotonic()
        answers = self.stub.Talk(iter(outgoing.get, None), metadata=self.metadata, timeout=seconds)
        threading.Thread(target=speak, daemon=True).start()
        seen = {"heard_caller": False, "first_audio_ms": None, "outcome": None}
        heard = b""
        for answer in answers:
            what = answer.WhichOneof("what")
            if what == "ended":
                seen["outcome"] = pb.Outcome.Name(answer.ended.outcome)
            if what != "audio":
                continue
            if seen["first_audio_ms"] is None:
                seen["first_audio_ms"] = round(1_000 * (time.monotonic() - opened))
            heard = (heard + answer.audio)[-2 * RATE // 3 & ~1 :]
            if not seen["heard_caller"] and share(heard, CALLER_TONE_HZ) > 0.5:
                seen["heard_caller"] = True
                # The caller needs a moment to hear us, too.
                time.sleep(1.0)
                if linger:
                    continue
                over.set()
                outgoing.put(pb.TalkRequest(finish=pb.Finish(outcome="resolved", note="spoke in tones")))
        outgoing.put(None)
        return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proto", required=True, help="folder of the protocol files")
    parser.add_argument("--address", required=True, help="host:port of the gRPC service")
    parser.add_argument("--seconds", type=int, default=60, help="longest wait for a caller, and longest talk")
    parser.add_argument("--linger", action="store_true", help="do not finish the call")
    parser.add_argument("--ca", help="the authority that signed the server's certificate, PEM")
    parser.add_argument("--certificate", help="this client's certificate, PEM")
    parser.add_argument("--key", help="and its key, PEM")
    options = parser.parse_args()
    provider = Provider(options)
    provider.stay_present()
    print("present", file=sys.stderr, flush=True)
    call = provider.wait_for_caller(options.seconds)
    brief = provider.stub.ClaimCall(
        provider.messages.ClaimCallRequest(call_id=call.call_id), metadata=provider.metadata
    ).brief
    seen = provider.talk(call, options.seconds, options.linger)
    seen["reason"] = provider.messages.Reason.Name(brief.escalation.reason)
    print(json.dumps(seen))


main()
