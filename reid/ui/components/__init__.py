"""The pieces of the page that are our own HTML: each a function from what is known to escaped markup."""
