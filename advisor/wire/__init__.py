"""Values as messages, errors as statuses, and resource names; each in pairs."""
