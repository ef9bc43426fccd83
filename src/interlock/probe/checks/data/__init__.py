"""DATA: a bounded sample of what the contract reads: what it holds (``counts``), and what the answers prove
(``searches``)."""
