"""How a run of a job ends before its work is done, without the job having ended."""

from __future__ import annotations


class Interrupted(BaseException):
    """The run must stop at once and leave no trace: the process is ending, or the job is not its own any more.

    Not an Exception, so that nothing between here and the engine takes it for the job's failure and writes it down.
    """
