"""People's privacy rights and duties: here, the notices that the service sends (2.7)."""
