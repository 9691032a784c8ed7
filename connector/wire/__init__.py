"""What all parts need that speak to other machines: reading within limits, parsing whatever comes, telling failures apart.

Adapters may import it; it imports nothing of ours.
"""
