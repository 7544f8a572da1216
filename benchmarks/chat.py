"""The chat page on a warm machine: first paint, typing, and twenty people at once.

    python benchmarks/chat.py [--index DIR] [--people 20] [--seconds 40]

Starts `rag chat` and a headless Chromium. The people ask over the same HTTP call that the page's
script makes, which is taken down from the page itself; all questions differ, and are about the
documents that are asked (`--index` takes others, of which most are not answered, after much
reading). Their part is measured twice: all asking at the same instant, and each asking, reading
for about five seconds, and asking again.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askers import answering
from environments import rag_command
from made_corpus import need_shared, questions
from playwright.sync_api import Browser, Page, sync_playwright

VISITS = 5
LONE = 15
BURSTS = 3
TYPED = "How many days of annual leave may I carry over into the next year, and who says so?"
READING = (2.5, 7.5)
"""Seconds that somebody looks at an answer before the next question."""

PAINTED = """() => new Promise((done) => {
  const seen = performance.getEntriesByName("first-contentful-paint")[0];
  if (seen) return done(seen.startTime);
  new PerformanceObserver((list, observer) => {
    const entry = list.getEntriesByName("first-contentful-paint")[0];
    if (entry) { observer.disconnect(); done(entry.startTime); }
  }).observe({ type: "paint", buffered: true });
})"""
# A message that is posted from an animation frame is handled after that frame is painted.
WATCH_KEYS = """() => {
  window.lags = [];
  document.querySelector("#rag-question").addEventListener("input", (event) => {
    const began = event.timeStamp;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.lags.push(performance.now() - began);
      channel.port2.postMessage(0);
    });
  });
}"""


@contextmanager
def chat(index: Path) -> Iterator[str]:
    """`rag chat` over an index, keeping nothing, until the end of the block: its address."""
    command = [rag_command(), "chat", "--index", str(index), "--port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[4]
        finally:
            process.terminate()
            process.wait()


@dataclass(frozen=True)
class PageCall:
    """The request by which the page asks: where it goes, and its body around `question`."""

    url: str
    body: dict[str, Any]
    question: str

    def ask(self, question: str) -> float:
        """Ask as the page would; milliseconds until the answer is here.

        Raises:
            ValueError: no answer came.
        """
        body = json.dumps(self.body).replace(json.dumps(self.question), json.dumps(question))
        request = urllib.request.Request(
            self.url, body.encode(), {"content-type": "application/json"}
        )
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=300) as reply:
            answer = json.loads(reply.read())
        taken = (time.perf_counter() - started) * 1000
        if "html" not in answer:
            raise ValueError(answer)
        return taken


def first_paint(browser: Browser, url: str) -> Iterator[tuple[float, float]]:
    """Milliseconds to the first paint and to a page that can be used, each visit a new one."""
    for visit in range(VISITS + 1):
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.locator(".rag[data-ready]").wait_for()
        ready = (time.perf_counter() - started) * 1000
        painted = float(page.evaluate(PAINTED))
        page.close()
        if visit:
            yield painted, ready


def typing(page: Page) -> list[float]:
    """Milliseconds from each keystroke to the paint that shows it, under an answer."""
    page.evaluate(WATCH_KEYS)
    page.locator("#rag-question").press_sequentially(TYPED, delay=60)
    page.wait_for_timeout(500)
    lags: list[float] = page.evaluate("() => window.lags")
    return lags


def page_call(page: Page, question: str) -> PageCall:
    """Ask in the page, and take down the request that it makes."""
    made: list[PageCall] = []

    def note(request: Any) -> None:
        if request.method == "POST" and json.dumps(question) in (request.post_data or ""):
            made.append(PageCall(request.url, json.loads(request.post_data), question))

    page.on("request", note)
    page.locator("#rag-question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn.settled").last.wait_for()
    return made[0]


def at_once(ask: Callable[[str], float], asked: Sequence[str]) -> list[float]:
    """Milliseconds of each question when all are asked at the same instant."""
    taken: list[float] = []
    together = threading.Barrier(len(asked))

    def one(question: str) -> None:
        together.wait()
        taken.append(ask(question))

    threads = [threading.Thread(target=one, args=(question,)) for question in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(asked), "somebody got no answer"
    return taken


def reading_between(
    ask: Callable[[str], float], pool: Iterator[str], people: int, seconds: float
) -> list[float]:
    """Milliseconds of each answer while so many people ask, read, and ask again."""
    taken: list[float] = []
    lock, end = threading.Lock(), time.monotonic() + seconds

    def one(number: int) -> None:
        chance = random.Random(number)
        time.sleep(chance.uniform(0, READING[1]))
        while time.monotonic() < end:
            with lock:
                question = next(pool)
            milliseconds = ask(question)
            with lock:
                taken.append(milliseconds)
            time.sleep(chance.uniform(*READING))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def show(name: str, milliseconds: Sequence[float], lone: float = 0.0) -> None:
    """One line: median, 95th percentile, and how the median compares with the lone one."""
    p95 = statistics.quantiles(milliseconds, n=20)[-1]
    middle = statistics.median(milliseconds)
    compared = f"  {middle / lone:5.1f} times the lone one's" if lone else ""
    print(f"{name:44} p50 {middle:7.0f} ms  p95 {p95:7.0f} ms{compared}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--index", type=Path, help="default: of what the questions are about")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=40)
    arguments = parser.parse_args()
    need_shared()
    people = arguments.people
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        sys.exit("no Chromium here: apt-get install chromium")
    pool = iter(dict.fromkeys(questions(2000)))
    with chat((arguments.index or answering()).absolute()) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        painted, ready = zip(*first_paint(browser, url), strict=True)
        show("first paint", painted)
        show("page can be used", ready)
        page = browser.new_page()
        page.goto(url)
        page.locator(".rag[data-ready]").wait_for()
        call = page_call(page, next(pool))
        show("keystroke to paint", typing(page))
        browser.close()
        lone = [call.ask(next(pool)) for _ in range(LONE)]
        middle = statistics.median(lone)
        show("lone asker", lone)
        bursts = [
            taken
            for _ in range(BURSTS)
            for taken in at_once(call.ask, [next(pool) for _ in range(people)])
        ]
        show(f"{people} at the same instant", bursts, middle)
        same = next(pool)
        show(f"{people} with the same question", at_once(call.ask, [same] * people), middle)
        between = reading_between(call.ask, pool, people, arguments.seconds)
        show(f"{people} people, reading about 5 s", between, middle)


if __name__ == "__main__":
    main()
