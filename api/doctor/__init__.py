"""`logdock doctor`: a daemon.json read as a logging set-up.

    document    text -> JSON with the place of every part, read tolerantly; what had to be repaired
    edits       changes of single places in that text, so that the rest stays as it was written
    engine      which Docker: told, asked, or assumed
    keys        the keys that dockerd knows, by version;  options: those of its log drivers
    target      a log driver's address, as Docker reads it
    setup       driver and options of one place: daemon.json, or a service of a compose file
    rules_*     what can be wrong: a Setup or a Document in, findings out
    compose     a compose file -> its services' set-ups
    examine     all rules over all files;  fix: the corrected file
    live        one line through the target, and back from the server
    report      findings as text or JSON

`codes` names every finding, and docs/daemon-json.md explains them.
"""
