"""Explain the messages that browsers print in their console.

`causes` is a table: each cause, the texts of the three browsers, and the remedy. `messages` recognises the texts in a
paste. `report` shows their causes, and writes docs/console.md from the same table. The texts are those of Chromium 156,
Firefox 153 and WebKit 2.50 (Safari's engine). Limit: Safari prints one text for several causes.
"""
