"""A provider at the console, in a real browser with a fake microphone that hears a tone.

Signs in, says that they are available, takes the first call that waits, checks that the caller's tone
arrives, looks at the page for accessibility faults, hands the caller back or finishes, and prints what it
saw as one JSON object. Screenshots go into the folder given.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import pathlib
import struct
import sys
import time

import axe_core_python
from playwright.sync_api import sync_playwright

CALLER_TONE_HZ = 1_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Where most of the power of what the caller sends lies, Hz, listened to for a while.
LOUDEST = """async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(window.radlineAudio.remote).connect(analyser);
  await context.resume();
  await new Promise((resolve) => setTimeout(resolve, 400));
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  const best = levels.indexOf(Math.max(...levels));
  const level = levels[best];
  await context.close();
  return [best * context.sampleRate / analyser.fftSize, level];
}"""


def code(secret):
    """The one-time code of now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place:place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class Console:
    """The page, and what is seen on it."""

    def __init__(self, page, options):
        self.page = page
        self.options = options
        self.faults = []
        self.violations = {}
        page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.axe = next(pathlib.Path(axe_core_python.__file__).parent.rglob("axe.min.js")).read_text()

    def look(self, name):
        """Takes a picture and looks for accessibility faults."""
        if self.options.pictures:
            self.page.screenshot(path=os.path.join(self.options.pictures, f"{name}.png"))
        self.page.evaluate(self.axe)
        result = self.page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
        found = [(one["id"], one["nodes"][0]["html"][:120]) for one in result["violations"]]
        if found:
            self.violations[name] = found

    def sign_in(self):
        page = self.page
        page.goto(f"{self.options.url}/console/")
        page.wait_for_selector("#sign-in-form")
        self.look("sign-in")
        for field, value in zip(page.query_selector_all("#sign-in-form input"), self.credentials()):
            field.fill(value)
        page.click("#sign-in")
        page.wait_for_selector("#presence", state="attached")

    def credentials(self):
        secret = os.environ["RADLINE_TOTP"]
        return [self.options.name, os.environ["RADLINE_PASSWORD"], code(secret)]

    def take(self):
        """Takes the first call that waits; how long until the sound is there, ms."""
        page = self.page
        page.wait_for_selector("[data-call]", timeout=60_000)
        for _ in range(600):
            if page.title().startswith("("):
                break
            page.wait_for_timeout(100)
        page.click("[data-call] a, [data-call] button")
        page.wait_for_selector("#take:visible")
        page.wait_for_selector("#brief")
        self.look("waiting")
        clicked = time.monotonic()
        page.click("#take")
        page.wait_for_selector("#audio-state[data-state=connected]", state="attached", timeout=20_000)
        return round(1_000 * (time.monotonic() - clicked))

    def hears_caller(self):
        """Whether the caller's tone arrives, within a while."""
        for _ in range(20):
            frequency, level = self.page.evaluate(LOUDEST)
            if abs(frequency - CALLER_TONE_HZ) < 30 and level > -60:
                return True
            time.sleep(0.3)
        return False

    def finish(self):
        page = self.page
        page.fill("#note", "Explained how long the exam takes.")
        page.select_option("#outcome", "resolved")
        page.click("#finish")
        page.wait_for_selector("#audio-state[data-state=off]", state="attached", timeout=10_000)

    def views(self):
        for view in ["tasks", "calls", "today", "replies", "accounts"]:
            self.page.goto(f"{self.options.url}/console/#/{view}")
            self.page.wait_for_timeout(600)
            self.look(view)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--tone", required=True, help="the microphone's sound, WAV")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--vanish", action="store_true", help="close the browser in the conversation")
    parser.add_argument("--pictures", default=os.environ.get("RADLINE_PICTURES"))
    parser.add_argument("--theme", default=os.environ.get("RADLINE_THEME", "light"), choices=["light", "dark"])
    parser.add_argument("--size", default=os.environ.get("RADLINE_SIZE", "1366x768"))
    options = parser.parse_args()
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={options.tone}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    width, height = (int(part) for part in options.size.split("x"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=options.chromium, args=flags)
        context = browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["microphone"],
            color_scheme=options.theme,
            bypass_csp=False,
        )
        console = Console(context.new_page(), options)
        console.sign_in()
        console.page.click("#presence")
        console.page.wait_for_selector("#presence[aria-checked=true]")
        console.look("queue")
        print("present", file=sys.stderr, flush=True)
        connected_ms = console.take()
        heard = console.hears_caller()
        console.page.wait_for_timeout(1_500)
        console.look("talking")
        if not options.vanish:
            console.finish()
            console.views()
        browser.close()
    seen = {
        "claim_to_audio_ms": connected_ms,
        "heard_caller": heard,
        "faults": console.faults,
        "violations": console.violations,
    }
    print(json.dumps(seen))


main()
