"""Compares what collectors decoded with what the program says it did. See collector.sh."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

PROGRAM = sys.argv[1]
BIN = Path(sys.executable).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def collected(port, command):
    """Starts a collector, runs the program, and returns the program's answer and the collector's
    lines with the time at which each came."""
    lines = []
    collector = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def read():
        for line in collector.stdout:
            lines.append((time.time(), line.rstrip("\n")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"{command[0]} does not listen: {lines}")
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "RUST_LOG": "off",
        }
        program = subprocess.run(
            [PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        time.sleep(0.5)
    finally:
        collector.terminate()
        collector.wait()
        reader.join()
    return json.loads(program.stdout), lines


def same(what, found, known):
    print(f"{'same' if found == known else 'DIFFERS':8}{what}: {found}")
    if found != known:
        sys.exit(f"{what}: the collector has {found}, the program says {known}")


def plain(value):
    (kind, content), = value.items()
    return int(content) if kind == "intValue" else content


def attributes(item):
    return {entry["key"]: plain(entry["value"]) for entry in item["attributes"]}


def check_spans(spans, known):
    summary = known["summary"]
    by_id = {span["spanId"]: span for span in spans}
    calls = [span for span in spans if "resilience.operation" in attributes(span)]
    attempts = [span for span in spans if "resilience.attempt" in attributes(span)]
    same("spans", len(spans), known["delivered"]["spans"])
    same("spans of calls", len(calls), summary["calls"])
    same("spans of attempts", len(attempts), summary["attempts"])
    outcomes = Counter(attributes(call)["resilience.outcome"] for call in calls)
    same("recovered", outcomes["recovered"], summary["recovered"])
    same("succeeded", outcomes["succeeded"], summary["succeeded"] - summary["recovered"])
    same("failed", outcomes["failed"], summary["failed"])
    same("rejected", outcomes["rejected"], summary["rejected"])
    same(
        "attempts in the spans of calls",
        sum(attributes(call)["resilience.attempts"] for call in calls),
        summary["attempts"],
    )
    for attempt in attempts:
        parent = by_id[attempt["parentSpanId"]]
        assert parent in calls and parent["traceId"] == attempt["traceId"], attempt
    inner = [call for call in calls if attributes(call)["resilience.operation"] == "index_file"]
    for call in inner:
        parent = by_id[call["parentSpanId"]]
        outer = by_id[parent["parentSpanId"]]
        assert attributes(outer)["resilience.operation"] == "sync_file", outer
        assert attributes(call)["resilience.line"] == attributes(outer)["resilience.line"]
    roots = [call for call in calls if not call.get("parentSpanId")]
    same("calls without a parent", len(roots), summary["calls"] - len(inner))
    return by_id


def check_logs(records, by_id, known):
    same("log records", len(records), known["delivered"]["logs"])
    for record in records:
        span = by_id[record["spanId"]]
        assert record["traceId"] == span["traceId"], record
    names = Counter(record["eventName"] for record in records)
    same("circuits opened", names["resilience.breaker.opened"], known["summary"]["breaker_opens"])
    same("retries", names["resilience.retry"], known["summary"]["retries"])
    same("calls failed", names["resilience.call.failed"], known["summary"]["failed"])

    def key(attempt, item, names):
        return (attempt, *(item.get(name) for name in names))

    told = Counter(
        key(about.get("resilience.attempt", 0), about, (
            "resilience.operation", "resilience.line", "exception.message", "error.type",
            "resilience.agent", "session.id", "resilience.file"))
        for about in map(attributes, records) if "exception.message" in about
    )
    kept = Counter(
        key(error["attempt"], error, (
            "operation", "line", "message", "error_type", "agent", "session_id", "file"))
        for error in known["recent"]
    )
    same("errors, field by field", told == kept, True)


def check_metrics(metrics, known):
    summary = known["summary"]
    by_name = {metric["name"]: metric for metric in metrics}

    def points(name):
        metric = by_name[name]
        for point in metric.get("histogram", metric.get("sum"))["dataPoints"]:
            yield attributes(point), int(point.get("count", point.get("asInt", 0)))

    def total(name, **with_):
        wanted = {key.replace("__", "."): value for key, value in with_.items()}
        return sum(n for about, n in points(name) if wanted.items() <= about.items())

    same("metric: calls", total("resilience.call.duration"), summary["calls"])
    for outcome in ("recovered", "failed", "rejected"):
        found = total("resilience.call.duration", resilience__outcome=outcome)
        same(f"metric: {outcome}", found, summary[outcome])
    same("metric: attempts", total("resilience.attempt.duration"), summary["attempts"])
    same("metric: delays", total("resilience.call.retry_delay"), summary["retries"])
    for error in summary["errors"]:
        found = total(
            "resilience.errors",
            resilience__category=error["category"],
            resilience__severity=error["severity"],
        )
        same(f"metric: errors {error['category']}:{error['severity']}", found, error["count"])
    opened = sum(
        n for about, n in points("resilience.circuit_breaker.transitions")
        if about["resilience.circuit_breaker.state"] == "open"
    )
    same("metric: circuits opened", opened, summary["breaker_opens"])
    states = {
        about["resilience.circuit_breaker.name"]: about["resilience.circuit_breaker.state"]
        for about, n in points("resilience.circuit_breaker.status") if n == 1
    }
    same("metric: states", states, {b["service"]: b["state"] for b in summary["breakers"]})
    assert "run-7" not in json.dumps(metrics), "a session in metrics"


def check_oteltap():
    port = free_port()
    known, lines = collected(port, [str(BIN / "oteltap"), "--port", str(port)])
    items = [(at, json.loads(line)) for at, line in lines if line.startswith("{")]
    spans = [item for _, item in items if "spanId" in item and "name" in item]
    records = [item for _, item in items if "eventName" in item]
    # Metrics are sums since the beginning: the last of each name holds them all.
    metrics = list({
        item["name"]: item for _, item in items if "histogram" in item or "sum" in item
    }.values())
    same("everything delivered", known["complete"], True)
    by_id = check_spans(spans, known)
    check_logs(records, by_id, known)
    check_metrics(metrics, known)
    last = max(at for at, item in items if "spanId" in item)
    took = last - known["happened"]
    print(f"the last span or log record was here {took:.2f} s after it happened, without a flush")
    assert took < 2, took


def check_rotel():
    import rotel

    port, grpc = free_port(), free_port()
    agent = Path(rotel.__file__).parent / "rotel-agent"
    command = [str(agent), "start", "--otlp-http-endpoint", f"127.0.0.1:{port}"]
    command += ["--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--exporter", "blackhole"]
    for signal in ("traces", "metrics", "logs"):
        command += ["--debug-log", signal]
    known, lines = collected(port, command + ["--debug-log-verbosity", "detailed"])
    text = "\n".join(line for _, line in lines)
    summary = known["summary"]
    names = Counter(re.findall(r"^ +Name +: (\S+)$", text, re.M))
    same("rotel: spans", names.total(), known["delivered"]["spans"])
    same("rotel: spans of attempts", names["resilience.attempt"], summary["attempts"])
    same("rotel: log records", len(re.findall(r"^LogRecord #", text, re.M)), known["delivered"]["logs"])
    events = Counter(re.findall(r"^EventName: (\S+)$", text, re.M))
    same("rotel: calls failed", events["resilience.call.failed"], summary["failed"])
    same("rotel: circuits opened", events["resilience.breaker.opened"], summary["breaker_opens"])


check_oteltap()
check_rotel()
