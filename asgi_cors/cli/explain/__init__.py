"""`explain`: the decision of an app on one request, without starting the app.

`request` finds the route and the policies, which explain their decision, and `report` shows the explanation.
"""
