"""`logdock doctor`: a daemon.json read as a logging set-up.

    document    a text as JSON with the place of every part;  reader, scanner: read tolerantly, with repairs
    edits       changes of single places in that text, so that the rest stays as it was written
    engine      which Docker: told, asked, or assumed
    keys        the keys that dockerd knows, by version;  options: those of its log drivers
    goparse     values as Go reads them;  goregex: its regular expressions
    target      a log driver's address, as Docker reads it
    setup       driver and options of one place: daemon.json, or a service of a compose file
    rules_*     what can be wrong: a Setup or a Document in, findings out
    daemon      daemon.json -> its set-up;  compose: a compose file -> its services
    examine     all rules over all files;  fix: the corrected file;  replace: in place of the old one
    live        one line through the target, and back from the server;  wire: its bytes
    report      findings as text or JSON

`codes` names every finding, and docs/daemon-json.md explains them.
"""
