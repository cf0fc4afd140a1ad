"""What people set up: projects, keys, jobs and leases, in a relational store."""
