"""Tables of a PostgreSQL database elsewhere: looked at, and read row by row in the order of a cursor column."""
