"""The error tree.

GapnlpError
├── InputError      what the user gave cannot be used: a file, a column, an option        exit code 2
├── ModelError      a bundle is missing, changed, or does not fit this version            exit code 3
├── StoreError      the work file or database cannot be read or written                   exit code 4
├── NotFound        there is no such job or key in this project                           exit code 6
├── Conflict        the job, or the models folder, is not in a state that allows this     exit code 7
└── MissingExtra    an optional package is needed; the message says what to install       exit code 5

Every message says what is wrong, where (file, row, option), and what to do about it. No message holds customers' text.
"""

from __future__ import annotations


class GapnlpError(Exception):
    """Anything gapnlp raises on purpose; `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(GapnlpError):
    """What the user gave cannot be used: a file, a column, an option or a value."""

    exit_code = 2


class ModelError(GapnlpError):
    """A bundle is missing, was changed after it was built, or does not fit this version."""

    exit_code = 3


class StoreError(GapnlpError):
    """The work file or database cannot be read or written."""

    exit_code = 4


class NotFound(GapnlpError):
    """There is no such job or key; another project's are not told apart from those that never were."""

    exit_code = 6


class Conflict(GapnlpError):
    """The job, or the models folder, is not in a state that allows this: no report before a job has succeeded."""

    exit_code = 7


class MissingExtra(GapnlpError):
    """An optional package is needed; the message names the `pip install` that mends it."""

    exit_code = 5
