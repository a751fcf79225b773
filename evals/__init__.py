"""Evaluation: a question set, measures, a runner, reports, and a gate that can block a merge.

From the bottom up: `sources`, `schema`, `locate`, `service` (records and the seam to what is judged);
`measures`; `verify`, `judge`, `runner`; `report` and the `report_*` writers; `baseline`, `compare`,
`gate_config`, `gate`; `sabotage` (the gate's own test); `cli`. The service is reached through the same
assembly point as the REST service, or by URL; nothing in the product imports this package.
"""
