"""`cewen doctor`: plays each client against a running deployment and says what that client loses.

It trusts nothing that makes the replies: of ours it imports the errors and the settings. What
a client reads, it reads itself; what a citation says, it checks against the source text itself.
"""
