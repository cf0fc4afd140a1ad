"""Who may do what: keys, and the guard that checks them."""
