"""What people who are enrolled may ask for: to be forgotten in time, to see what is held, and to stay erased."""
