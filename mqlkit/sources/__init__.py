"""Reading: exports in, typed tables and a ledger of every row out."""
