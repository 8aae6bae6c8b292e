"""The commands, one file a group. Nothing heavy is imported at the top of these files."""
