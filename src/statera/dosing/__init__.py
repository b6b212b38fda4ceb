"""One patient's renal function and body size, and what labels say of the dose."""
