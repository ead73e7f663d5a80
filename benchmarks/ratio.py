"""What a benchmark reports: our time beside a peer's, taken in the same run."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One measurement.

    Attributes:
        name: What was done, and against whom.
        ours_seconds: Wall time of our code.
        peer_seconds: Wall time of the peer doing the same, or a budget.
        required: The least ratio we claim; None if it is only shown.
    """

    name: str
    ours_seconds: float
    peer_seconds: float
    required: float | None = None

    @property
    def ratio(self) -> float:
        """How many times faster we are."""
        return self.peer_seconds / self.ours_seconds
