"""The root of Segue's errors.

Belongs here: the one class that the command line catches to print a message without a traceback.
Does not belong here: specific errors, which live beside the code that raises them.
"""


class SegueError(ValueError):
    """A wrong input or state that a person can mend.

    The message says what was expected, what was found and which command mends it.
    """
