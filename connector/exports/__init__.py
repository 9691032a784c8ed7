"""Tables for people and other programs: accounts, responses, follow-ups, and who was asked, as .csv or .xlsx files.

`period` says what time a table is about, `tables` which columns it has, `files` how it is written.
"""
