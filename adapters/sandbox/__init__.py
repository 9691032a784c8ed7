"""Pretend CRMs that speak the vendors' wire protocols over HTTPS on localhost, with a clock and faults under control."""
