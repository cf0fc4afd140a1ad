"""People who leave their address: what the packs that take such forms share."""
