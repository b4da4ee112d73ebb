#!/usr/bin/env python3
"""Measures the daemon from outside and prints the figures beside their goals:  daemon.py BIN FOLDER

Managed bytes for each frame, resident memory, time to the first result, what is added to the model's time, sizes of the programs, messages a second through the local broker, and what
200 subscribers cost. SECONDS_EACH (default 10) is how long each part is watched. Only Python's standard library and the published programs are needed.
"""
import json
import os
import random
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SECONDS = float(os.environ.get("SECONDS_EACH", "10"))
SUBSCRIBERS = 200


def free_port():
    """Below the ports that the kernel gives to connections: there asking before the daemon listens could connect to itself."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Daemon:
    def __init__(self, program, *options):
        self.http, self.mqtt = free_port(), free_port()
        self.started = time.monotonic()
        self.process = subprocess.Popen([program, f"--http:listen=127.0.0.1:{self.http}", f"--mqtt:tcp=127.0.0.1:{self.mqtt}", "--log:level=warning", *options], stderr=subprocess.PIPE)

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=30).read().decode()

    def status(self):
        return json.loads(self.get("/api/status"))

    def metrics(self):
        return {key: float(value) for key, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", self.get("/metrics"), re.M)}

    def first_result(self):
        """Seconds from the start of the process to the first result."""
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"the daemon ended: {self.process.stderr.read().decode()}")
            try:
                if self.status()["cameras"][0]["frames"]["processed"] > 0:
                    return time.monotonic() - self.started
            except OSError:
                pass
            time.sleep(0.002)

    def medians(self):
        camera = self.status()["cameras"][0]
        stages = {stage["name"]: stage["p50_seconds"] for stage in camera["stages"]}
        return stages["inference"], camera["total"][0]["p50_seconds"]

    def allocated(self):
        """Managed bytes and frames in SECONDS, medians of three; what asking costs is in them."""
        names = ("edgesparse_managed_allocated_bytes_total", 'edgesparse_frames_total{camera="street",result="processed"}')
        for _ in range(3):
            last = self.metrics()
        bytes_, frames = [], []
        for _ in range(3):
            time.sleep(SECONDS)
            now = self.metrics()
            bytes_.append(now[names[0]] - last[names[0]])
            frames.append(now[names[1]] - last[names[1]])
            last = now
        return sorted(bytes_)[1], sorted(frames)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()


# ---- as much MQTT 3.1.1 as is needed ---------------------------------------------------------------------------

def text(value):
    return len(value).to_bytes(2, "big") + value.encode()


def packet(first, body):
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (128 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def read_packet(s):
    first, size, shift = s.recv(1)[0], 0, 0
    while True:
        digit = s.recv(1)[0]
        size |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            break
    body = b""
    while len(body) < size:
        body += s.recv(size - len(body))
    return first, body


def connect(port, name):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(packet(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text(name)))
    assert read_packet(s) == (0x20, b"\0\0"), "connection refused"
    return s


def subscribe(s, topic, qos):
    s.sendall(packet(0x82, b"\0\1" + text(topic) + bytes([qos])))
    assert read_packet(s)[1][2] == qos, "subscription refused"


def rate(port, qos, seconds, window):
    """Messages a second from one publisher to one subscriber, 64 bytes each; at most `window` on their way, so that none is dropped."""
    sender, receiver = connect(port, f"bench-out-{qos}"), connect(port, f"bench-in-{qos}")
    subscribe(receiver, "bench/rate", qos)
    one = packet(0x30 | qos << 1, text("bench/rate") + (b"\0\1" if qos else b"") + b"x" * 64)
    size, identifier = len(one), len(one) - 66
    for s in (sender, receiver):
        s.setblocking(False)
    poll = selectors.DefaultSelector()
    poll.register(receiver, selectors.EVENT_READ)
    poll.register(sender, selectors.EVENT_READ)
    sent = received = acknowledged = 0
    out, left, back = b"", b"", b""
    number = 0
    start = time.monotonic()
    end = start + seconds
    while time.monotonic() < end or received < sent:
        if not out and time.monotonic() < end:
            count = min(256, window - (sent - received), window - (sent - acknowledged) if qos else 256)
            if count > 0:
                if qos:
                    batch = []
                    for _ in range(count):
                        number = number % 65535 + 1
                        batch.append(one[:identifier] + number.to_bytes(2, "big") + one[identifier + 2:])
                    out = b"".join(batch)
                else:
                    out = one * count
                sent += count
        if out:
            try:
                out = out[sender.send(out):]
            except BlockingIOError:
                pass
        if back:
            try:
                back = back[receiver.send(back):]
            except BlockingIOError:
                pass
        for key, _ in poll.select(0 if out or back else 0.05):
            data = key.fileobj.recv(1 << 18)
            if key.fileobj is sender:
                acknowledged += len(data) // 4
                continue
            left += data
            whole = len(left) // size
            if qos:
                for i in range(whole):
                    at = i * size + identifier
                    back += b"\x40\2" + left[at:at + 2]
            received += whole
            left = left[whole * size:]
    elapsed = time.monotonic() - start
    sender.close()
    receiver.close()
    return received / elapsed


class Audience:
    """Subscribers that read what comes, in a process of their own so that they do not slow the measuring one."""

    def __init__(self, port, count):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--watch", str(port), str(count)], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n", "the subscribers could not connect"

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def watch(port, count):
    poll = selectors.DefaultSelector()
    for i in range(count):
        s = connect(port, f"audience-{i}")
        subscribe(s, "edgesparse/+/cameras/+/detections", 0)
        subscribe_more = packet(0x82, b"\0\2" + text("edgesparse/+/cameras/+/classifications") + b"\0")
        s.sendall(subscribe_more)
        s.setblocking(False)
        poll.register(s, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in poll.select():
            key.fileobj.recv(1 << 16)


# ---- the measurements ------------------------------------------------------------------------------------------

def model(programs, folder):
    """A MobileNetV2 at 90 % zeros with the daemon's manifest, seeded weights: its time counts, not what it sees."""
    onnx, package, manifest = (os.path.join(folder, name) for name in ("mobilenet_v2.onnx", "mobilenet_v2.esm", "mobilenet_v2.json"))
    if not os.path.exists(onnx):
        subprocess.run([f"{programs}/edgesparse", "synth", "mobilenet_v2", "--sparsity", "0.9", "--seed", "1", "-o", onnx], check=True, stdout=subprocess.DEVNULL)
    with open(manifest, "w") as file:
        json.dump({"name": "mobilenet-v2", "version": "1.0.0", "preprocess": {"scale": 1 / 255}, "decoder": {"type": "classification", "softmax": True}}, file)
    subprocess.run([f"{programs}/edgesparse", "compile", onnx, "-o", package, "--manifest", manifest], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return package


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "an unnamed processor")


def row(what, figure, unit, goal, reached):
    print(f"| {what} | {figure} {unit} | {goal} | {'reached' if reached else 'not reached'} |", flush=True)


def main():
    programs, folder = sys.argv[1], sys.argv[2]
    daemon_program = f"{programs}/edgesparsed"
    os.makedirs(folder, exist_ok=True)
    package = model(programs, folder)
    print(f"# Daemon\n\n`make bench-daemon`, {SECONDS:g} s each part, on {processor()}, {os.cpu_count()} processors; load before the run {os.getloadavg()[0]:.2f}.")
    print("640x480 rendered street, MobileNetV2 1.0 / 224 at 90 % zeros. Numbers before the figures are those of the list of goals.\n")
    print("| figure | measured | goal | |\n| --- | --- | --- | --- |")

    starts = []
    for _ in range(5):
        with Daemon(daemon_program, "--model", package) as daemon:
            starts.append(daemon.first_result())
    first = sorted(starts)[2]
    row("10. first result after start (median of 5)", f"{first * 1000:.0f}", "ms", "< 300 ms", first < 0.3)

    with tempfile.TemporaryDirectory() as state, Daemon(daemon_program, "--model", package, "--cameras:street:fps=30", f"--stateFolder={state}") as daemon:
        daemon.first_result()
        time.sleep(min(SECONDS, 5))
        many, frames = daemon.allocated()
        resident = daemon.metrics()["process_resident_memory_bytes"] / 2**20
        row("10. resident memory", f"{resident:.1f}", "MiB", "< 64 MiB", resident < 64)
        inference, total = daemon.medians()
        row(f"10. capture to publish beside the model's {inference * 1000:.2f} ms (medians)", f"{(total - inference) * 1000:.2f}", "ms", "< 2 ms", total - inference < 0.002)

        # A frame's share is what more frames in the same time take: timers, and being asked, cost as much with few. Threads take memory in pieces of 8 KiB, so the counter is that coarse.
        with tempfile.TemporaryDirectory() as other, Daemon(daemon_program, "--model", package, "--cameras:street:fps=1", f"--stateFolder={other}") as slow:
            slow.first_result()
            time.sleep(min(SECONDS, 5))
            few, least = slow.allocated()
        each = max(0, many - few) / (frames - least)
        row(f"10. managed bytes for a frame, of {frames:.0f} beside {least:.0f} in as long (the counter tells {8192 / (frames - least):.0f} apart)", f"{each:.1f}", "B", "0", each <= 8192 / (frames - least))

        for name in ("edgesparsed", "edgesparse"):
            size = os.path.getsize(f"{programs}/{name}") / 2**20
            row(f"11. {name}", f"{size:.2f}", "MiB", "< 16 MiB", size < 16)

        alone = []
        watched = []
        for _ in range(2):
            time.sleep(SECONDS)
            alone.append(daemon.medians()[0])
            audience = Audience(daemon.mqtt, SUBSCRIBERS)
            time.sleep(SECONDS)
            watched.append(daemon.medians()[0])
            audience.close()
        change = 100 * (sum(watched) / sum(alone) - 1)
        row(f"12. inference with {SUBSCRIBERS} subscribers ({sum(alone) / 2 * 1000:.2f} ms without)", f"{change:+.1f}", "%", "<= +5 %", change <= 5)

    with Daemon(daemon_program, "--model", package, "--cameras:street:fps=0.1") as daemon:
        daemon.first_result()
        for qos, goal in ((0, 50_000), (1, 10_000)):
            figure = rate(daemon.mqtt, qos, SECONDS / 2, 800)
            row(f"12. QoS {qos} messages of 64 bytes, publisher to subscriber on loopback", f"{figure:,.0f}", "/s", f">= {goal:,} /s", figure >= goal)
        dropped = sum(value for key, value in daemon.metrics().items() if key.startswith("edgesparse_mqtt_messages_dropped_total"))
        print(f"\n{dropped:.0f} messages dropped by the broker")


if __name__ == "__main__":
    if sys.argv[1] == "--watch":
        watch(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
