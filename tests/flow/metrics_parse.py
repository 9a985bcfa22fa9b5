"""Reads /metrics text on stdin with the Prometheus project's own parser; prints [[family, type, [[sample, {labels}, value], ..]], ..] as JSON.
Refuses what the parser lets pass: a family that stands twice, a sample outside its family, a histogram that does not add up."""
import json
import sys
from prometheus_client.parser import text_string_to_metric_families

families, seen = [], set()
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.name not in seen, f"{family.name} stands twice"
    seen.add(family.name)
    assert family.documentation and family.type != "unknown", f"{family.name} has no HELP or TYPE"
    for sample in family.samples:
        assert sample.name.startswith(family.name), f"{sample.name} in {family.name}"
    if family.type == "histogram":
        buckets = {}
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                key = json.dumps({k: v for k, v in sample.labels.items() if k != "le"})
                buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
        for key, list_of in buckets.items():
            assert list_of == sorted(list_of) and list_of[-1][0] == float("inf"), f"{family.name} {key}"
            assert all(a[1] <= b[1] for a, b in zip(list_of, list_of[1:])), f"{family.name} {key} falls"
            count = [s.value for s in family.samples if s.name.endswith("_count") and json.dumps(s.labels) == key]
            assert count == [list_of[-1][1]], f"{family.name} {key}: count {count}"
    families.append([family.name, family.type, [[s.name, s.labels, s.value] for s in family.samples]])
print(json.dumps(families))
