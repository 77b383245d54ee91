"""Compares what collectors decoded with what programs say they did. See collector.sh."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

BUILT = Path(sys.argv[1])
BIN = Path(sys.executable).parent
CLEAN = {
    name: value for name, value in os.environ.items()
    if not name.startswith(("OTEL_", "AXIOM_", "SYNC_PIPELINE_", "WCD_", "WEAVIATE_"))
}


# --- The programs, each with what it knows of itself.

def run_collected(endpoint):
    environment = {**CLEAN, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "RUST_LOG": "off"}
    program = subprocess.run(
        [BUILT / "examples/collected"], env=environment, capture_output=True, text=True, timeout=60,
        check=True,
    )
    return json.loads(program.stdout)


SETTINGS = """
[services.vector_index]
backoff = { initial = "20ms" }
[services.vector_index.breaker]
wait_duration = "400ms"
[sites.sync_document]
backoff = { initial = "20ms" }
"""


def run_pipeline(endpoint):
    """A run in which an object is refused, a server stumbles, is away for a while and comes back."""
    servers = subprocess.Popen(
        [BUILT / "examples/fake_servers", "picky"], env=CLEAN, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )
    try:
        weaviate = servers.stdout.readline().split()[0]
        with tempfile.TemporaryDirectory() as folder:
            return pipeline(folder, endpoint, weaviate, servers)
    finally:
        servers.stdin.close()
        servers.wait()


def pipeline(folder, endpoint, weaviate, servers):
    Path(folder, "settings.toml").write_text(SETTINGS)
    command = [BUILT / "sync-pipeline", "sync", "--stdin", "--json", "--verbose", "--workers", "4"]
    command += ["--weaviate", weaviate, "--settings", "settings.toml"]
    environment = {**CLEAN, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    program = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )
    told = []

    def feed(records):
        """Gives records to the program and waits until it has told what became of each."""
        program.stdin.writelines(json.dumps(record) + "\n" for record in records)
        program.stdin.flush()
        for _ in records:
            told.append(json.loads(program.stdout.readline()))

    def servers_are(word):
        servers.stdin.write(word + "\n")
        servers.stdin.flush()
        assert servers.stdout.readline().strip() == word

    def documents(numbers):
        return [{"path": f"doc-{n:04}.md", "content": f"Document {n}."} for n in numbers]

    feed(documents(range(10)))
    servers_are("hiccup")
    feed(documents(range(10, 12)))
    servers_are("down")
    feed([*documents(range(12, 24)), {"path": "missing.md"}, [1]])
    heard = time.time()
    # Nothing is flushed, and the program goes on: what is seen meanwhile has come by itself.
    time.sleep(2.5)
    servers_are("up")
    feed(documents([24]))
    feed([*documents(range(25, 30)), {"path": "doc-0001.md", "op": "delete"}])
    out, err = program.communicate(timeout=60)
    assert program.returncode == 1 and err == "", (program.returncode, err)
    summary = json.loads(out.splitlines()[-1])
    assert summary["event"] == "summary", summary
    errors = subprocess.run(
        [BUILT / "sync-pipeline", "errors", "--json", "--recent", "100"], cwd=folder, env=CLEAN,
        capture_output=True, text=True, check=True,
    )
    return {
        "heard": heard,
        "told": told,
        "counts": summary["counts"],
        "run_id": summary["run_id"],
        "summary": summary["runtime"],
        "errors": [json.loads(line) for line in errors.stdout.splitlines()],
    }


# --- The collectors.

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def collected(port, command, run):
    """Starts a collector, runs a program, and returns the program's answer and the collector's lines
    with the time at which each came."""
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
        known = run(f"http://127.0.0.1:{port}")
        time.sleep(0.5)
    finally:
        collector.terminate()
        collector.wait()
        reader.join()
    return known, lines


def through_oteltap(run):
    """What the program knows, and the spans, log records and metrics, each with its arrival."""
    port = free_port()
    known, lines = collected(port, [str(BIN / "oteltap"), "--port", str(port)], run)
    items = [{**json.loads(line), "at": at} for at, line in lines if line.startswith("{")]
    spans = [item for item in items if "spanId" in item and "name" in item]
    records = [item for item in items if "eventName" in item]
    # Metrics are sums since the beginning: the last of each name holds them all.
    metrics = {item["name"]: item for item in items if "histogram" in item or "sum" in item}
    return known, spans, records, metrics


def through_rotel(run):
    import rotel

    port, grpc = free_port(), free_port()
    agent = Path(rotel.__file__).parent / "rotel-agent"
    command = [str(agent), "start", "--otlp-http-endpoint", f"127.0.0.1:{port}"]
    command += ["--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--exporter", "blackhole"]
    for signal in ("traces", "metrics", "logs"):
        command += ["--debug-log", signal]
    known, lines = collected(port, command + ["--debug-log-verbosity", "detailed"], run)
    return known, "\n".join(line for _, line in lines)


# --- The comparisons.

def same(what, found, known):
    print(f"{'same' if found == known else 'DIFFERS':8}{what}: {found}")
    if found != known:
        sys.exit(f"{what}: the collector has {found}, the program says {known}")


def plain(value):
    (kind, content), = value.items()
    return int(content) if kind == "intValue" else content


def attributes(item):
    return {entry["key"]: plain(entry["value"]) for entry in item["attributes"]}


def check_spans(spans, summary, nested):
    """`nested` says of an operation inside which others it is called, if it is."""
    by_id = {span["spanId"]: span for span in spans}
    calls = [span for span in spans if "resilience.operation" in attributes(span)]
    attempts = [span for span in spans if "resilience.attempt" in attributes(span)]
    same("spans", len(spans), summary["calls"] + summary["attempts"])
    same("spans of calls", len(calls), summary["calls"])
    same("spans of attempts", len(attempts), summary["attempts"])
    outcomes = Counter(attributes(call)["resilience.outcome"] for call in calls)
    same("recovered", outcomes["recovered"], summary["recovered"])
    same("succeeded", outcomes["succeeded"], summary["succeeded"] - summary["recovered"])
    same("failed", outcomes["failed"], summary["failed"])
    same("rejected", outcomes["rejected"], summary["rejected"])
    numbered = sum(attributes(call)["resilience.attempts"] for call in calls)
    same("attempts in the spans of calls", numbered, summary["attempts"])
    again = sum(max(attributes(call)["resilience.attempts"] - 1, 0) for call in calls)
    same("retries in the spans of calls", again, summary["retries"])
    by_service = Counter(attributes(call)["resilience.service"] for call in calls)
    same("calls of services", by_service, {s["service"]: s["calls"] for s in summary["services"]})
    for attempt in attempts:
        parent = by_id[attempt["parentSpanId"]]
        assert parent in calls and parent["traceId"] == attempt["traceId"], attempt
    inner = 0
    for call in calls:
        about = attributes(call)
        outside = nested.get(about["resilience.operation"])
        assert bool(outside) == bool(call["parentSpanId"]), call
        if outside:
            inner += 1
            parent = by_id[call["parentSpanId"]]
            outer = attributes(by_id[parent["parentSpanId"]])
            assert outer["resilience.operation"] in outside, outer
            for name in ("session.id", "resilience.file", "resilience.line"):
                assert about[name] == outer[name], (about, outer)
    print(f"        {inner} calls inside of others, {len(calls) - inner} roots, all as they should be")
    return by_id


def check_logs(records, by_id, summary):
    about_calls = [record for record in records if "resilience.operation" in attributes(record)]
    for record in about_calls:
        span = by_id[record["spanId"]]
        assert record["traceId"] == span["traceId"], record
    print(f"        {len(about_calls)} log records with the span and trace that they belong to")
    names = Counter(record["eventName"] for record in records)
    same("circuits opened", names["resilience.breaker.opened"], summary["breaker_opens"])
    same("calls failed", names["resilience.call.failed"], summary["failed"])
    same("calls rejected", names["resilience.rejected"], summary["rejected"])
    # One that was planned and then not made, because a breaker had opened, is no retry.
    assert names["resilience.retry"] >= summary["retries"], names
    return names["resilience.retry"]


def check_metrics(metrics, summary, delays, session):
    def points(name):
        metric = metrics[name]
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
    again = sum(
        point["sum"] for point in metrics["resilience.call.retries"]["histogram"]["dataPoints"]
    )
    same("metric: retries", again, summary["retries"])
    same("metric: delays, as in the logs", total("resilience.call.retry_delay"), delays)
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
    assert session not in json.dumps(metrics), "a session in metrics"


def check_delay(items, until):
    """How long after its end each span and log record that ended by then was here."""
    def ended(item):
        return int(item.get("endTimeUnixNano") or item["timeUnixNano"]) / 1e9

    delays = [item["at"] - ended(item) for item in items if ended(item) <= until]
    print(f"        {len(delays)} spans and log records came by themselves, none later than "
          f"{max(delays):.2f} s after its end")
    assert max(delays) < 2, max(delays)


def check_errors_kept(records, recent):
    """Every error that the program keeps, field by field."""
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
        for error in recent
    )
    same("errors, field by field", told == kept, True)


def check_failed_records(records, known):
    """Every failed record of the pipeline's store is the log record of a failed call. A line that
    is no record failed before any call."""
    names = ("session.id", "resilience.line", "resilience.file", "resilience.category",
             "resilience.severity", "exception.message")
    told = sorted(
        tuple(about[name] for name in names)
        for record, about in ((record, attributes(record)) for record in records)
        if record["eventName"] == "resilience.call.failed"
        and about["resilience.operation"] in ("sync_document", "sync_delete")
    )
    names = ("run_id", "line", "path", "category", "severity", "message")
    stored = sorted(
        tuple(error[name] for name in names)
        for error in known["errors"] if error["operation"] != "parse"
    )
    same("failed records in the logs", len(told), len(stored))
    same("failed records, field by field", told == stored, True)
    same("failed records in the summary", len(stored) + 1, known["counts"]["failed"])
    kinds = Counter(f"{e['category']}:{e['severity']}" for e in known["errors"])
    same("failed records by kind", kinds, known["counts"]["kinds"])


def check_collected():
    print("== collected, at oteltap")
    known, spans, records, metrics = through_oteltap(run_collected)
    summary = known["summary"]
    same("everything delivered", known["complete"], True)
    same("spans delivered", len(spans), known["delivered"]["spans"])
    same("log records delivered", len(records), known["delivered"]["logs"])
    by_id = check_spans(spans, summary, {"index_file": ["sync_file"]})
    delays = check_logs(records, by_id, summary)
    check_errors_kept(records, known["recent"])
    check_metrics(metrics, summary, delays, "run-7")
    check_delay(spans + records, known["happened"])


def check_pipeline():
    print("== the sync pipeline, at oteltap")
    known, spans, records, metrics = through_oteltap(run_pipeline)
    summary = known["summary"]
    documents = ["sync_document"]
    by_id = check_spans(spans, summary, {
        "look_up_document": documents,
        "generate_embedding": documents,
        "index_document": documents,
        "remove_document": ["sync_delete"],
    })
    delays = check_logs(records, by_id, summary)
    check_failed_records(records, known)
    check_metrics(metrics, summary, delays, known["run_id"])
    check_delay(spans + records, known["heard"])
    # None of the comparisons is one of nothing with nothing.
    for count in ("recovered", "failed", "rejected", "retries", "breaker_opens"):
        assert summary[count] > 0, (count, summary)


def check_rotel(name, run):
    print(f"== {name}, at rotel")
    known, text = through_rotel(run)
    summary = known["summary"]
    names = Counter(re.findall(r"^ +Name +: (\S+)$", text, re.M))
    same("spans", names.total(), summary["calls"] + summary["attempts"])
    same("spans of attempts", names["resilience.attempt"], summary["attempts"])
    events = Counter(re.findall(r"^EventName: (\S+)$", text, re.M))
    same("calls failed", events["resilience.call.failed"], summary["failed"])
    same("calls rejected", events["resilience.rejected"], summary["rejected"])
    same("circuits opened", events["resilience.breaker.opened"], summary["breaker_opens"])


check_collected()
check_pipeline()
check_rotel("collected", run_collected)
check_rotel("the sync pipeline", run_pipeline)
