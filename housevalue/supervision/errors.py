"""What ends a run."""


class CannotRun(Exception):
    """The run can't start or can't go on. The text is what the person at the terminal reads: one line,
    or one line and the end of a log."""


class StopAsked(Exception):
    """SIGINT, SIGTERM or SIGHUP came: end everything in order."""
