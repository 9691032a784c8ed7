"""`afterword demo`: the whole product on one machine, between two pretend CRMs, a mail server and customers who answer.

Everything the product does here it does by itself: the demo only moves the clock, lets people work in the pretend CRMs, and lets
customers read the mail that arrives. It is a second composition root: besides `wiring` and `cli` it alone sees the adapters.
"""
