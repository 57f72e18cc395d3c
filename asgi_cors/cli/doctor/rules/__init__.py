"""The rules of the doctor: each yields a finding if it recognises one mistake in the evidence.

`preflight`, `origin`, `lists`, `response` and `layers` find the cause of a block. `risks` finds mistakes that do not
block this request, and `notes` facts that need no change. A rule for a cause may rely on the rules before it.
"""
