"""Who comes in: the gate before everything that is served, the login, whose uploads are whose. Knows no gallery."""
