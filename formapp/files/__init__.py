"""Files that visitors send: their contents in a store, their rows in the database.

A content is in the store, and synced, before the commit of the row that names it. So a row never
lacks its content; a content without a row, which a crash leaves behind, is swept.
"""
