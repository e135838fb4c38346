"""Building blocks that several mechanisms use: functions over dicts of parameters."""
