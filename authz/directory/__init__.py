"""What is true of people now: tables, facts, relations, roster import (2.4, 4.4)."""
