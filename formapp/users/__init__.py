"""People who sign in to the inbox: their names, roles, passwords, and the sites they may see."""
