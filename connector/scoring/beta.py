"""The Beta distribution as a belief about a satisfaction between 0 and 100."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Beta:
    """Beta(a, b) on the unit interval, spoken of in points from 0 to 100."""

    a: float
    b: float

    @classmethod
    def with_moments(cls, mean: float, variance: float) -> "Beta":
        """The Beta with this mean and variance, both on the unit interval, variance below mean (1 - mean)."""
        size = mean * (1 - mean) / variance - 1
        return cls(mean * size, (1 - mean) * size)

    @property
    def mean(self) -> float:
        """The expected value, 0-100."""
        return 100 * self.a / (self.a + self.b)

    def quantile(self, probability: float) -> float:
        """The value, 0-100, that is not exceeded with this probability."""
        from scipy.special import betaincinv

        return 100 * float(betaincinv(self.a, self.b, probability))

    def interval(self, level: float) -> tuple[float, float]:
        """The central range, 0-100, that holds the value with this probability."""
        tail = (1 - level) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def below(self, threshold: float) -> float:
        """The probability that the value lies below a threshold of 0-100."""
        from scipy.special import betainc

        return float(betainc(self.a, self.b, min(max(threshold / 100, 0.0), 1.0)))
