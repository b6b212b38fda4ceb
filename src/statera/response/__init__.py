"""Exposure-response: how an exposure moves a response, its grade, or the time to an event."""
