"""What answers HTTP: routes, sign-in, jobs, uploads. Imports nothing of the numeric stack."""
