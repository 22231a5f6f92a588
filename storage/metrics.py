"""The counters and gauges behind /metrics, one set per running server (tests start several in a process).

Whatever is dropped, refused, joined, truncated or resent is counted here by reason. Hot paths count in
locals and add once per batch: a labelled increment costs as much as normalising a tenth of a line.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call] # a second line per counter that says when the process began: one gauge does

LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds

BULK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)  # seconds


class BeforeScrape(Collector):
    """Runs hooks before each scrape, so that plain integers of hot paths are carried over in time."""

    def __init__(self) -> None:
        self.hooks: list[Callable[[], None]] = []

    def collect(self) -> Iterable[Metric]:
        for hook in self.hooks:
            hook()
        return ()


class Metrics:
    """All metrics of one server, registered in `registry`."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.before_scrape = BeforeScrape()
        registry.register(self.before_scrape)  # first, so it runs first

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"logdock_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(f"logdock_{name}", text, labels, registry=registry)

        self.frames = counter("frames", "Frames written to the journal", ("protocol",))
        self.bytes = counter("received_bytes", "Bytes of frames written to the journal", ("protocol",))
        self.acks = counter("acks", "Acknowledgements sent")
        self.resends = counter("resends", "Frames sent again that the journal already had: not stored twice")
        self.heartbeats = counter("heartbeats", "Heartbeats answered or ignored", ("protocol",))
        self.connections = gauge("connections", "Open ingest connections", ("protocol",))
        self.connections_total = counter("connections_opened", "Ingest connections accepted", ("protocol",))
        self.refused = counter(
            "refused", "Connections, datagrams or requests ended, by reason", ("protocol", "reason")
        )
        self.dropped = counter("dropped", "Records or frames that are not stored, by reason", ("reason",))
        self.marked = counter("marked_events", "Events that carry a flag, by flag", ("flag",))
        self.records = counter("records", "Records decoded from the journal", ("protocol",))
        self.events = counter("events", "Events handed to the store")
        self.rejected = counter("rejected", "Events that the store refused for good, by reason", ("reason",))
        self.quarantined = counter("quarantined", "Events put into the quarantine, by reason", ("reason",))
        self.quarantine_retried = counter(
            "quarantine_retried", "Events in quarantine offered to the store again, by outcome", ("outcome",)
        )
        self.quarantine_events = gauge("quarantine_events", "Events in quarantine, by reason", ("reason",))
        self.quarantine_bytes = gauge("quarantine_bytes", "Bytes of the quarantine on disk")
        self.quarantine_full = gauge("quarantine_full", "1 while the quarantine is full and delivery waits")
        self.pruned_lines = counter("pruned_lines", "Lines removed on purpose, by reason", ("reason",))
        self.bulk_seconds = Histogram(
            "logdock_elasticsearch_bulk_seconds",
            "Bulk requests, answered or not",
            buckets=BULK_BUCKETS,
            registry=registry,
        )
        self.bulk_retries = counter(
            "elasticsearch_retries", "Events sent to Elasticsearch again, by reason", ("reason",)
        )
        self.bulk_body_bytes = gauge("elasticsearch_body_bytes", "What a bulk body may hold now")
        self.bulk_in_flight = gauge("elasticsearch_in_flight", "Bulk requests on their way")
        self.degraded = counter(
            "elasticsearch_degraded", "Events stored with less of them indexed, as they were refused whole"
        )
        self.doubles_removed = counter(
            "elasticsearch_doubles_removed", "Second copies removed, of lines sent again across a roll-over"
        )
        self.replayed = counter("replayed_records", "Records read again from the journal after a start")
        self.tail_dropped = counter("tail_dropped", "Events a slow live follower did not get")
        self.followers = gauge("tail_followers", "Live tail followers")
        self.journal_bytes = gauge("journal_bytes", "Bytes of journal on disk")
        self.journal_limit = gauge("journal_limit_bytes", "Bytes of journal at which senders are paused")
        self.journal_blocked = gauge(
            "journal_blocked", "1 while the journal takes nothing, by reason", ("reason",)
        )
        self.journal_damaged = counter("journal_damaged_bytes", "Bytes of damaged journal set aside")
        self.journal_syncs = Histogram(
            "logdock_journal_sync_seconds",
            "fdatasync of the journal",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.lag_bytes = gauge("pipeline_lag_bytes", "Journal bytes that the store has not got")
        self.lag_seconds = gauge(
            "pipeline_lag_seconds", "Since the oldest line that the store has not got was read"
        )
        self.store_up = gauge("store_up", "1 while the store takes lines")
        self.udp_drops = gauge("udp_kernel_drops", "GELF datagrams the kernel dropped before they were read")
        self.unsafe_bytes = gauge(
            "store_unsafe_bytes", "Journal bytes that the store has not made durable yet"
        )
        self.queries = Histogram(
            "logdock_query_seconds",
            "Questions answered",
            ("kind",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
