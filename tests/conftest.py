"""What every test may use. Real Elasticsearch and real dockerd come from tests/real/."""
