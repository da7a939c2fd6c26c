"""The checks: each turns a driver into items, and each item into recorded cases.

A check is a module with a name `CHECK`, which is its column in the report, and a function
`plans(subject, settings, catalogue)`, which yields its items for one driver.
"""
