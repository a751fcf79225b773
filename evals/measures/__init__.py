"""One file per family of measures: pure functions over numbers, sets and texts, with formula and source.

Nothing here knows a service, a question file or a report. `catalogue` names what is reported.
"""
