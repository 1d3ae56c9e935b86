"""Where the numbers come from: studies, commands, machines, commits, data, networks, judges, seeds."""

from reports.records import Records


def _short(digest: str | None) -> str:
    return (digest or "unknown")[:12]


def _plain(data: dict) -> str:
    parts = [f"{k} {v[:16] + '…' if isinstance(v, str) and len(v) > 20 else v}" for k, v in data.items() if not isinstance(v, (dict, list)) and k != "name"]
    return ", ".join(parts)


def questions(records: Records) -> list[dict]:
    studies = {c.study["name"]: c.study for c in records.cells}
    return [{"name": name, "question": study.get("question", "")} for name, study in studies.items()]


def facts(records: Records) -> list[dict]:
    """[{name, values}] for a list of terms."""
    cells = [c.record["cell"] for c in records.cells]
    studies = {c.study["name"]: c.study for c in records.cells}
    used = {digest for cell in cells for digest in cell["nets"].values()}
    scored = {s["label"]: s["metric"] for c in records.cells for s in c.scored.values()}
    machines = [f"{m['id']}: {m.get('gpu') or m.get('cpu')}, {m.get('cores', '?')} cores, {m.get('threads', '?')} threads, {m.get('os', '')}, Python {m.get('python', '?')}, "
                + " ".join(f"{k} {v}" for k, v in m.get("packages", {}).items()) for m in {m["id"]: m for m in records.machines}.values()]
    commits = [f"{_short(m.get('commit'))}{' + changes ' + _short(m.get('diff_sha')) + ' not committed' if m.get('dirty') else ', clean'}" for m in records.machines]
    networks = [f"{r['name']}: sha256 {digest}" for digest, r in records.networks.items() if digest in used]
    rows = [
        ("Command", [s["command"] for s in studies.values() if s.get("command")]),
        ("Run folders", [str(f) for f in records.folders]),
        ("Machine", machines),
        ("Commit", commits),
        ("Code hashes", [f"{c.record['cell']['sampler']['name']}: {c.record['code']}" for c in records.cells]),
        ("Data", [f"{c['data']['name']}: {_plain(c['data'])}" for c in cells]),
        ("Data sha256", [c["data"]["sha256"] for c in cells if "sha256" in c["data"]]),
        ("Networks", networks),
        ("NFE unit", [f"one pass of {s['reference']}" for s in studies.values() if s.get("reference")]),
        ("Judge", [f"{label}: sha256 {m['sha256']}; {m.get('rule', '')}" for label, m in scored.items() if "sha256" in m] or ["none"]),
        ("Metrics", [f"{label} ({_plain(m)})" for label, m in scored.items()]),
        ("Rows and seeds", [f"n = {c['n']:,}, seed {c['seed']}, batch {c['batch']}, temperature {c['temperature']:g}" for c in cells]),
        ("Precision", [f"networks {c['dtype']} on {c['device']}, draws {c['draw_dtype']}" for c in cells]),
        ("Intervals", ["95 %, percentile bootstrap over rows with expanded tails, 2,000 resamples; curves of ratios 1,000"]),
    ]
    return [{"name": name, "values": list(dict.fromkeys(values))} for name, values in rows if values]
